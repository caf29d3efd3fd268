import type { SyntaxNode } from "../../syntax";
import type { ClassDefinition, FunctionDefinition, ModuleFile } from "../program";

/**
 * What an expression of a model can stand for, as far as norms and the residual stream are
 * concerned. Numbers, masks and all else that is neither is a tensor without parts.
 */
export type Value =
  | Tensor
  | { readonly kind: "tuple"; readonly items: readonly Value[] }
  | Norm
  | Instance
  | Container
  | { readonly kind: "passthrough" }
  | Callable
  | { readonly kind: "class"; readonly definition: ClassDefinition }
  | {
      readonly kind: "inherited";
      readonly instance: Instance;
      readonly from: ClassDefinition;
    }
  | { readonly kind: "foreign"; readonly name: string }
  | { readonly kind: "choice"; readonly options: readonly Value[] };

/**
 * What a tensor is a sum of: a stream that came in, a norm's output, or the output of anything else
 * (a branch). What goes through attention, a linear map or an activation becomes a branch; adding,
 * reshaping and dropout keep the parts.
 */
export type Part = "branch" | `stream:${string}` | `norm:${number}`;

export interface Tensor {
  readonly kind: "tensor";
  readonly parts: ReadonlySet<Part>;
}

export interface Norm {
  readonly kind: "norm";
  /** False where only the name says so. */
  readonly isCertain: boolean;
  /** The call that makes it, or the last of several. */
  readonly construction: SyntaxNode | undefined;
}

/** An object of a class of these files. */
export interface Instance {
  readonly kind: "instance";
  readonly definition: ClassDefinition;
  /** The call that makes it. */
  readonly construction: SyntaxNode | undefined;
  readonly given: Arguments;
  readonly attributes: Map<string, Value>;
}

export interface Container {
  readonly kind: "container";
  readonly isSequential: boolean;
  readonly elements: readonly Value[];
  /** The elements by their names, where they have some. */
  readonly entries: ReadonlyMap<string, Value>;
}

export interface Callable {
  readonly kind: "callable";
  readonly code: FunctionDefinition | SyntaxNode;
  readonly self: Instance | undefined;
  readonly scope: Scope | undefined;
}

export interface Arguments {
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
}

/** Variables, and the function in whose text they stand. */
export interface Scope {
  readonly module: ModuleFile;
  readonly function: FunctionDefinition | undefined;
  readonly outer: Scope | undefined;
  variables: Map<string, Value>;
  readonly returned: Value[];
  /** A constructor is not run; its local names are looked up as they are asked for. */
  readonly isLazy: boolean;
}

export const nothing: Tensor = { kind: "tensor", parts: new Set() };
export const noArguments: Arguments = { positional: [], keywords: new Map() };

export function tensor(parts: Iterable<Part>): Tensor {
  return { kind: "tensor", parts: new Set(parts) };
}

/** All parts of a value, whatever it is a structure of. */
export function partsOf(value: Value): Set<Part> {
  switch (value.kind) {
    case "tensor":
      return new Set(value.parts);
    case "tuple":
      return new Set(value.items.flatMap((item) => [...partsOf(item)]));
    case "choice":
      return new Set(value.options.flatMap((option) => [...partsOf(option)]));
    case "container":
      return new Set(value.elements.flatMap((element) => [...partsOf(element)]));
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return new Set();
  }
}

/** The value of a variable that is one of these, depending on the way that was taken. */
export function join(values: readonly Value[]): Value {
  const options = values.flatMap((value) => (value.kind === "choice" ? value.options : [value]));
  const [first] = options;
  if (first === undefined) return nothing;
  const telling = options.filter((option) => option.kind !== "tensor" || option.parts.size > 0);
  if (telling.length === 0) return first;
  if (telling.every((option) => option.kind === "tensor")) {
    return tensor(telling.flatMap(({ parts }) => [...parts]));
  }
  if (telling.every((option) => option.kind === "tuple")) {
    const longest = Math.max(...telling.map(({ items }) => items.length));
    const items = Array.from({ length: longest }, (_, index) =>
      join(telling.flatMap(({ items }) => items[index] ?? [])),
    );
    return { kind: "tuple", items };
  }
  const distinct = [...new Set(telling)];
  return distinct.length === 1 ? distinct[0]! : { kind: "choice", options: distinct };
}

/** What is returned first, which is the residual stream where a layer returns several things. */
export function firstOf(value: Value): Value {
  switch (value.kind) {
    case "tuple":
      return value.items[0] === undefined ? nothing : firstOf(value.items[0]);
    case "choice":
      return join(value.options.map(firstOf));
    case "tensor":
    case "norm":
    case "instance":
    case "container":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return value;
  }
}

export function allParts({ positional, keywords }: Arguments): Set<Part> {
  return new Set([...positional, ...keywords.values()].flatMap((value) => [...partsOf(value)]));
}

export function opaque(given: Arguments): Value {
  return allParts(given).size === 0 ? nothing : tensor(["branch"]);
}

export function list(elements: readonly Value[]): Container {
  return { kind: "container", isSequential: false, elements, entries: new Map() };
}

export function mapping(entries: ReadonlyMap<string, Value>): Container {
  return { kind: "container", isSequential: false, elements: [...entries.values()], entries };
}

/** What nn.Sequential is given: its elements, or one dictionary of them. */
export function containerGiven({ positional }: Arguments): Container {
  const [only] = positional;
  if (positional.length === 1 && only?.kind === "container" && only.entries.size > 0) return only;
  return list(positional);
}

export function isSequence(value: Value): boolean {
  return value.kind === "tuple" || value.kind === "container";
}

export function elementsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case "tuple":
      return value.items;
    case "container":
      return value.elements;
    case "choice":
      return value.options.flatMap(elementsOf);
    case "tensor":
      return value.parts.size === 0 ? [] : [value];
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return [];
  }
}

export function itemOf(value: Value, index: number): Value {
  switch (value.kind) {
    case "tuple":
      return value.items.at(index) ?? nothing;
    case "container":
      return value.elements[index] ?? join(value.elements);
    case "choice":
      return join(value.options.map((option) => itemOf(option, index)));
    case "tensor":
      return value;
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return nothing;
  }
}

/** True for a value that is such or holds one. */
export function contains(value: Value, is: (value: Value) => boolean): boolean {
  if (is(value)) return true;
  switch (value.kind) {
    case "tuple":
      return value.items.some((item) => contains(item, is));
    case "container":
      return value.elements.some((element) => contains(element, is));
    case "choice":
      return value.options.some((option) => contains(option, is));
    case "tensor":
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return false;
  }
}

/** An object of a class, whatever it was given when it was made. */
export function untold(definition: ClassDefinition): Instance {
  return {
    kind: "instance",
    definition,
    construction: undefined,
    given: noArguments,
    attributes: new Map(),
  };
}
