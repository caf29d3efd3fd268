import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { callArguments, descendants, dottedName } from "../syntax";
import type { Constructions, Site } from "./construction";
import { argumentFor } from "./construction";
import type { EditList } from "./edits";
import { addClassAttribute, addStatement } from "./edits";
import { freeNameIn } from "./freeNames";
import { scaleName } from "./names";
import { Refusal } from "./outcome";
import type { ModuleFile, Program } from "./program";
import { ClassDefinition, FunctionDefinition, superConstructorCall } from "./program";
import type { Stacks } from "./stacks";
import { receiverAround } from "./stacks";

/** A stack of copies of one layer, and how the code reaches the list of them. */
export interface CopiedStack {
  readonly function: FunctionDefinition;
  /** What makes the stack, or the loop that fills it; what follows it finds the copies there. */
  readonly statement: SyntaxNode;
  readonly block: SyntaxNode;
  /** `self.encoder.layers` */
  readonly layers: string;
}

/** A stack of copies of which a class is the layer, or a part of the layer. */
export interface CopiesOf {
  readonly stack: CopiedStack;
  readonly isPart: boolean;
}

/**
 * Layers that are copies of one: nn.TransformerEncoder(layer, n), copy.deepcopy in a loop, clones(layer, n).
 * They learn their index only after they are made: where the stack is kept, the factors are set on
 * the copies.
 */
export class Copies {
  constructor(
    private readonly program: Program,
    private readonly constructions: Constructions,
    private readonly stacks: Stacks,
  ) {}

  /** The stacks of copies that all objects of a class end up in; undefined where some do not. */
  stacksOf(
    definition: ClassDefinition,
    seen: ReadonlySet<ClassDefinition> = new Set(),
  ): CopiesOf[] | undefined {
    const sites = this.constructions.sitesOf(definition);
    if (sites.length === 0 || seen.has(definition)) return undefined;
    const found: CopiesOf[] = [];
    for (const site of sites) {
      const around = receiverAround(site);
      const outer =
        around instanceof ClassDefinition
          ? this.stacksOf(around, new Set([...seen, definition]))
          : undefined;
      const stack = this.stackOf(site);
      // A layer that is not itself copied knows its index, and tells its parts.
      if (outer === undefined && around !== undefined && this.stacks.isStacked(around))
        return undefined;
      if (outer !== undefined) {
        this.checkPart(definition, site, stack);
        found.push(...outer.map((one) => ({ stack: one.stack, isPart: true })));
      } else if (stack !== undefined) {
        found.push({ stack, isPart: false });
      } else {
        return undefined;
      }
    }
    this.checkOneStackEach(definition, found);
    return found;
  }

  /** The one stack that the object made at a site is copied into, and used for nothing else. */
  stackOf(site: Site): CopiedStack | undefined {
    if (site.function === undefined || site.loops.length > 0) return undefined;
    return this.stackOfUses(usesOf(site.call, site.function), site.function);
  }

  /** Whether a call makes a few copies, as a layer does of its sublayers. */
  makesFew(call: SyntaxNode, module: ModuleFile): boolean {
    const copying = this.copyingAround(call, module);
    return copying !== undefined && isFew(copying.count);
  }

  private stackOfUses(
    uses: readonly SyntaxNode[],
    around: FunctionDefinition,
    deep = 0,
  ): CopiedStack | undefined {
    // layer.size only reads.
    const handed = uses.filter(
      ({ field, parent }) => parent?.type !== "attribute" || field !== "object",
    );
    const [only] = handed;
    if (only === undefined || handed.length > 1 || deep > 4) return undefined;
    const copying = this.copyingAround(only, around.module);
    if (copying !== undefined) return stackAt(copying.made, copying.suffix, around);
    const call = only.parent?.type === "argument_list" ? only.parent.parent : undefined;
    return call === undefined ? undefined : this.stackInside(call, only, around, deep);
  }

  /** The stack that a class of these files makes of what its constructor is given. */
  private stackInside(
    call: SyntaxNode,
    given: SyntaxNode,
    { module }: FunctionDefinition,
    deep: number,
  ): CopiedStack | undefined {
    const callee = dottedName(call.child("function"));
    const found = callee === undefined ? undefined : this.program.resolve(callee, module);
    const constructor =
      found instanceof ClassDefinition ? this.program.method(found, "__init__") : undefined;
    const parameter = constructor?.ownParameters.find(
      ({ name }) => argumentFor(call, constructor, name) === given,
    );
    if (constructor === undefined || parameter === undefined) return undefined;
    const uses = [...descendants(constructor.body)].filter((node) => isUse(node, parameter.name));
    return this.stackOfUses(uses, constructor, deep + 1);
  }

