import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import type { TextEdit } from "./outcome";
import { Refusal } from "./outcome";
import type { FunctionDefinition, ModuleFile } from "./program";
import { statementIn } from "./program";

/** Collects edits of several files; what is asked for twice is done once. */
export class EditList {
  private readonly known = new Map<string, TextEdit>();

  insert(module: ModuleFile, at: number, newText: string): void {
    this.replace(module, at, at, newText);
  }

  replace(module: ModuleFile, start: number, end: number, newText: string): void {
    const edit = { path: module.path, start, end, newText };
    this.known.set([edit.path, start, end, newText].join("\0"), edit);
  }

  /** In the order of the files and of their text. Insertions at one place keep their order. */
  sorted(files: readonly ModuleFile[]): TextEdit[] {
    const order = new Map(files.map(({ path }, index) => [path, index]));
    return [...this.known.values()].sort(
      (a, b) => order.get(a.path)! - order.get(b.path)! || a.start - b.start || a.end - b.end,
    );
  }
}

/** `norm(x)` → `norm(x) * self.ln_scale`, in brackets where the product would not hold together. */
export function multiply(
  edits: EditList,
  module: ModuleFile,
  call: SyntaxNode,
  factor: string,
): void {
  const needsBrackets = bindsTighter(call);
  if (needsBrackets) edits.insert(module, call.start, "(");
  edits.insert(module, call.end, ` * ${factor}${needsBrackets ? ")" : ""}`);
}

/**
 * `net(x)` → `net[1:](net[0](x) * self.ln_scale)`: an nn.Sequential whose first element is a norm
 * is called in two parts.
 */
export function multiplyFirst(
  edits: EditList,
  module: ModuleFile,
  call: SyntaxNode,
  factor: string,
): void {
  const callee = call.child("function")!;
  const given = call.child("arguments")!.children[0]!;
  edits.insert(module, callee.end, "[1:]");
  edits.insert(module, given.start, `${callee.text}[0](`);
  edits.insert(module, given.end, `) * ${factor}`);
}

/** Whether what stands around an expression binds it more tightly than `*` does. */
function bindsTighter(node: SyntaxNode): boolean {
  const { parent } = node;
  if (parent === undefined) return false;
  switch (parent.type) {
    case "attribute":
    case "subscript":
    case "call":
      return /^(object|value|function)$/.test(node.field ?? "");
    case "await":
      return true;
    case "binary_operator": {
      const operator = parent.child("operator")?.text ?? "";
      if (operator === "**") return true;
      return node.field === "right" && /^(\*|\/|\/\/|%|@)$/.test(operator);
    }
    default:
      return false;
  }
}

/** Adds `layer_idx=layer_idx` to a call, laid out as its arguments are. */
export function addArgument(
  edits: EditList,
  module: ModuleFile,
  call: SyntaxNode,
  text: string,
): void {
  const list = call.child("arguments");
  if (list?.type !== "argument_list") {
    throw new Refusal(
      "unclear-construction",
      t("A constructor is called with a generator: {0}", call.text),
    );
  }
  addToList(edits, module, list, list.children, text);
}

/**
 * Adds a required parameter to a function: after the last one where none has a default, else by
 * keyword only, so that no position changes its meaning.
 */
export function addParameter(edits: EditList, method: FunctionDefinition, name: string): void {
  const list = method.node.child("parameters")!;
  const { parameters, module } = method;
  const isAnnotated = parameters.some(({ annotation }) => annotation !== undefined);
  const text = isAnnotated ? `${name}: int` : name;
  const last = list.children.at(-1)!;
  const isKeywordOnly =
    parameters.some(({ kind }) => kind === "variadic") ||
    list.children.some(({ type }) => type === "keyword_separator");
  const needsStar = !isKeywordOnly && parameters.some((one) => one.default !== undefined);
  const full = needsStar ? `*, ${text}` : text;
  const splat = parameters.find(({ kind }) => kind === "keywords");
  if (splat === undefined) {
    addToList(edits, module, list, list.children, full, needsStar ? ["*", text] : [text]);
    return;
  }
  // A parameter goes before **kwargs, on a line of its own where that has one.
  const lineStart = module.text.lastIndexOf("\n", last.start) + 1;
  const before = module.text.slice(lineStart, last.start);
  const separator = /^\s*$/.test(before) ? `,${lineBreak(module)}${before}` : ", ";
  edits.insert(module, last.start, (needsStar ? ["*", text] : [text]).join(separator) + separator);
}

