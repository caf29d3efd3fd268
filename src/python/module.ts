import type { Binding } from "./bindings";
import { readBindings } from "./bindings";
import type { PythonSource } from "./parser";
import type { Steps } from "./slices";
import { atOnce } from "./slices";
import type { SyntaxNode } from "./syntax";
import { dottedName, holdsStatements } from "./syntax";

/** One Python file: what norm sites and edits of models need to know of it. */
export interface PythonModule {
  readonly source: PythonSource;
  /**
   * What a name of the file stands for: imports (`nn` → `torch.nn`, `RMSNorm` → `.norms.RMSNorm`)
   * and top-level aliases (`Norm = nn.LayerNorm`, also inside `functools.partial`).
   */
  readonly names: ReadonlyMap<string, string>;
  /** In order, those in functions and in other classes too. */
  readonly classes: readonly PythonClass[];
  /** Functions that belong to no class, in order. */
  readonly functions: readonly PythonFunction[];
}

export interface PythonClass {
  readonly name: string;
  /** The `class_definition`. */
  readonly node: SyntaxNode;
  readonly nameNode: SyntaxNode;
  /** As written, such as `nn.Module`; the bases that are no plain names are left out. */
  readonly bases: readonly string[];
  readonly methods: readonly PythonFunction[];
  /** Declarations in the body of the class, `name: annotation = value`. */
  readonly fields: readonly Field[];
  /** What its methods make part of the object, in order; a name may come more than once. */
  readonly attributes: readonly Binding[];
}

export interface Field {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly annotation: SyntaxNode | undefined;
  readonly value: SyntaxNode | undefined;
}

export interface PythonFunction {
  readonly name: string;
  /** The `function_definition`. */
  readonly node: SyntaxNode;
  readonly body: SyntaxNode | undefined;
  /** As written, without the @ and without arguments: `nn.compact`. */
  readonly decorators: readonly string[];
  /** All of them, in order: of a method, `self` too. */
  readonly parameters: readonly Parameter[];
  /** What its body gives to local names, in order. */
  readonly locals: readonly Binding[];
}

export interface Parameter {
  readonly name: string;
  /** `variadic` is `*args`, `keywords` is `**kwargs`. */
  readonly kind: "positional" | "keywordOnly" | "variadic" | "keywords";
  readonly annotation: SyntaxNode | undefined;
  readonly default: SyntaxNode | undefined;
  readonly node: SyntaxNode;
}

/** Reads the model of a file. Cheap for what the file had in common with an earlier parse. */
export function readModule(source: PythonSource): PythonModule {
  return atOnce(readModuleInSteps(source));
}

/** The same, with a pause after each statement. */
export function* readModuleInSteps(source: PythonSource): Steps<PythonModule> {
  const names = new Map<string, string>();
  const classes: PythonClass[] = [];
  const functions: PythonFunction[] = [];
  for (const node of source.nodes) {
    const part = readTopLevel(node);
    for (const [name, meaning] of part.names) names.set(name, meaning);
    classes.push(...part.classes);
    functions.push(...part.functions);
    yield;
  }
  return { source, names, classes, functions };
}

/** What a name as written stands for: `nn.LayerNorm` → `torch.nn.LayerNorm`. */
export function qualifiedName(module: PythonModule, dotted: string): string {
  let qualified = dotted;
  // An alias may stand for an alias; a name may stand for itself.
  const seen = new Set<string>();
  for (;;) {
    const head = qualified.split(".", 1)[0]!;
    const meaning = module.names.get(head);
    if (meaning === undefined || meaning === head || seen.has(head)) return qualified;
    seen.add(head);
    qualified = meaning + qualified.slice(head.length);
  }
}

/** The class of the file that a bare name stands for; of several, the last. */
export function classNamed(module: PythonModule, name: string): PythonClass | undefined {
  let byName = classesByName.get(module);
  if (byName === undefined) {
    byName = new Map(module.classes.map((definition) => [definition.name, definition]));
    classesByName.set(module, byName);
  }
  return byName.get(name);
}

const classesByName = new WeakMap<PythonModule, ReadonlyMap<string, PythonClass>>();

/** The constructor of a class as it is written there; undefined where it is inherited. */
export function constructorOf(definition: PythonClass): PythonFunction | undefined {
  return definition.methods.find(({ name }) => name === "__init__");
}

/** The name by which a method knows its object, usually `self`. */
export function selfName(method: PythonFunction): string | undefined {
  return method.parameters[0]?.kind === "positional" ? method.parameters[0].name : undefined;
}

interface Part {
  readonly names: Map<string, string>;
  readonly classes: PythonClass[];
  readonly functions: PythonFunction[];
}

/** Statements that have not moved are the same nodes after the next parse. */
const knownParts = new WeakMap<SyntaxNode, Part>();

function readTopLevel(node: SyntaxNode): Part {
  let part = knownParts.get(node);
  if (part === undefined) {
    part = { names: new Map(), classes: [], functions: [] };
    readDefinitions(node, part, undefined);
    knownParts.set(node, part);
  }
  return part;
}