  /** What copies the object at a use of it, and where the copies are then. */
  private copyingAround(
    use: SyntaxNode,
    module: ModuleFile,
  ): { made: SyntaxNode; suffix: string; count: SyntaxNode | undefined } | undefined {
    const call = use.parent?.type === "argument_list" ? use.parent.parent : undefined;
    if (call?.type !== "call" || use.parent?.children[0] !== use) return undefined;
    const count = callArguments(call).positional[1];
    if (this.isEncoder(call, module)) return { made: call, suffix: ".layers", count };
    const callee = dottedName(call.child("function"));
    const called = callee === undefined ? undefined : this.program.resolve(callee, module);
    if (called instanceof FunctionDefinition && this.isCloning(called)) {
      return { made: call, suffix: "", count };
    }
    if (typeof called === "string" && /^torch\.nn\..*\b_get_clones$/.test(called)) {
      return { made: call, suffix: "", count };
    }
    if (!isDeepCopy(call, module)) return undefined;
    const round = roundOf(call);
    return round && { ...round, suffix: "" };
  }

  /** `return nn.ModuleList([copy.deepcopy(module) for _ in range(n)])` */
  private isCloning({ body, ownParameters, module }: FunctionDefinition): boolean {
    const [first] = ownParameters;
    const returned = body.children.filter(({ type }) => type === "return_statement");
    const statements = body.children.filter(
      ({ type, children }) => type !== "expression_statement" || children[0]?.type !== "string",
    );
    if (first === undefined || returned.length !== 1 || statements.length !== 1) return false;
    const uses = [...descendants(body)].filter((node) => isUse(node, first.name));
    const copy = uses[0]?.parent?.parent;
    if (uses.length !== 1 || copy?.type !== "call" || !isDeepCopy(copy, module)) return false;
    const made = roundOf(copy)?.made;
    return made !== undefined && outermost(made).parent === returned[0];
  }

  private isEncoder(call: SyntaxNode, module: ModuleFile): boolean {
    const isName = (name: string): boolean => /(^|\.)Transformer(En|De)coder$/.test(name);
    const callee = dottedName(call.child("function"));
    if (callee !== undefined)
      return isName(callee) && typeof (this.program.resolve(callee, module) ?? "") === "string";
    return this.program.classes.some((owner) => {
      const constructor = owner.constructorMethod;
      if (constructor === undefined || superConstructorCall(constructor) !== call) return false;
      return this.program.foreignBases(owner).some(isName);
    });
  }

  /** A part is in its layer once, or a few times: more would be a stack of its own. */
  private checkPart({ name }: ClassDefinition, site: Site, stack: CopiedStack | undefined): void {
    const isRepeated = site.loops.length > 0 || stack !== undefined;
    if (!isRepeated || this.makesFew(site.call, site.module)) return;
    throw new Refusal(
      "unclear-index",
      t(
        "Copies of {0} are made inside a layer that is itself copied: which of the two counts the layers is unclear.",
        name,
      ),
    );
  }

  /** Two stacks on one residual stream would both count from 0. */
  private checkOneStackEach({ name }: ClassDefinition, found: readonly CopiesOf[]): void {
    const statements = new Map<FunctionDefinition, SyntaxNode>();
    for (const { stack } of found) {
      const known = statements.get(stack.function);
      if (known !== undefined && known !== stack.statement) {
        throw new Refusal(
          "unclear-index",
          t(
            "Several stacks are made of copies of {0} in one place, so no one variable counts them all.",
            name,
          ),
        );
      }
      statements.set(stack.function, stack.statement);
    }
  }
}

/** The factor starts as 1, for a layer by itself, and is set on each copy. */
export function scaleCopies(
  edits: EditList,
  definitions: ReadonlyMap<ClassDefinition, readonly CopiesOf[]>,
): void {
  const withParts = new Set<SyntaxNode>();
  const stacks = new Map<SyntaxNode, CopiedStack>();
  for (const [{ module, body }, copies] of definitions) {
    const line = `${scaleName} = 1.0  # LayerNorm Scaling: set where the layers are copied`;
    addClassAttribute(edits, module, body, line);
    for (const { stack, isPart } of copies) {
      stacks.set(stack.statement, stack);
      if (isPart) withParts.add(stack.statement);
    }
  }
  for (const [statement, stack] of stacks) scaleStack(edits, stack, withParts.has(statement));
}

function scaleStack(edits: EditList, stack: CopiedStack, hasParts: boolean): void {
  const { function: around, block, statement, layers } = stack;
  const index = freeNameIn("layer_idx", around.node);
  const used = new Set(
    [...descendants(around.node)]
      .filter(({ type }) => type === "identifier")
      .map(({ text }) => text),
  );
  const free = (names: readonly string[]): string =>
    names.find((name) => !used.has(name)) ?? `copied_${names[0]!}`;
  const layer = free(["layer", "block"]);
  const part = free(["module", "part"]);
  const set = (object: string): string =>
    `${object}.${scaleName} = (${index} + 1) ** -0.5  # LayerNorm Scaling`;
  addStatement(edits, around.module, block, statement, [
    `for ${index}, ${layer} in enumerate(${layers}):`,
    ...(hasParts
      ? [
          `\tfor ${part} in ${layer}.modules():`,
          `\t\tif hasattr(${part}, "${scaleName}"):`,
          `\t\t\t${set(part)}`,
        ]
      : [`\t${set(layer)}`]),
  ]);
}