/** Appends to what stands in brackets. A list with one item to a line gets another line. */
function addToList(
  edits: EditList,
  module: ModuleFile,
  list: SyntaxNode,
  items: readonly SyntaxNode[],
  text: string,
  lines: readonly string[] = [text],
): void {
  const last = items.at(-1);
  const close = list.end - 1;
  if (last === undefined) {
    edits.insert(module, list.start + 1, text);
    return;
  }
  const { text: source } = module;
  const rest = source.slice(last.end, close);
  const lineStart = source.lastIndexOf("\n", last.start) + 1;
  const indentation = /^[ \t]*/.exec(source.slice(lineStart))![0];
  const isAlone = lineStart + indentation.length === last.start && lineStart > list.start;
  const comma = commaIn(rest);
  if (!isAlone || !rest.includes("\n")) {
    edits.insert(module, last.end, `, ${text}`);
    return;
  }
  // After the line of the last item, with the comment that may end it.
  const lineEnd = endOfLine(source, comma === undefined ? last.end : last.end + comma + 1);
  if (comma === undefined) edits.insert(module, last.end, ",");
  const added = lines.map((line) => `${lineBreak(module)}${indentation}${line}`).join(",");
  edits.insert(module, lineEnd, comma === undefined ? added : `${added},`);
}

/** Where a comma stands outside comments. */
function commaIn(rest: string): number | undefined {
  const match = /^(?:\s|#.*|\\\r?\n)*,/.exec(rest);
  return match === null ? undefined : match[0].length - 1;
}

/** Adds a statement after another of the same block; each tab at the start of a line is one level deeper. */
export function addStatement(
  edits: EditList,
  module: ModuleFile,
  block: SyntaxNode,
  after: SyntaxNode,
  lines: readonly [string, ...string[]],
): void {
  const { text: source } = module;
  const statement = statementIn(block, after);
  const lineStart = source.lastIndexOf("\n", statement.start) + 1;
  const indentation = source.slice(lineStart, statement.start);
  if (/\S/.test(indentation)) {
    // def __init__(self): super().__init__(); self.norm = …
    if (lines.length > 1) {
      throw new Refusal(
        "unclear-construction",
        t("Several statements share a line: {0}", statement.text),
      );
    }
    edits.insert(module, block.children.at(-1)!.end, `; ${lines[0]}`);
    return;
  }
  const step = indentation.includes("\t") ? "\t" : "    ";
  const added = lines.map(
    (line) => indentation + line.replace(/^\t*/, (tabs) => step.repeat(tabs.length)),
  );
  const end = lineBreak(module);
  edits.insert(module, endOfLine(source, statement.end), end + added.join(end));
}

/** Adds an attribute of the class itself, before its methods. */
export function addClassAttribute(
  edits: EditList,
  module: ModuleFile,
  body: SyntaxNode,
  line: string,
): void {
  const { text: source } = module;
  const first = body.children.find(({ type }) => /^(decorated|function)_definition$/.test(type));
  const lineStart = first === undefined ? 0 : source.lastIndexOf("\n", first.start) + 1;
  const indentation = first === undefined ? "?" : source.slice(lineStart, first.start);
  if (/\S/.test(indentation)) {
    throw new Refusal("unclear-construction", t("A class is written on one line."));
  }
  const end = lineBreak(module);
  edits.insert(module, startOfComments(source, lineStart), `${indentation}${line}${end}${end}`);
}

/** Gives a class that inherits its constructor one that passes everything on. */
export function addConstructor(
  edits: EditList,
  module: ModuleFile,
  body: SyntaxNode,
  index: string,
  statement: string,
): void {
  const { text: source } = module;
  const methods = body.children.filter(({ type }) =>
    /^(decorated|function)_definition$/.test(type),
  );
  const next = methods[0] ?? body.children.at(-1)!;
  const lineStart = source.lastIndexOf("\n", next.start) + 1;
  const indentation = source.slice(lineStart, next.start);
  if (/\S/.test(indentation)) {
    throw new Refusal("unclear-construction", t("A class is written on one line."));
  }
  const step = indentation.includes("\t") ? "\t" : indentation;
  const lines = [
    `def __init__(self, *args, ${index}, **kwargs):`,
    `${step}super().__init__(*args, **kwargs)`,
    `${step}${statement}`,
  ].map((line) => indentation + line);
  const end = lineBreak(module);
  if (methods.length > 0) {
    // Comments above a method stay with it.
    edits.insert(module, startOfComments(source, lineStart), `${lines.join(end)}${end}${end}`);
  } else {
    edits.insert(module, endOfLine(source, next.end), `${end}${end}${lines.join(end)}`);
  }
}

function startOfComments(source: string, lineStart: number): number {
  let start = lineStart;
  while (start > 0) {
    const previous = source.lastIndexOf("\n", start - 2) + 1;
    if (!/^[ \t]*#/.test(source.slice(previous, start))) return start;
    start = previous;
  }
  return start;
}

/** The end of a line, before its line break. */
function endOfLine(source: string, from: number): number {
  const found = source.indexOf("\n", from);
  const end = found === -1 ? source.length : found;
  return source[end - 1] === "\r" && end > from ? end - 1 : end;
}

function lineBreak({ text }: ModuleFile): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
