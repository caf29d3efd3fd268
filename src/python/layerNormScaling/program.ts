import type { Binding } from "../bindings";
import type { Parameter, PythonClass, PythonFunction, PythonModule } from "../module";
import { Imports } from "../imports";
import { qualifiedName, readImport, readModule } from "../module";
import type { SyntaxNode } from "../syntax";
import { descendants } from "../syntax";
import { frameworkLayers } from "./names";
import type { SourceFile } from "./outcome";

/** The files of a model, with their names resolved across imports. */
export class Program {
  readonly modules: readonly ModuleFile[];
  private readonly byPath: ReadonlyMap<string, ModuleFile>;
  private readonly imports: Imports;

  constructor(files: readonly SourceFile[]) {
    this.modules = files.map((file) => new ModuleFile(file));
    this.byPath = new Map(this.modules.map((module) => [module.path, module]));
    this.imports = new Imports([...this.byPath.keys()]);
  }

  get classes(): ClassDefinition[] {
    return this.modules.flatMap((module) => [...module.classes.values()]);
  }

  /** What a name or a chain of attributes stands for where no local variable hides it. */
  resolve(name: string, module: ModuleFile): Definition | undefined {
    const own = module.classes.get(name) ?? module.functions.get(name);
    if (own !== undefined) return own;
    const path = module.qualified(name);
    if (path === name) {
      return module.isModule(name.split(".", 1)[0]!)
        ? this.definitionAt(path, module)
        : this.amongAllOf(name, module);
    }
    return (
      module.classes.get(path) ??
      module.functions.get(path) ??
      this.definitionAt(path, module) ??
      path
    );
  }

  /** The class's own and inherited classes of these files, nearest first. */
  lineage(definition: ClassDefinition, seen = new Set<ClassDefinition>()): ClassDefinition[] {
    if (seen.has(definition)) return [];
    seen.add(definition);
    return [
      definition,
      ...definition.bases.flatMap((base) => {
        const found = this.resolve(base, definition.module);
        return found instanceof ClassDefinition ? this.lineage(found, seen) : [];
      }),
    ];
  }

  /** Names of bases that these files do not define, fully qualified where imported. */
  foreignBases(definition: ClassDefinition): string[] {
    return this.lineage(definition).flatMap(({ bases, module }) =>
      bases.flatMap((base) => {
        const found = this.resolve(base, module);
        if (found instanceof ClassDefinition) return [];
        return [typeof found === "string" ? found : base];
      }),
    );
  }

  /** A subclass of one of PyTorch's own layers. */
  isFrameworkLayer(definition: ClassDefinition): boolean {
    return this.foreignBases(definition).some((base) =>
      frameworkLayers.has(base.split(".").at(-1)!),
    );
  }

