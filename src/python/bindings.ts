import type { SyntaxNode } from "./syntax";
import { holdsStatements, stringValue } from "./syntax";

/** Something is bound to a name or becomes part of what the name holds. */
export interface Binding {
  /**
   * The name and the way into it, without `self`: `["ln_1"]`, `["transformer", "ln_f"]`. `*` stands
   * for an element that is not told apart: `self.layers.append(…)` is `["layers", "*"]`.
   */
  readonly path: readonly string[];
  readonly value: SyntaxNode;
  readonly how: "assigned" | "appended" | "inserted" | "extended" | "registered";
  /** The assignment or the call. */
  readonly node: SyntaxNode;
  /** The method or function that does it. */
  readonly method: string;
  /** True inside an `if`, a `try` or a `match`: the object may be without it. */
  readonly isConditional: boolean;
  /** The `for` and `while` statements around it, from the outside. */
  readonly loops: readonly SyntaxNode[];
}

export interface BindingReader {
  /** Reads attributes of this name; of none, local names. */
  readonly self: string | undefined;
  readonly method: string;
  readonly into: Binding[];
}

const conditionalBlocks = new Set(["if_statement", "try_statement", "match_statement"]);

/** Reads the bindings in a body and the blocks in it, not those in definitions inside it. */
export function readBindings(
  node: SyntaxNode,
  reader: BindingReader,
  isConditional = false,
  loops: readonly SyntaxNode[] = [],
): void {
  switch (node.type) {
    case "class_definition":
    case "function_definition":
    case "decorated_definition":
      return;
    case "expression_statement": {
      const add = (
        path: readonly string[] | undefined,
        value: SyntaxNode | undefined,
        how: Binding["how"],
        at: SyntaxNode,
      ): void => {
        if (path === undefined || value === undefined) return;
        const { method, into } = reader;
        into.push({ path, value, how, node: at, method, isConditional, loops });
      };
      for (const child of node.children) {
        if (child.type === "assignment") readAssignment(child, reader, add);
        else if (child.type === "augmented_assignment") readAugmented(child, reader, add);
        else if (child.type === "call") readRegistration(child, reader, add);
      }
      return;
    }
    default: {
      if (!holdsStatements(node)) return;
      const isLoop = node.type === "for_statement" || node.type === "while_statement";
      const inner = isLoop ? [...loops, node] : loops;
      const isChoice = conditionalBlocks.has(node.type);
      for (const child of node.children) {
        readBindings(child, reader, isConditional || isChoice, inner);
      }
    }
  }
}

type Add = (
  path: readonly string[] | undefined,
  value: SyntaxNode | undefined,
  how: Binding["how"],
  at: SyntaxNode,
) => void;

function readAssignment(node: SyntaxNode, reader: BindingReader, add: Add): void {
  const left = node.child("left");
  let right = node.child("right");
  // `self.a = self.b = value`
  if (right?.type === "assignment") {
    readAssignment(right, reader, add);
    while (right?.type === "assignment") right = right.child("right");
  }
  if (left?.type === "pattern_list" || left?.type === "tuple_pattern") {
    const values =
      right?.type === "expression_list" || right?.type === "tuple" ? right.children : [];
    // `self.a, self.b = make()` gives no value that could be told apart.
    if (values.length !== left.children.length) return;
    for (const [index, target] of left.children.entries()) {
      add(targetPath(target, reader.self), values[index], "assigned", node);
    }
    return;
  }
  add(targetPath(left, reader.self), right, "assigned", node);
}

/** `self.layers += [Block()]` */
function readAugmented(node: SyntaxNode, reader: BindingReader, add: Add): void {
  if (node.child("operator")?.text !== "+=") return;
  add(targetPath(node.child("left"), reader.self), node.child("right"), "extended", node);
}

/** Calls that make something part of an object: `self.layers.append(Block())`. */
function readRegistration(call: SyntaxNode, reader: BindingReader, add: Add): void {
  const callee = call.child("function");
  const values = call.child("arguments")?.children ?? [];
  const [first, second, third] = values.map((value) =>
    value.type === "keyword_argument" ? value.child("value") : value,
  );
  if (callee?.type === "identifier" && callee.text === "setattr" && values.length === 3) {
    const object = targetPath(first, reader.self);
    if (object !== undefined) add([...object, keyOf(second)], third, "registered", call);
    return;
  }
  if (callee?.type !== "attribute") return;
  const object = targetPath(callee.child("object"), reader.self);
  if (object === undefined) return;
  switch (callee.child("attribute")?.text) {
    case "append":
      add([...object, "*"], first, "appended", call);
      return;
    case "insert":
      add([...object, "*"], second, "inserted", call);
      return;
    case "extend":
    case "update":
      add(object, first, "extended", call);
      return;
    case "add_module":
    case "register_module":
      add([...object, keyOf(first)], second, "registered", call);
      return;
    case undefined:
    default:
  }
}

/**
 * The path of `self.a.b`, `self.a["b"]` and `self.a[i]`, without `self`; an empty path is `self`.
 * Of a local name where there is no self.
 */
function targetPath(node: SyntaxNode | undefined, self: string | undefined): string[] | undefined {
  switch (node?.type) {
    case "identifier":
      if (self === undefined) return [node.text];
      return node.text === self ? [] : undefined;
    case "attribute": {
      const object = targetPath(node.child("object"), self);
      const name = node.child("attribute")?.text;
      return object === undefined || name === undefined ? undefined : [...object, name];
    }
    case "subscript": {
      const object = targetPath(node.child("value"), self);
      return object && [...object, keyOf(node.child("subscript"))];
    }
    case undefined:
    default:
      return undefined;
  }
}

/** The key that a subscript or a registration names; `*` where it is computed. */
export function keyOf(node: SyntaxNode | undefined): string {
  if (node?.type === "integer") return node.text;
  return stringValue(node) ?? "*";
}
