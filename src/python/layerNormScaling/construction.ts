import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { callArguments, descendants, dottedName } from "../syntax";
import { Refusal } from "./outcome";
import type { ModuleFile, Program, FunctionDefinition } from "./program";
import { ClassDefinition, superConstructorCall } from "./program";

/** A place that makes objects of a class, or calls a function that does. */
export interface Site {
  readonly call: SyntaxNode;
  readonly module: ModuleFile;
  /** The method or top-level function around it. */
  readonly function: FunctionDefinition | undefined;
  /** True for super().__init__(…) in a subclass. */
  readonly isSuper: boolean;
  /** The loops and comprehensions that repeat it, from the inside. */
  readonly loops: readonly Loop[];
}

export interface Loop {
  /** The `for_statement` or the comprehension. */
  readonly node: SyntaxNode;
  /** Its `for … in …` clauses: one of a statement. */
  readonly clauses: readonly SyntaxNode[];
  readonly hasCondition: boolean;
}

/** Where the classes and functions of these files are called, and where they are only named. */
export class Constructions {
  private readonly sites = new Map<ClassDefinition | FunctionDefinition, Site[]>();
  /** Names of a class that may be called somewhere out of sight. */
  private readonly loose = new Map<ClassDefinition | FunctionDefinition, string[]>();
  private readonly functions = new Map<SyntaxNode, FunctionDefinition>();

  constructor(private readonly program: Program) {
    for (const module of program.modules) {
      for (const definition of module.functions.values()) {
        this.functions.set(definition.node, definition);
      }
      for (const { methods } of module.classes.values()) {
        for (const method of methods.values()) this.functions.set(method.node, method);
      }
    }
    for (const module of program.modules) {
      for (const node of module.nodes) this.read(node, module);
    }
  }

  /** All calls that end up in the constructor of a class, or in a function. */
  sitesOf(definition: ClassDefinition | FunctionDefinition): readonly Site[] {
    const own = this.sites.get(definition) ?? [];
    if (!(definition instanceof ClassDefinition)) return own;
    const inherited = this.program.subclasses(definition).flatMap((subclass) => {
      const lineage = this.program.lineage(subclass);
      const between = lineage.slice(1, lineage.indexOf(definition));
      if (between.some((other) => other.constructorMethod !== undefined)) return [];
      const constructor = subclass.constructorMethod;
      if (constructor === undefined) return this.sites.get(subclass) ?? [];
      const call = superConstructorCall(constructor);
      if (call === undefined) {
        throw new Refusal(
          "unclear-construction",
          t(
            "{0} does not call the constructor of {1} with super().__init__(…).",
            subclass.name,
            definition.name,
          ),
        );
      }
      return [{ call, module: subclass.module, function: constructor, isSuper: true, loops: [] }];
    });
    return [...own, ...inherited];
  }

  /** Where the class or function is handed on as a value, in words. */
  looseReferences(definition: ClassDefinition | FunctionDefinition): readonly string[] {
    const own = this.loose.get(definition) ?? [];
    if (!(definition instanceof ClassDefinition)) return own;
    const heirs = this.program
      .subclasses(definition)
      .filter((subclass) => subclass.constructorMethod === undefined);
    return [...own, ...heirs.flatMap((heir) => this.loose.get(heir) ?? [])];
  }

  private read(root: SyntaxNode, module: ModuleFile): void {
    for (const node of descendants(root)) {
      const definition = this.definitionNamedBy(node, module);
      if (definition === undefined) continue;
      this.addReference(node, definition, module);
    }
  }

  private definitionNamedBy(
    node: SyntaxNode,
    module: ModuleFile,
  ): ClassDefinition | FunctionDefinition | undefined {
    if (node.type === "identifier") {
      const { parent, field } = node;
      if (parent?.type === "attribute" && field === "attribute") return undefined;
      if (field === "name" || (parent?.type === "keyword_argument" && field !== "value"))
        return undefined;
      const found = this.program.resolve(node.text, module);
      return typeof found === "string" ? undefined : found;
    }
    if (node.type !== "attribute") return undefined;
    const written = dottedName(node);
    if (written === undefined) return undefined;
    const [first, second, ...more] = written.split(".");
    const method = this.functionAround(node);
    if (first !== undefined && first === method?.selfName && more.length === 0) {
      return this.program.method(method.owner!, second!);
    }
    const found = this.program.resolve(written, module);
    return typeof found === "string" ? undefined : found;
  }

  private addReference(
    node: SyntaxNode,
    definition: ClassDefinition | FunctionDefinition,
    module: ModuleFile,
  ): void {
    const { parent } = node;
    if (parent?.type === "call" && node.field === "function") {
      push(this.sites, definition, this.site(parent, module));
      return;
    }
    if (parent?.type === "attribute" && parent.child("attribute")?.text === "__init__") {
      push(this.loose, definition, `${parent.text}(…)`);
      return;
    }
    if (isHarmless(node)) return;
    const parameter = this.defaultParameter(node);
    if (parameter !== undefined) {
      const calls = callsOf(parameter.name, parameter.function);
      if (calls !== undefined) {
        for (const call of calls) push(this.sites, definition, this.site(call, module));
        return;
      }
    }
    const statement = statementAround(node).text.split("\n")[0]!.trim();
    push(this.loose, definition, statement);
  }