  method(definition: ClassDefinition, name: string): FunctionDefinition | undefined {
    for (const ancestor of this.lineage(definition)) {
      const found = ancestor.methods.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  subclasses(definition: ClassDefinition): ClassDefinition[] {
    return this.classes.filter(
      (other) => other !== definition && this.lineage(other).includes(definition),
    );
  }

  /** A class or function of another file, by what an import calls it. */
  private definitionAt(
    path: string,
    from: ModuleFile,
    seen = new Set<ModuleFile>(),
  ): Definition | undefined {
    const end = path.lastIndexOf(".");
    // `from . import Block` says `.Block`: what is before the name is the package itself.
    const place = /^\.*$/.test(path.slice(0, end)) ? path.slice(0, end + 1) : path.slice(0, end);
    const [nearest, ...more] = end === -1 ? [] : this.imports.filesOf(place, from.path);
    const module = more.length > 0 ? undefined : this.byPath.get(nearest ?? "");
    if (module === undefined || seen.has(module)) return undefined;
    seen.add(module);
    const name = path.slice(end + 1);
    const found = module.classes.get(name) ?? module.functions.get(name);
    if (found !== undefined) return found;
    const passedOn = module.qualified(name);
    return passedOn === name
      ? this.amongAllOf(name, module, seen)
      : this.definitionAt(passedOn, module, seen);
  }

  /** What `from block import *` brings in. */
  private amongAllOf(
    name: string,
    module: ModuleFile,
    seen = new Set<ModuleFile>(),
  ): Definition | undefined {
    if (!/^\w+$/.test(name)) return undefined;
    for (const place of module.takenWhole) {
      const path = place.endsWith(".") ? place + name : `${place}.${name}`;
      const found = this.definitionAt(path, module, new Set(seen));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** A class or function of these files, or the qualified name of something else. */
export type Definition = ClassDefinition | FunctionDefinition | string;

export class ModuleFile {
  readonly path: string;
  readonly text: string;
  readonly nodes: readonly SyntaxNode[];
  readonly classes = new Map<string, ClassDefinition>();
  readonly functions = new Map<string, FunctionDefinition>();
  /** The modules of which all names are imported. */
  readonly takenWhole: readonly string[];
  private readonly model: PythonModule;
  /** What is imported inside functions; the module's own names go before these. */
  private readonly localNames = new Map<string, string>();

  constructor({ path, source }: SourceFile) {
    this.path = path;
    this.text = source.text;
    this.nodes = source.nodes;
    this.model = readModule(source);
    const takenWhole: string[] = [];
    for (const node of source.nodes.flatMap((top) => [...descendants(top)])) {
      if (!node.type.startsWith("import_")) continue;
      readImport(node, this.localNames);
      if (/\bimport\s*\*/.test(node.text)) takenWhole.push(node.child("module_name")!.text);
    }
    this.takenWhole = takenWhole;
    // Of two definitions of one name the later is what the name stands for.
    for (const found of this.model.classes) {
      this.classes.set(found.name, new ClassDefinition(this, found));
    }
    for (const found of this.model.functions) {
      this.functions.set(found.name, new FunctionDefinition(this, found, undefined));
    }
  }

  /** True when a name is defined twice: which one is meant depends on what runs first. */
  isDefinedTwice(name: string): boolean {
    return this.model.classes.filter((found) => found.name === name).length > 1;
  }

  /** True of the names that `import block` and `import layers.block` give. */
  isModule(name: string): boolean {
    return this.model.names.get(name) === name || this.localNames.get(name) === name;
  }

  /** `LN` → `torch.nn.LayerNorm`, by the file's imports and aliases. */
  qualified(name: string): string {
    const [head] = name.split(".", 1);
    const local = this.model.names.has(head!) ? undefined : this.localNames.get(head!);
    return local === undefined ? qualifiedName(this.model, name) : local + name.slice(head!.length);
  }
}

export class ClassDefinition {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly body: SyntaxNode;
  readonly bases: readonly string[];
  readonly methods = new Map<string, FunctionDefinition>();
  /** What the methods make part of the object, in order. */
  readonly attributes: readonly Binding[];
  /** Names declared in the body of the class. */
  readonly fields: readonly string[];

  constructor(
    readonly module: ModuleFile,
    model: PythonClass,
  ) {
    this.name = model.name;
    this.node = model.node;
    this.body = model.node.child("body") ?? model.node;
    this.bases = model.bases;
    this.attributes = model.attributes;
    this.fields = model.fields.map(({ name }) => name);
    for (const method of model.methods) {
      if (method.decorators.some((name) => name.endsWith("overload"))) continue;
      this.methods.set(method.name, new FunctionDefinition(module, method, this));
    }
  }

  get constructorMethod(): FunctionDefinition | undefined {
    return this.methods.get("__init__");
  }
}

export class FunctionDefinition {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly body: SyntaxNode;
  readonly parameters: readonly Parameter[];
  readonly decorators: readonly string[];
  /** What its body gives to local names. */
  readonly model: PythonFunction;

  constructor(
    readonly module: ModuleFile,
    model: PythonFunction,
    /** The class whose method this is. */
    readonly owner: ClassDefinition | undefined,
  ) {
    this.model = model;
    this.name = model.name;
    this.node = model.node;
    this.body = model.body ?? model.node;
    this.parameters = model.parameters;
    this.decorators = model.decorators;
  }

  /** What the method calls its object; undefined for what is no method. */
  get selfName(): string | undefined {
    if (this.owner === undefined || this.isDetached) return undefined;
    return this.parameters[0]?.name;
  }

  /** The parameters that a caller gives. */
  get ownParameters(): readonly Parameter[] {
    const isBound = this.owner !== undefined && !this.decorators.includes("staticmethod");
    return isBound ? this.parameters.slice(1) : this.parameters;
  }

  private get isDetached(): boolean {
    return this.decorators.some((name) => name === "staticmethod" || name === "classmethod");
  }
}

/** The function, method or lambda around a node. */
export function enclosing(
  node: SyntaxNode,
  types: RegExp,
  within?: SyntaxNode,
): SyntaxNode | undefined {
  for (let at = node.parent; at !== undefined && at !== within; at = at.parent) {
    if (types.test(at.type)) return at;
  }
  return undefined;
}

/** The nearest statement around a node that stands directly in `block`. */
export function statementIn(block: SyntaxNode, node: SyntaxNode): SyntaxNode {
  let at = node;
  while (at.parent !== undefined && at.parent !== block) at = at.parent;
  return at;
}

/** The constructor call of the base class in a constructor. */
export function superConstructorCall(method: FunctionDefinition): SyntaxNode | undefined {
  return [...descendants(method.body)].find((node) => {
    if (node.type !== "call") return false;
    const callee = node.child("function");
    if (callee?.type !== "attribute" || callee.child("attribute")?.text !== "__init__")
      return false;
    const object = callee.child("object");
    return object?.type === "call" && object.child("function")?.text === "super";
  });
}
