import type { Binding } from "./bindings";
import { keyOf } from "./bindings";
import type { PythonClass, PythonFunction } from "./module";
import { partialOf } from "./module";
import type { SyntaxNode } from "./syntax";
import { callArguments, dottedName, stringValue } from "./syntax";

/** What a class has as a part, by the path under which a checkpoint would name it. */
export type Member = Construction | Handed;

/** A part that the class constructs. */
export interface Construction {
  readonly kind: "constructed";
  /** `["input_layernorm"]`, `["transformer", "h", "*"]`; `*` is any element of a list. */
  readonly path: readonly string[];
  readonly call: SyntaxNode;
  /** As written, such as `nn.LayerNorm`. */
  readonly callee: string;
  readonly binding: Binding;
  readonly isConditional: boolean;
}

/** A part that was handed to the constructor: `self.fn = fn`. */
export interface Handed {
  readonly kind: "handed";
  readonly path: readonly string[];
  readonly parameter: string;
  readonly isConditional: boolean;
}

const knownMembers = new WeakMap<PythonClass, readonly Member[]>();

/** The parts that the methods of a class give to its objects, in order. */
export function membersOf(definition: PythonClass): readonly Member[] {
  let members = knownMembers.get(definition);
  if (members === undefined) {
    members = withPlaces(definition.attributes).flatMap((binding) => {
      const method = definition.methods.find(({ name }) => name === binding.method);
      return method === undefined || binding.path.length === 0 ? [] : readMember(binding, method);
    });
    knownMembers.set(definition, members);
  }
  return members;
}

/**
 * Appended elements with their places in the list, as far as they are certain: up to the first that
 * is appended in a loop or only sometimes.
 */
function withPlaces(bindings: readonly Binding[]): Binding[] {
  const lengths = new Map<string, number>();
  return bindings.map((binding) => {
    const list = binding.path.slice(0, -1);
    const name = `${binding.method}:${list.join(".")}`;
    if (binding.how === "assigned" || binding.how === "registered") {
      const isEmpty = /^[\w.]*(?:\(\s*(?:\[\s*\]|\(\s*\))?\s*\)|\[\s*\])$/.test(binding.value.text);
      lengths.set(`${binding.method}:${binding.path.join(".")}`, isEmpty ? 0 : NaN);
      return binding;
    }
    if (binding.how !== "appended") {
      lengths.set(
        binding.how === "inserted" ? name : `${binding.method}:${binding.path.join(".")}`,
        NaN,
      );
      return binding;
    }
    const isCertain = binding.loops.length === 0 && !binding.isConditional;
    const place = isCertain ? (lengths.get(name) ?? NaN) : NaN;
    lengths.set(name, place + 1);
    return Number.isNaN(place) ? binding : { ...binding, path: [...list, String(place)] };
  });
}

/** The parts that a value written in `method` makes, at paths below `path`. */
export function partsOf(
  value: SyntaxNode,
  path: readonly string[],
  binding: Binding,
  method: PythonFunction,
): readonly Member[] {
  const reader = new PartReader(binding, method);
  reader.place(value, path, binding.isConditional);
  return reader.members;
}

function readMember(binding: Binding, method: PythonFunction): readonly Member[] {
  const reader = new PartReader(binding, method);
  if (binding.how === "extended") {
    reader.placeContents(binding.value, binding.path, binding.isConditional);
  } else {
    reader.place(binding.value, binding.path, binding.isConditional);
  }
  return reader.members;
}

/** Containers whose elements have paths of their own, and the builtins that go before them. */
const containers = new Set([
  ...["ModuleList", "ModuleDict", "Sequential", "List", "Dict"],
  ...["list", "tuple", "dict", "OrderedDict", "reversed"],
]);

/** Functions that give copies of what they are given, in a list. */
const repeaters = /clone|repeat|replicate|copies|stack/i;

/** Local names lead to local names; a value is followed this deep, and over this many steps. */
const deepest = 24;
const mostSteps = 2000;

class PartReader {
  readonly members: Member[] = [];
  private depth = 0;
  private steps = 0;

  constructor(
    private readonly binding: Binding,
    private readonly method: PythonFunction,
  ) {}

  /** A value that stands at `path`. */
  place(value: SyntaxNode, path: readonly string[], isConditional: boolean): void {
    if (this.enter()) this.placeValue(value, path, isConditional);
    this.depth--;
  }