  /** `block_fn` in `def __init__(self, block_fn=Block)`. */
  private defaultParameter(
    node: SyntaxNode,
  ): { name: string; function: FunctionDefinition } | undefined {
    const { parent } = node;
    if (node.field !== "value" || !(parent?.type ?? "").endsWith("default_parameter"))
      return undefined;
    const name = parent!.child("name")?.text;
    const owner = parent!.parent?.parent;
    const definition = owner && this.functions.get(owner);
    return name === undefined || definition === undefined
      ? undefined
      : { name, function: definition };
  }

  private site(call: SyntaxNode, module: ModuleFile): Site {
    return {
      call,
      module,
      function: this.functionAround(call),
      isSuper: false,
      loops: loopsAround(call),
    };
  }

  private functionAround(node: SyntaxNode): FunctionDefinition | undefined {
    for (let at = node.parent; at !== undefined; at = at.parent) {
      const found = this.functions.get(at);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** The loops around a node that run it more than once, up to the function around it. */
function loopsAround(node: SyntaxNode): Loop[] {
  const loops: Loop[] = [];
  let below = node;
  for (let at = node.parent; at !== undefined; below = at, at = at.parent) {
    if (at.type === "function_definition" || at.type === "class_definition") break;
    if (at.type === "for_statement" && below.field === "body") {
      loops.push({ node: at, clauses: [at], hasCondition: false });
    }
    if (at.type === "while_statement") loops.push({ node: at, clauses: [], hasCondition: true });
    if (/comprehension$|^generator_expression$/.test(at.type) && below.field === "body") {
      loops.push({
        node: at,
        clauses: at.children.filter(({ type }) => type === "for_in_clause"),
        hasCondition: at.children.some(({ type }) => type === "if_clause"),
      });
    }
  }
  return loops;
}

/** Names that make nothing: annotations, checks, bases, sets of classes for wrapping policies. */
function isHarmless(node: SyntaxNode): boolean {
  let below = node;
  for (let at = node.parent; at !== undefined; below = at, at = at.parent) {
    switch (at.type) {
      case "type":
      case "comparison_operator":
      case "set":
      case "import_from_statement":
      case "import_statement":
      case "global_statement":
      case "del_statement":
        return true;
      case "attribute":
        // Block.from_config is another matter where cls(…) is called; see the planner.
        return below.field === "object";
      case "argument_list":
        if (at.parent?.type === "class_definition") return true;
        break;
      case "subscript":
        // Optional[Block], list[Block]
        if (below.field === "subscript") return true;
        break;
      case "call": {
        const name = dottedName(at.child("function"))?.split(".").at(-1) ?? "";
        if (/^(isinstance|issubclass|super|hasattr|cast|TypeVar|type)$/.test(name)) return true;
        // _can_record_outputs = {"hidden_states": OutputRecorder(Block, index=0)}
        if (!name.endsWith("Recorder")) return false;
        break;
      }
      case "assignment": {
        // _can_record_outputs = {"hidden_states": Block}
        const left = at.child("left")?.text ?? "";
        return (
          below.field === "right" && /^_\w+$/.test(left) && at.parent?.parent?.type === "block"
        );
      }
      case "block":
      case "lambda":
      case "default_parameter":
      case "typed_default_parameter":
      case "keyword_argument":
      case "return_statement":
        return false;
    }
  }
  return false;
}

/** The calls of a local name, where it is used for nothing else. */
function callsOf(name: string, { body }: FunctionDefinition): SyntaxNode[] | undefined {
  const calls: SyntaxNode[] = [];
  for (const node of descendants(body)) {
    if (node.type !== "identifier" || node.text !== name) continue;
    if (node.parent?.type === "keyword_argument" && node.field === "name") continue;
    if (node.parent?.type === "attribute" && node.field === "attribute") continue;
    if (node.parent?.type !== "call" || node.field !== "function") return undefined;
    calls.push(node.parent);
  }
  return calls;
}

export function statementAround(node: SyntaxNode): SyntaxNode {
  let at = node;
  while (at.parent !== undefined && !/^(block|module)$/.test(at.parent.type)) at = at.parent;
  return at;
}

/** What a call gives for a parameter of a function, by position or by name. */
export function argumentFor(
  call: SyntaxNode,
  definition: FunctionDefinition,
  name: string,
): SyntaxNode | undefined {
  const { positional, keywords } = callArguments(call);
  const byName = keywords.get(name);
  if (byName !== undefined) return byName;
  const positions = definition.ownParameters.filter(({ kind }) => kind === "positional");
  const index = positions.findIndex((parameter) => parameter.name === name);
  const given = index === -1 ? undefined : positional[index];
  const isSplatBefore = positional.slice(0, index + 1).some(({ type }) => type === "list_splat");
  return isSplatBefore ? undefined : given;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