/** Finds definitions and imports in a statement and the blocks in it. */
function readDefinitions(node: SyntaxNode, part: Part, owner: PythonFunction[] | undefined): void {
  switch (node.type) {
    case "import_statement":
    case "import_from_statement":
      readImport(node, part.names);
      return;
    case "class_definition":
      readClass(node, part);
      return;
    case "function_definition": {
      const definition = readFunction(node);
      if (definition === undefined) return;
      (owner ?? part.functions).push(definition);
      // Classes and imports inside a function: factories make models.
      for (const child of definition.body?.children ?? []) {
        if (holdsStatements(child)) readDefinitions(child, part, undefined);
      }
      return;
    }
    case "expression_statement":
      if (owner === undefined) readAlias(node, part.names);
      return;
    default:
      if (!holdsStatements(node)) return;
      for (const child of node.children) readDefinitions(child, part, owner);
  }
}

/** What the names that an import statement binds stand for. */
export function readImport(node: SyntaxNode, names: Map<string, string>): void {
  const from = node.child("module_name")?.text;
  for (const child of node.children) {
    if (child.field !== "name") continue;
    const isAliased = child.type === "aliased_import";
    const imported = (isAliased ? child.child("name") : child)?.text;
    if (imported === undefined) continue;
    const alias = isAliased ? child.child("alias")?.text : undefined;
    if (from !== undefined) {
      names.set(alias ?? imported, from.endsWith(".") ? from + imported : `${from}.${imported}`);
    } else if (alias !== undefined) {
      names.set(alias, imported);
    } else {
      // `import torch.nn` gives the name `torch`.
      const head = imported.split(".")[0]!;
      names.set(head, head);
    }
  }
}

/** `Norm = nn.LayerNorm` and `Norm = partial(nn.LayerNorm, eps=1e-6)` at the top level. */
function readAlias(statement: SyntaxNode, names: Map<string, string>): void {
  const assignment = statement.children[0];
  if (assignment?.type !== "assignment") return;
  const name = assignment.child("left");
  const value = assignment.child("right");
  if (name?.type !== "identifier") return;
  const target = dottedName(value) ?? partialOf(value);
  if (target !== undefined && target !== name.text) names.set(name.text, target);
}

/** What `functools.partial(f, …)` calls in the end. */
export function partialOf(value: SyntaxNode | undefined): string | undefined {
  if (value?.type !== "call") return undefined;
  if (!/(^|\.)partial$/.test(dottedName(value.child("function")) ?? "")) return undefined;
  return dottedName(value.child("arguments")?.children[0]);
}

function readClass(node: SyntaxNode, part: Part): void {
  const nameNode = node.child("name");
  const body = node.child("body");
  if (nameNode === undefined) return;
  const methods: PythonFunction[] = [];
  const fields: Field[] = [];
  const inside: Part = { ...part, classes: [] };
  for (const child of body?.children ?? []) {
    if (child.type === "expression_statement") readField(child, fields);
    else readDefinitions(child, inside, methods);
  }
  const attributes: Binding[] = [];
  for (const method of methods) {
    const self = selfName(method);
    if (self !== undefined && method.body !== undefined) {
      readBindings(method.body, { self, method: method.name, into: attributes });
    }
  }
  const bases = (node.child("superclasses")?.children ?? [])
    .map((base) => dottedName(base.type === "subscript" ? base.child("value") : base))
    .filter((base) => base !== undefined);
  part.classes.push({ name: nameNode.text, node, nameNode, bases, methods, fields, attributes });
  part.classes.push(...inside.classes);
}

function readField(statement: SyntaxNode, fields: Field[]): void {
  const node = statement.children[0];
  const name = node?.child("left");
  if (node?.type !== "assignment" || name?.type !== "identifier") return;
  fields.push({
    name: name.text,
    node,
    annotation: node.child("type"),
    value: node.child("right"),
  });
}

/** One function as it is written, wherever it stands. */
export function readFunction(node: SyntaxNode): PythonFunction | undefined {
  const name = node.child("name")?.text;
  if (name === undefined) return undefined;
  const body = node.child("body");
  const decorators =
    node.parent?.type === "decorated_definition"
      ? node.parent.children.filter(({ type }) => type === "decorator")
      : [];
  let locals: Binding[] | undefined;
  return {
    name,
    node,
    body,
    decorators: decorators
      .map(({ children: [what] }) =>
        dottedName(what?.type === "call" ? what.child("function") : what),
      )
      .filter((decorator) => decorator !== undefined),
    parameters: readParameters(node.child("parameters")),
    // Seldom asked for.
    get locals() {
      if (locals === undefined) {
        locals = [];
        if (body !== undefined) {
          readBindings(body, { self: undefined, method: name, into: locals });
        }
      }
      return locals;
    },
  };
}

function readParameters(list: SyntaxNode | undefined): Parameter[] {
  const parameters: Parameter[] = [];
  let isKeywordOnly = false;
  for (const node of list?.children ?? []) {
    if (node.type === "keyword_separator") isKeywordOnly = true;
    const isTyped = node.type === "typed_parameter";
    const target = isTyped ? node.children[0] : (node.child("name") ?? node);
    if (target === undefined) continue;
    const variable = target.type === "identifier" ? target : target.children[0];
    if (variable?.type !== "identifier") continue;
    const isVariadic = target.type === "list_splat_pattern";
    parameters.push({
      name: variable.text,
      kind: isVariadic
        ? "variadic"
        : target.type === "dictionary_splat_pattern"
          ? "keywords"
          : isKeywordOnly
            ? "keywordOnly"
            : "positional",
      annotation: node.child("type"),
      default: node.child("value"),
      node,
    });
    if (isVariadic) isKeywordOnly = true;
  }
  return parameters;
}
