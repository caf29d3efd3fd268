import type { Node, Tree } from "web-tree-sitter";
import { Language, Parser } from "web-tree-sitter";
import type { Steps } from "./slices";
import { atOnce, inSlices, SliceClock } from "./slices";
import { cutIntoStatements } from "./statements";
import type { ParsedStatement, PlainNode, StatementPlace } from "./syntax";
import { SyntaxNode } from "./syntax";

/** Where the WebAssembly of tree-sitter and of its Python grammar lie. */
export interface WasmFiles {
  readonly treeSitter: string;
  readonly python: string;
}

/**
 * A Python file as it was parsed. A parse of a later text takes over the nodes of the statements
 * that are still there, and they move with the text; so the earlier source is of no use after it.
 */
export interface PythonSource {
  readonly text: string;
  /** The top-level nodes of the file, in order. */
  readonly nodes: readonly SyntaxNode[];
  /** What the nodes were made from; the next parse takes over what has not changed. */
  readonly statements: readonly PlacedStatement[];
}

interface PlacedStatement {
  readonly start: number;
  readonly parsed: ParsedStatement;
  /** What the nodes read their place from. */
  readonly place: StatementPlace;
  readonly nodes: readonly SyntaxNode[];
}

/** Longer text is generated, and not a model; it is read as an empty file. */
const longestText = 4_000_000;

/** Deeper code is not entered. Python itself refuses more than 100 levels of indentation. */
const deepestNode = 400;

/**
 * Parses Python. A file is parsed statement by statement, each by itself, and a statement whose
 * text has not changed is not parsed again. Broken source gives broken nodes, never an error.
 */
export class PythonParser {
  private constructor(private readonly grammar: Grammar) {}

  static async load(files: WasmFiles): Promise<PythonParser> {
    await Parser.init({ locateFile: () => files.treeSitter });
    return new PythonParser(new Grammar(await Language.load(files.python)));
  }

  /** @param previous the latest earlier state of the same file, if there is one; taken over */
  parse(text: string, previous?: PythonSource): PythonSource {
    return atOnce(parseInSteps(this.grammar, text, previous, () => false));
  }

  /**
   * The same, giving way to other work every few milliseconds.
   *
   * @returns undefined when `signal` was aborted
   */
  async parseInSlices(
    text: string,
    previous?: PythonSource,
    signal?: AbortSignal,
    clock = new SliceClock(),
  ): Promise<PythonSource | undefined> {
    return inSlices(parseInSteps(this.grammar, text, previous, clock.isOver), clock, signal);
  }
}

/** Yields where it may pause: when `isTimeOver`. */
function* parseInSteps(
  grammar: Grammar,
  text: string,
  previous: PythonSource | undefined,
  isTimeOver: () => boolean,
): Steps<PythonSource> {
  if (text.length > longestText) return emptySource(text);
  // A parser that was halted remembers where it was, so each run has its own.
  const parser = new Parser().setLanguage(grammar.language);
  try {
    const { head, tail, extents } = whatChanged(text, previous);
    const statements: PlacedStatement[] = [...head];
    for (const { start, end } of extents) {
      const parsed = yield* parseStatement(grammar, parser, text.slice(start, end), isTimeOver);
      statements.push(placeAt(parsed, start));
      if (isTimeOver()) yield;
    }
    for (const statement of tail.kept) {
      statements.push({ ...statement, start: statement.start + tail.shift });
    }
    for (const { start, place } of statements) place.start = start;
    return { text, statements, nodes: statements.flatMap(({ nodes }) => nodes) };
  } finally {
    parser.delete();
  }
}

/** Which of the previous statements stay, and where the others are cut. */
function whatChanged(text: string, previous: PythonSource | undefined) {
  const old = previous?.statements ?? [];
  const oldLength = previous?.text.length ?? 0;
  const head: PlacedStatement[] = [];
  let from = 0;
  for (const statement of old) {
    if (!text.startsWith(statement.parsed.text, statement.start)) break;
    head.push(statement);
    from = statement.start + statement.parsed.text.length;
  }
  // Where a statement ends depends on the one after it; the last may have grown.
  const last = head.pop();
  if (last !== undefined) from = last.start;
  const shift = text.length - oldLength;
  const unchangedEnds = new Map<number, number>();
  for (let index = old.length - 1; index >= head.length; index--) {
    const { start, parsed } = old[index]!;
    if (start + shift < from || !text.startsWith(parsed.text, start + shift)) break;
    unchangedEnds.set(start + shift, index);
  }
  const extents = cutIntoStatements(text, from, (start) => unchangedEnds.has(start));
  const resumed = unchangedEnds.get(extents.at(-1)?.end ?? from);
  return { head, extents, tail: { kept: resumed === undefined ? [] : old.slice(resumed), shift } };
}

