/**
 * The English texts that the sources hand to `vscode.l10n.t`, and outside of the editor's API to `t` of
 * @vscode/l10n, as the bundle that translators start from.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { root, Stop } from "./process.mjs";

export const bundleFile = path.join("l10n", "bundle.l10n.json");

/** @returns the content of the bundle; throws a Stop that names each call which it cannot take up */
export function bundleText() {
  const files = [...filesBelow("src"), ...filesBelow("webview")];
  const found = files.flatMap((file) => {
    const source = readFileSync(path.join(root, file), "utf8");
    return source.includes("l10n") ? messagesOf(file, source) : [];
  });
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
  const importsT = tree.statements.some(
    (one) => ts.isImportDeclaration(one) && one.moduleSpecifier.text === "@vscode/l10n",
  );
  const visit = (node) => {
    if (ts.isCallExpression(node) && isTranslation(node.expression, importsT)) {
      const [message, ...values] = node.arguments;
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      const place = `${file}:${line + 1}`;
      if (message === undefined || !ts.isStringLiteralLike(message)) {
        found.push({ problem: `${place}: the message is not a literal.` });
      } else if (!fits(holesOf(message.text), values)) {
        found.push({ problem: `${place}: the message has other holes than values.` });
      } else if (node.expression.getText() === "t" && !isAskedFor(node)) {
        found.push({ problem: `${place}: the message is looked up while the module loads.` });
      } else {
        found.push({ message: message.text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isTranslation(callee, importsT) {
  return /^(vscode\.)?l10n\.t$/.test(callee.getText()) || (importsT && callee.getText() === "t");
}

/** Within a function, or made with an instance: the language is told after the modules have loaded. */
function isAskedFor(node) {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at)) return true;
    if (ts.isPropertyDeclaration(at)) return !ts.getModifiers(at)?.some(isStatic);
  }
  return false;
}

function isStatic({ kind }) {
  return kind === ts.SyntaxKind.StaticKeyword;
}

/** `[0, 1]` of `{1} of {0}` */
function holesOf(message) {
  const holes = [...message.matchAll(/\{(\d+)\}/g)].map(([, hole]) => Number(hole));
  return [...new Set(holes)].sort((a, b) => a - b);
}

/** A hole for each value; a list that is spread may stand for as many as there are holes. */
function fits(holes, values) {
  if (holes.some((hole, n) => hole !== n)) return false;
  return values.some(ts.isSpreadElement)
    ? holes.length >= values.length
    : holes.length === values.length;
}

function filesBelow(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")));
}
