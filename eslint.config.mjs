import tseslint from "typescript-eslint";

/** DESIGN: a room knows only the rooms before it, and the pure rooms know no host and no engine. */
const rooms = [
  "checkpoint",
  "architecture",
  "graph",
  "text",
  "engine",
  "diagnosis",
  "report",
  "trainingRun",
];
const pureRooms = [...rooms.filter((room) => room !== "engine"), "python"];

const ban = (group, message) => ({ group, message });
const noVscode = ban(["vscode"], "Only src/host and src/extension.ts know the editor.");
const noOnnxRuntime = ban(
  ["onnxruntime-*", "onnxruntime-*/**"],
  "Only src/engine knows ONNX Runtime.",
);
const laterRooms = (room) => {
  // python is beside the others: it knows source text, and no room.
  const later = room === "python" ? rooms : rooms.slice(rooms.indexOf(room) + 1);
  return later.length === 0
    ? []
    : [
        ban(
          [...later, "host"].map((name) => `**/${name}/**`),
          "A room knows only the rooms before it.",
        ),
      ];
};

export default tseslint.config(
  { ignores: ["dist/**", "out/**", "media/**", ".vscode-test/**"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      // The project service, made for editors, takes an eighth longer.
      parserOptions: {
        project: ["tsconfig.json", "webview/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // noUncheckedIndexedAccess makes every index possibly undefined; where the bound is held by
      // the loop beside it, the assertion says so.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [noVscode, noOnnxRuntime] },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports only." },
        { selector: "ExportAllDeclaration", message: "No barrels." },
      ],
    },
  },
  {
    files: ["src/host/**/*.ts", "src/extension.ts"],
    rules: {
      "@typescript-eslint/no-restricted-imports": ["error", { patterns: [noOnnxRuntime] }],
    },
  },
  {
    files: ["src/engine/**/*.ts", "test/**/*.ts"],
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns: [noVscode] }] },
  },
  ...pureRooms.map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [noVscode, noOnnxRuntime, ...laterRooms(room)] },
      ],
    },
  })),
  {
    files: ["src/protocol/**/*.ts"],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [{ group: ["*", "**"], allowTypeImports: true, message: "Types only." }] },
      ],
    },
  },
  {
    // What vscode, ONNX Runtime and JSON.parse hand to a test is checked by the test itself.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
);