function placeAt(parsed: ParsedStatement, start: number): PlacedStatement {
  const place = { start };
  const root = new SyntaxNode(parsed.root, parsed, place, undefined);
  return { start, parsed, place, nodes: root.children };
}

function emptySource(text: string): PythonSource {
  return { text, nodes: [], statements: [] };
}

function* parseStatement(
  grammar: Grammar,
  parser: Parser,
  text: string,
  isTimeOver: () => boolean,
): Steps<ParsedStatement> {
  let tree: Tree | null = null;
  // Asked for each few hundred tokens; where it answers true, the parser halts and gives no tree.
  const progressCallback = (): boolean => isTimeOver();
  while (tree === null) {
    tree = parser.parse(text, null, { progressCallback });
    if (tree === null) yield;
  }
  try {
    const root = yield* plainNodes(grammar, tree.rootNode, isTimeOver);
    return { text, root, hasError: tree.rootNode.hasError };
  } finally {
    tree.delete();
  }
}

/** Copies a tree out of WebAssembly, where asking for anything is slow. */
function* plainNodes(grammar: Grammar, root: Node, isTimeOver: () => boolean): Steps<PlainNode> {
  interface Growing extends PlainNode {
    readonly children: Growing[];
  }
  const top: Growing = {
    type: root.type,
    field: undefined,
    start: root.startIndex,
    end: root.endIndex,
    children: [],
  };
  // The nodes that the cursor is inside of.
  const path = [top];
  const cursor = root.walk();
  try {
    let count = 0;
    let hasNext = cursor.gotoFirstChild();
    while (hasNext) {
      if (++count % 512 === 0 && isTimeOver()) yield;
      const type = grammar.typeOf(cursor.nodeTypeId);
      const field = type === undefined ? undefined : grammar.fields[cursor.currentFieldId];
      // Punctuation has no name; an operator has none either, but it is a field.
      if (type !== undefined && (type.isNamed || typeof field === "string")) {
        const { startIndex: start, endIndex: end } = cursor;
        const node: Growing = {
          type: type.name,
          field: field ?? undefined,
          start,
          end,
          children: [],
        };
        path.at(-1)!.children.push(node);
        if (!type.isLeaf && path.length < deepestNode && cursor.gotoFirstChild()) {
          path.push(node);
          continue;
        }
      }
      hasNext = cursor.gotoNextSibling();
      while (!hasNext && path.length > 1) {
        path.pop();
        cursor.gotoParent();
        hasNext = cursor.gotoNextSibling();
      }
    }
    return top;
  } finally {
    cursor.delete();
  }
}

interface NodeType {
  readonly name: string;
  readonly isNamed: boolean;
  readonly isLeaf: boolean;
}

/** What could not be parsed. Its number is not among the grammar's types. */
const errorType: NodeType = { name: "ERROR", isNamed: true, isLeaf: false };
const errorTypeId = 0xffff;

/** The grammar's names by number, and what of it is kept. */
class Grammar {
  readonly fields: readonly (string | null)[];
  private readonly types: readonly (NodeType | undefined)[];

  constructor(readonly language: Language) {
    this.fields = language.fields;
    this.types = language.types.map((name, id) => {
      if (name === "comment" || name === "line_continuation") return undefined;
      const isNamed = language.nodeTypeIsNamed(id);
      return { name, isNamed, isLeaf: !isNamed || leafTypes.has(name) };
    });
  }

  /** Undefined for what is left out, with all below it. */
  typeOf(id: number): NodeType | undefined {
    return id === errorTypeId ? errorType : this.types[id];
  }
}

/** Nodes with nothing below them that a reader of models asks for. */
const leafTypes = new Set([
  "identifier",
  "integer",
  "float",
  "string",
  "true",
  "false",
  "none",
  "ellipsis",
  "pass_statement",
  "dotted_name",
]);
