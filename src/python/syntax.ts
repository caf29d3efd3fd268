/**
 * A node of one statement's syntax tree as plain data. Offsets count UTF-16 code units from the
 * beginning of the statement, so the tree serves wherever the statement moves to.
 */
export interface PlainNode {
  /** The grammar's name of the node, such as `call`; see tree-sitter-python's node-types.json. */
  readonly type: string;
  /** What the node is to its parent, such as `function` or `arguments`. */
  readonly field: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly children: readonly PlainNode[];
}

/** A top-level statement (with what follows it up to the next) as it was parsed. */
export interface ParsedStatement {
  readonly text: string;
  /** The tree's root, of type `module`. */
  readonly root: PlainNode;
  readonly hasError: boolean;
}

/** Where a statement begins in its file. It moves when text before it comes or goes. */
export interface StatementPlace {
  start: number;
}

/**
 * A node of a file's syntax tree, at its place in the file. Comments and punctuation are left out;
 * operators are in where the grammar names them as a field. Strings have no children.
 */
export class SyntaxNode {
  private childNodes: readonly SyntaxNode[] | undefined;

  constructor(
    private readonly plain: PlainNode,
    private readonly statement: ParsedStatement,
    private readonly place: StatementPlace,
    /** Undefined for the root that holds a top-level statement. */
    readonly parent: SyntaxNode | undefined,
  ) {}

  get type(): string {
    return this.plain.type;
  }

  /** What the node is to its parent, such as `function` or `arguments`. */
  get field(): string | undefined {
    return this.plain.field;
  }

  /** Offset in the file, in UTF-16 code units. */
  get start(): number {
    return this.place.start + this.plain.start;
  }

  get end(): number {
    return this.place.start + this.plain.end;
  }

  get text(): string {
    return this.statement.text.slice(this.plain.start, this.plain.end);
  }

  /** True when the top-level statement that holds this node has a syntax error somewhere. */
  get isInBrokenStatement(): boolean {
    return this.statement.hasError;
  }

  get children(): readonly SyntaxNode[] {
    this.childNodes ??= this.plain.children.map(
      (child) => new SyntaxNode(child, this.statement, this.place, this),
    );
    return this.childNodes;
  }

  /** The first child that is `field` to this node. */
  child(field: string): SyntaxNode | undefined {
    return this.children.find((child) => child.field === field);
  }
}

/** All nodes below `node`, and itself, from first to last; not below those that `enter` refuses. */
export function* descendants(
  node: SyntaxNode,
  enter: (node: SyntaxNode) => boolean = () => true,
): Generator<SyntaxNode> {
  yield node;
  if (!enter(node)) return;
  for (const child of node.children) yield* descendants(child, enter);
}

/** A name or a chain of attributes, such as `nn.LayerNorm`; undefined for anything else. */
export function dottedName(node: SyntaxNode | undefined): string | undefined {
  switch (node?.type) {
    case "identifier":
    case "dotted_name":
      return node.text;
    case "attribute": {
      const object = dottedName(node.child("object"));
      const name = node.child("attribute")?.text;
      return object === undefined || name === undefined ? undefined : `${object}.${name}`;
    }
    case "parenthesized_expression":
      return dottedName(node.children[0]);
    case undefined:
    default:
      return undefined;
  }
}

/** The text of a plain string literal; undefined for f-strings, bytes and anything else. */
export function stringValue(node: SyntaxNode | undefined): string | undefined {
  if (node?.type !== "string") return undefined;
  return /^[rRuU]?("""|'''|"|')([^\\]*)\1$/.exec(node.text)?.[2];
}

/** What a call hands over. */
export interface CallArguments {
  readonly positional: readonly SyntaxNode[];
  /** Values by keyword. */
  readonly keywords: ReadonlyMap<string, SyntaxNode>;
  /** True with `*args` or `**kwargs`: then more may be handed over than is listed. */
  readonly hasSplat: boolean;
}

/** The arguments of a `call`; none for anything else. */
export function callArguments(call: SyntaxNode): CallArguments {
  const positional: SyntaxNode[] = [];
  const keywords = new Map<string, SyntaxNode>();
  let hasSplat = false;
  const list = call.child("arguments");
  // `list(x for x in y)`: the grammar gives the generator in place of the list.
  const nodes = list?.type === "generator_expression" ? [list] : (list?.children ?? []);
  for (const node of nodes) {
    if (node.type === "keyword_argument") {
      const [name, value] = [node.child("name"), node.child("value")];
      if (name !== undefined && value !== undefined) keywords.set(name.text, value);
    } else if (node.type === "list_splat" || node.type === "dictionary_splat") {
      hasSplat = true;
      if (node.type === "list_splat") positional.push(node);
    } else if (node.type !== "ERROR") {
      positional.push(node);
    }
  }
  return { positional, keywords, hasSplat };
}

const statementHolders = new Set([
  "decorated_definition",
  "class_definition",
  "function_definition",
  "import_statement",
  "import_from_statement",
  "if_statement",
  "elif_clause",
  "else_clause",
  "try_statement",
  "except_clause",
  "finally_clause",
  "with_statement",
  "for_statement",
  "while_statement",
  "match_statement",
  "case_clause",
  "block",
  // What stands in a broken piece of code may still be whole.
  "ERROR",
]);

/** True for statements that may hold others, and for the clauses and blocks in them. */
export function holdsStatements(node: SyntaxNode): boolean {
  return statementHolders.has(node.type);
}