/** The construction itself, or the uses of the local name that it is given. */
function usesOf(call: SyntaxNode, { body }: FunctionDefinition): SyntaxNode[] {
  const target = call.parent?.type === "assignment" ? call.parent.child("left") : undefined;
  if (target === undefined) return [call];
  if (target.type !== "identifier") return [];
  return [...descendants(body)].filter((node) => isUse(node, target.text) && node !== target);
}

function isUse(node: SyntaxNode, name: string): boolean {
  return (
    node.type === "identifier" &&
    node.text === name &&
    node.field !== "name" &&
    !(node.parent?.type === "attribute" && node.field === "attribute")
  );
}

function isDeepCopy(call: SyntaxNode, module: ModuleFile): boolean {
  const callee = dottedName(call.child("function"));
  return callee !== undefined && module.qualified(callee) === "copy.deepcopy";
}

/** The comprehension that a copy is the element of, or the loop that appends it, and its count. */
function roundOf(
  copy: SyntaxNode,
): { made: SyntaxNode; count: SyntaxNode | undefined } | undefined {
  const { parent } = copy;
  if (/^(list_comprehension|generator_expression)$/.test(parent?.type ?? "")) {
    const clauses = parent!.children.slice(1);
    const [clause] = clauses;
    if (clauses.length !== 1 || clause?.type !== "for_in_clause" || copy.field !== "body")
      return undefined;
    return { made: parent!, count: countOf(clause) };
  }
  const append = parent?.type === "argument_list" ? parent.parent : undefined;
  const isAppend = append?.child("function")?.child("attribute")?.text === "append";
  const loop = append?.parent?.parent?.parent;
  const isWhole = append?.parent?.type === "expression_statement" && loop?.type === "for_statement";
  if (!isAppend || !isWhole || append.parent.parent?.field !== "body") return undefined;
  // Any other way through the loop would leave the list shorter or longer than its rounds.
  if (append.parent.parent.children.length !== 1) return undefined;
  return { made: append, count: countOf(loop) };
}

function countOf(clause: SyntaxNode): SyntaxNode | undefined {
  const iterated = clause.child("right");
  if (iterated?.type !== "call" || iterated.child("function")?.text !== "range") return undefined;
  const { positional } = callArguments(iterated);
  return positional.length === 1 ? positional[0] : undefined;
}

function isFew(count: SyntaxNode | undefined): boolean {
  return count !== undefined && /^[1-4]$/.test(count.text);
}

/** The list of modules around a comprehension: nn.ModuleList([…]), nn.Sequential(*[…]). */
function outermost(made: SyntaxNode): SyntaxNode {
  let at = made;
  while (at.parent !== undefined) {
    const { parent } = at;
    const callee = parent.parent?.type === "call" ? parent.parent.child("function") : undefined;
    const isOnly = /^(argument_list|list_splat)$/.test(parent.type) && parent.children.length === 1;
    if (parent.type === "list_splat") at = parent;
    else if (isOnly && /(^|\.)(ModuleList|Sequential|list)$/.test(callee?.text ?? ""))
      at = parent.parent!;
    else break;
  }
  // A generator may be the only argument, without brackets of its own.
  const { parent } = at;
  return at.type === "generator_expression" &&
    at.field === "arguments" &&
    /(^|\.)(ModuleList|Sequential|list)$/.test(parent?.child("function")?.text ?? "")
    ? parent!
    : at;
}

/** Where the copies are kept, in a statement that further statements can follow. */
function stackAt(
  made: SyntaxNode,
  suffix: string,
  around: FunctionDefinition,
): CopiedStack | undefined {
  const callee = made.child("function");
  if (callee?.child("attribute")?.text === "append") {
    return statementOf(made.parent!.parent!.parent, dottedName(callee.child("object")), around);
  }
  const whole = outermost(made);
  if (whole.parent?.type === "assignment" && whole.field === "right") {
    const kept = dottedName(whole.parent.child("left"));
    return statementOf(whole.parent.parent, kept && kept + suffix, around);
  }
  const isSuper = callee?.child("object")?.text.startsWith("super(") === true;
  return isSuper ? statementOf(whole.parent, `self${suffix}`, around) : undefined;
}

function statementOf(
  statement: SyntaxNode | undefined,
  layers: string | undefined,
  around: FunctionDefinition,
): CopiedStack | undefined {
  const block = statement?.parent;
  if (statement === undefined || layers === undefined || block?.type !== "block") return undefined;
  if (!/^(expression|for)_statement$/.test(statement.type)) return undefined;
  return { function: around, statement, block, layers };
}
