import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchNorms } from "../../../src/python/matchNorms";
import { readModule } from "../../../src/python/module";
import { normSites } from "../../../src/python/normSites";
import type { PythonSource } from "../../../src/python/parser";
import { SliceClock } from "../../../src/python/slices";
import { cutIntoStatements } from "../../../src/python/statements";
import { descendants } from "../../../src/python/syntax";
import { allStyles, huggingFacePaths } from "./support/models";
import { parser } from "./support/parser";

describe("the parser", () => {
  it("gives nodes at their place in the file, counted in UTF-16 code units", () => {
    const text = 'x = "é😀"\nsmile = f("😀", 2)  # 😀\nclass A: pass\n';
    const nodes = parser.parse(text).nodes.flatMap((node) => [...descendants(node)]);
    expect(nodes.length).toBeGreaterThan(10);
    for (const node of nodes) expect(text.slice(node.start, node.end)).toBe(node.text);
    expect(nodes.filter(({ type }) => type === "integer").map(({ text }) => text)).toEqual(["2"]);
  });

  it("takes over the statements that an edit leaves as they were, and moves them", () => {
    const before = parser.parse("a = 1\n\nclass B:\n    x = 1\n\nclass C:\n    y = 2\n");
    const [, b, c] = before.nodes;
    const text = "a = 1\n\nclass B:\n    x = 1000\n\nclass C:\n    y = 2\n";
    const after = parser.parse(text, before);
    expect(after.nodes[1]).not.toBe(b);
    expect(after.nodes[2]).toBe(c);
    expect(after.nodes[2]!.start).toBe(text.indexOf("class C"));
  });

  it.each([
    ["if a:\n    b\n", "if a:\n    b\nelse:\n    c\n"],
    ["if a:\n    b\nd\n", "if a:\n    b\nelse:\n    c\nd\n"],
    ["class A:\n    x = 1\n", "class A:\n    x = 1\n    y = 2\n"],
    ["@a\nx = f(1)\ny\n", "@a\n@b\nx = f(1)\ny\n"],
    ["x = (1)\ny\n", "x = (1\ny\n"],
    ["x = 1\ny = 2\nz = 3\n", "x = 1\n'''\ny = 2\nz = 3\n"],
  ])("reads %j edited to %j as if it were new", (text, edited) => {
    expect(outline(parser.parse(edited, parser.parse(text)))).toBe(outline(parser.parse(edited)));
    expect(outline(parser.parse(text, parser.parse(edited)))).toBe(outline(parser.parse(text)));
  });

  it("reads broken code as far as it is whole", () => {
    const { nodes } = parser.parse(
      "class A:\n    def f(self:\n        x = (1,\n\nclass B:\n    pass\n",
    );
    expect(nodes.at(-1)!.type).toBe("class_definition");
    expect(nodes.at(-1)!.isInBrokenStatement).toBe(false);
    expect(nodes[0]!.isInBrokenStatement).toBe(true);
  });

  it.each([
    ["deep brackets", "(".repeat(20_000)],
    ["deep calls", `${"f(".repeat(3000)}1${")".repeat(3000)}`],
    ["deep indentation", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}if x:\n`).join("")],
    ["a long chain", `x = a${".b".repeat(20_000)}`],
    ["a long sum", `x = 1${" + 1".repeat(20_000)}`],
    ["an unfinished string", 'x = """\nclass A: pass\n'],
    ["control characters", "\u0000\u0001\ufeff\ud800 = \udc00\r\r\n\f"],
    ["nothing", ""],
  ])("survives %s", (_name, text) => {
    const module = readModule(parser.parse(text));
    expect(normSites(module)).toEqual([]);
  });

  it("reads a text that is too long to be a model as an empty file", () => {
    expect(parser.parse("x = 1\n".repeat(700_000)).nodes).toEqual([]);
  });

  it("gives way while it parses, and gives the same", async () => {
    const text = allStyles.huggingFace.repeat(20);
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    const sliced = await parser.parseInSlices(text, undefined, undefined, new SliceClock(0));
    clearInterval(count);
    expect(turns).toBeGreaterThan(3);
    expect(outline(sliced!)).toBe(outline(parser.parse(text)));
  });

  it("may be stopped", async () => {
    const stop = new AbortController();
    const pending = parser.parseInSlices(
      allStyles.timm.repeat(50),
      undefined,
      stop.signal,
      new SliceClock(0),
    );
    stop.abort();
    expect(await pending).toBeUndefined();
  });
});

describe("cutting into statements", () => {
  const cut = (text: string): string[] =>
    cutIntoStatements(text).map(({ start, end }) => text.slice(start, end));

  it.each([
    ["a = 1\nb = 2\n", ["a = 1\n", "b = 2\n"]],
    ["# note\n\nimport torch\n", ["# note\n\n", "import torch\n"]],
    ["@a\n@b(\n1\n)\nclass C:\n  x = 1\nd = 2", ["@a\n@b(\n1\n)\nclass C:\n  x = 1\n", "d = 2"]],
    [
      "if a:\n  b\nelif c:\n  d\nelse:\n  e\nf\n",
      ["if a:\n  b\nelif c:\n  d\nelse:\n  e\n", "f\n"],
    ],
    ["try:\n  a\nexcept E:\n  b\nfinally:\n  c\n", ["try:\n  a\nexcept E:\n  b\nfinally:\n  c\n"]],
    ["x = [\n1,\n2\n]\ny\n", ["x = [\n1,\n2\n]\n", "y\n"]],
    ["x = '''\nclass A:\n'''\ny\n", ["x = '''\nclass A:\n'''\n", "y\n"]],
    ['x = "#("\ny\n', ['x = "#("\n', "y\n"]],
    ["x = 'it\\'s ('\ny\n", ["x = 'it\\'s ('\n", "y\n"]],
    ['"""a \\""" b\nc"""\ny\n', ['"""a \\""" b\nc"""\n', "y\n"]],
    ["x = 1 + \\\n2\ny\n", ["x = 1 + \\\n2\n", "y\n"]],
    ["x = f(\ndef g(): pass\n", ["x = f(\n", "def g(): pass\n"]],
    ["a = 1\r\nb = 2\r\n", ["a = 1\r\n", "b = 2\r\n"]],
  ])("%j", (text, statements) => {
    expect(cut(text)).toEqual(statements);
  });

  it("loses nothing, whatever the text", () => {
    fc.assert(
      fc.property(pythonish, (text) => {
        expect(cut(text).join("")).toBe(text);
      }),
    );
  });
});

describe("after arbitrary edits", () => {
  it("the sites are those of a fresh parse", () => {
    fc.assert(
      fc.property(start, fc.array(edit, { maxLength: 8 }), (text, edits) => {
        let source = parser.parse(text);
        for (const { at, remove, insert } of edits) {
          const from = Math.floor(at * source.text.length);
          const next = source.text.slice(0, from) + insert + source.text.slice(from + remove);
          source = parser.parse(next, source);
          const fresh = parser.parse(next);
          expect(outline(source)).toBe(outline(fresh));
          expect(sites(source)).toEqual(sites(fresh));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("nothing throws, and matching ends", () => {
    fc.assert(
      fc.property(pythonish, (text) => {
        const module = readModule(parser.parse(text));
        const file = { path: "a.py", module, sites: normSites(module) };
        expect(matchNorms([file], huggingFacePaths).matches.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 150 },
    );
  });
});

const fragments = [
  ...['"""', "'", '"', "(", ")", "[", "]", "{", ":", "\n", "\n    ", "\n        ", "\\", "#", "@"],
  ...["class A(nn.Module):", "def __init__(self, x):", "self.ln = nn.LayerNorm(4)", "self", "😀"],
  ...["self.layers.append(A())", "import torch.nn as nn", "else:", "for i in range(3):", "\r\n"],
  ...["x = y", "nn.ModuleList([A() for _ in x])", "F.rms_norm(x)", ", ", " = ", "Norm", "lambda: "],
];

const pythonish = fc
  .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 3 })), { maxLength: 40 })
  .map((parts) => parts.join(""));

const start = fc.oneof(
  fc.constantFrom(...Object.values(allStyles)),
  fc.constant(Object.values(allStyles).join("\n")),
);

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(400)),
  insert: fc.oneof(fc.constant(""), fc.constantFrom(...fragments), pythonish),
});

/** Every node with its place. */
function outline(source: PythonSource): string {
  return source.nodes
    .flatMap((node) => [...descendants(node)])
    .map(({ type, field, start, end }) => `${type}:${field ?? ""}@${start}-${end}`)
    .join("\n");
}

function sites(source: PythonSource): unknown[] {
  return normSites(readModule(source)).map(({ node, owner, attribute, kind, how, qualified }) => {
    return [node.start, node.end, owner?.name, attribute, kind, how, qualified];
  });
}