  /** A collection whose elements stand below `path`. */
  placeContents(value: SyntaxNode, path: readonly string[], isConditional: boolean): void {
    if (this.enter()) this.placeElements(value, path, isConditional);
    this.depth--;
  }

  private enter(): boolean {
    return ++this.depth <= deepest && ++this.steps <= mostSteps;
  }

  private placeValue(value: SyntaxNode, path: readonly string[], isConditional: boolean): void {
    switch (value.type) {
      case "call":
        this.placeCall(value, path, isConditional);
        return;
      case "identifier": {
        const bindings = this.localsNamed(value.text);
        for (const local of bindings) {
          const inner = [...path, ...local.path.slice(1)];
          const isUncertain = isConditional || local.isConditional || bindings.length > 1;
          if (local.how === "extended") this.placeContents(local.value, inner, isUncertain);
          else this.place(local.value, inner, isUncertain);
        }
        if (bindings.length === 0 && this.isParameter(value.text)) {
          this.members.push({ kind: "handed", path, parameter: value.text, isConditional });
        }
        return;
      }
      case "parenthesized_expression":
        for (const child of value.children) this.place(child, path, isConditional);
        return;
      case "named_expression": {
        const named = value.child("value");
        if (named !== undefined) this.place(named, path, isConditional);
        return;
      }
      case "conditional_expression": {
        const [whenTrue, , whenFalse] = value.children;
        for (const choice of [whenTrue, whenFalse]) {
          if (choice !== undefined) this.place(choice, path, true);
        }
        return;
      }
      case "boolean_operator":
        for (const side of ["left", "right"]) {
          const operand = value.child(side);
          if (operand !== undefined) this.place(operand, path, true);
        }
        return;
      case "lambda": {
        const body = value.child("body");
        if (body !== undefined) this.place(body, path, isConditional);
        return;
      }
      default:
        this.placeContents(value, path, isConditional);
    }
  }

  private placeElements(value: SyntaxNode, path: readonly string[], isConditional: boolean): void {
    const each = [...path, "*"];
    switch (value.type) {
      case "list":
      case "tuple":
      case "set":
      case "expression_list":
        this.placeList(value.children, path, isConditional);
        return;
      case "list_splat":
      case "parenthesized_expression":
        for (const child of value.children) this.placeContents(child, path, isConditional);
        return;
      case "list_comprehension":
      case "set_comprehension":
      case "generator_expression": {
        const body = value.child("body");
        if (body !== undefined) this.place(body, each, isConditional);
        return;
      }
      case "dictionary":
        for (const child of value.children) {
          const [key, element] = [child.child("key"), child.child("value")];
          if (child.type === "dictionary_splat") {
            for (const splat of child.children) this.placeContents(splat, path, isConditional);
          } else if (element !== undefined) {
            this.place(element, [...path, keyOf(key)], isConditional);
          }
        }
        return;
      case "dictionary_comprehension": {
        const element = value.child("body")?.child("value");
        if (element !== undefined) this.place(element, each, isConditional);
        return;
      }
      case "binary_operator": {
        // `[Block()] * 12` and `[Block()] + blocks`: the places shift.
        const from = this.members.length;
        for (const side of ["left", "right"]) {
          const operand = value.child(side);
          if (operand !== undefined) this.placeContents(operand, path, isConditional);
        }
        for (const [index, member] of this.members.entries()) {
          if (index < from || member.path.length <= path.length) continue;
          const shifted = [...each, ...member.path.slice(each.length)];
          this.members[index] = { ...member, path: shifted };
        }
        return;
      }
      case "conditional_expression": {
        const [whenTrue, , whenFalse] = value.children;
        for (const choice of [whenTrue, whenFalse]) {
          if (choice !== undefined) this.placeContents(choice, path, true);
        }
        return;
      }
      case "identifier":
        for (const local of this.localsNamed(value.text)) {
          const inner = [...path, ...local.path.slice(1)];
          const isUncertain = isConditional || local.isConditional;
          if (local.path.length === 1) this.placeContents(local.value, inner, isUncertain);
          else this.place(local.value, inner, isUncertain);
        }
        return;
      case "call": {
        if (containers.has(lastName(calleeOf(value) ?? ""))) {
          this.placeCall(value, path, isConditional);
        } else if (!isClassLike(calleeOf(value) ?? "")) {
          this.placeCall(value, each, isConditional);
        }
        return;
      }
    }
  }

