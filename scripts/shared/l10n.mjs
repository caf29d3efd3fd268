/** The English strings that the sources hand to `vscode.l10n.t`, as the bundle that translators start from. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { root, Stop } from "./process.mjs";

export const bundleFile = path.join("l10n", "bundle.l10n.json");

/** @returns the content of the bundle; throws a Stop that names each call which it cannot take up */
export function bundleText() {
  const files = ["src/extension.ts", ...filesBelow("src/host")];
  const found = files.flatMap((file) =>
    messagesOf(file, readFileSync(path.join(root, file), "utf8")),
  );
  const problems = found.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) throw new Stop(problems.join("\n"));
  // By code units, so that every machine writes the same file.
  const messages = [...new Set(found.map(({ message }) => message))].sort();
  const bundle = Object.fromEntries(messages.map((message) => [message, message]));
  return `${JSON.stringify(bundle, null, 2)}\n`;
}

/**
 * The calls in one file. At run time a message is looked up by its text, so only a literal can be
 * translated; and a hole without a value, or a value without a hole, is a mistake.
 */
export function messagesOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && isTranslation(node.expression)) {
      const [message, ...values] = node.arguments;
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      const place = `${file}:${line + 1}`;
      if (message === undefined || !ts.isStringLiteralLike(message)) {
        found.push({ problem: `${place}: the message is not a literal.` });
      } else if (holesOf(message.text) !== values.map((_, n) => n).join()) {
        found.push({ problem: `${place}: the message has other holes than values.` });
      } else {
        found.push({ message: message.text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isTranslation(callee) {
  return /^(vscode\.)?l10n\.t$/.test(callee.getText());
}

/** `0,1` of `{1} of {0}` */
function holesOf(message) {
  const holes = [...message.matchAll(/\{(\d+)\}/g)].map(([, hole]) => Number(hole));
  return [...new Set(holes)].sort((a, b) => a - b).join();
}

function filesBelow(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")));
}