  private placeList(
    elements: readonly SyntaxNode[],
    path: readonly string[],
    isConditional: boolean,
  ): void {
    const pairs = elements.map(keyAndValue);
    if (pairs.length > 0 && pairs.every((pair) => pair !== undefined)) {
      for (const { key, value } of pairs) this.place(value, [...path, key], isConditional);
      return;
    }
    // After `*blocks` the places are not known.
    const splat = elements.findIndex(({ type }) => type === "list_splat");
    for (const [index, element] of elements.entries()) {
      const key = splat === -1 || index < splat ? String(index) : "*";
      if (element.type === "list_splat") this.placeContents(element, path, isConditional);
      else this.place(element, [...path, key], isConditional);
    }
  }

  private placeCall(call: SyntaxNode, path: readonly string[], isConditional: boolean): void {
    const made = call.child("function");
    // `nn.LayerNorm(size).to(device)`
    const object = made?.type === "attribute" ? made.child("object") : undefined;
    if (object?.type === "call") {
      this.place(object, path, isConditional);
      return;
    }
    const callee = calleeOf(call);
    if (callee === undefined || partialOf(call) !== undefined) return;
    const name = lastName(callee);
    const { positional, keywords } = callArguments(call);
    const [first] = positional;
    if (containers.has(name)) {
      const isOne = positional.length === 1 && first !== undefined;
      if (isOne && (name !== "Sequential" || isCollection(first))) {
        this.placeContents(first, path, isConditional);
      } else {
        this.placeList(positional, path, isConditional);
      }
      for (const [key, value] of keywords) this.place(value, [...path, key], isConditional);
      return;
    }
    if (name === "map" && first !== undefined) {
      this.place(first, path.at(-1) === "*" ? path : [...path, "*"], isConditional);
      return;
    }
    const { binding } = this;
    this.members.push({ kind: "constructed", path, call, callee, binding, isConditional });
    if (isClassLike(callee)) return;
    // A function may hand back what it is given: `torch.compile(Block())`, `clones(layer, 12)`.
    const inner = repeaters.test(name) && path.at(-1) !== "*" ? [...path, "*"] : path;
    for (const value of [...positional, ...keywords.values()]) {
      const given = value.type === "identifier" ? this.localsNamed(value.text) : [];
      if (value.type !== "identifier" || given.length > 0) this.place(value, inner, isConditional);
    }
  }

  private localsNamed(name: string): readonly Binding[] {
    return this.method.locals.filter(({ path, value }) => path[0] === name && value.text !== name);
  }

  private isParameter(name: string): boolean {
    return this.method.parameters.some((parameter) => parameter.name === name);
  }
}

/** The name that a call calls, as written; of `norms[kind](size)` and `norm_of(kind)(size)`, the inner name. */
export function calleeOf(call: SyntaxNode): string | undefined {
  const made = call.child("function");
  switch (made?.type) {
    case "subscript":
      return dottedName(made.child("value"));
    case "call":
      return dottedName(made.child("function"));
    case undefined:
    default:
      return dottedName(made);
  }
}

export function lastName(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf(".") + 1);
}

/** `Block`, `nn.LayerNorm`, and also `LayerNorm.build`: a class or what a class makes. */
function isClassLike(callee: string): boolean {
  return callee
    .split(".")
    .slice(-2)
    .some((name) => /^_*[A-Z]/.test(name));
}

/** False for what may be one element: `nn.Sequential(block)`. */
function isCollection(node: SyntaxNode): boolean {
  if (node.type === "call") return containers.has(lastName(calleeOf(node) ?? ""));
  return node.type !== "identifier";
}

/** `("ln_1", nn.LayerNorm(size))`, an entry of an ordered dictionary. */
function keyAndValue(node: SyntaxNode): { key: string; value: SyntaxNode } | undefined {
  if (node.type !== "tuple" && node.type !== "list") return undefined;
  const [first, value] = node.children;
  const isPair = node.children.length === 2 && first?.type === "string" && value !== undefined;
  return isPair ? { key: stringValue(first) ?? "*", value } : undefined;
}
