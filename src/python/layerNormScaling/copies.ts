import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { Site } from "./construction";
import { superConstructorCall } from "./flow";
import { freeNameIn } from "./indices";
import { scaleName } from "./names";
import type { EditList } from "./edits";
import { addClassAttribute, addStatement } from "./edits";
import type { ClassDefinition, Program } from "./program";

/** PyTorch's stack of copies of one layer, and how the code reaches the list of them. */
export interface CopiedStack {
  readonly statement: SyntaxNode;
  readonly block: SyntaxNode;
  /** `self.encoder.layers` */
  readonly layers: string;
}

/**
 * nn.TransformerEncoder(layer, n) deep-copies its layer, so a layer learns its index only after
 * that: where the stack is kept, the factors are set on the copies.
 */
export function copiedStackOf(site: Site, program: Program): CopiedStack | undefined {
  const { call, function: around } = site;
  if (around === undefined || site.loops.length > 0) return undefined;
  const stacks = usesOf(site).flatMap((use) => {
    const stack = use.parent?.type === "argument_list" ? use.parent.parent : undefined;
    if (stack?.type !== "call" || use.parent?.children[0] !== use) return [];
    return isStack(stack, site, program) ? [stack] : [];
  });
  const [stack, ...more] = stacks;
  if (stack === undefined || more.length > 0 || stacks.length !== usesOf(site).length)
    return undefined;
  const layers = layersOf(stack);
  const holder = stack.parent?.type === "assignment" ? stack.parent : stack;
  const statement = holder.parent;
  const block = statement?.parent;
  if (layers === undefined || statement?.type !== "expression_statement") return undefined;
  return block?.type === "block" && call.start >= block.start
    ? { statement, block, layers }
    : undefined;
}

/** The factor starts as 1, for a layer by itself, and is set on each copy. */
export function scaleCopies(
  edits: EditList,
  definition: ClassDefinition,
  site: Site,
  stack: CopiedStack,
): void {
  addClassAttribute(
    edits,
    definition.module,
    definition.body,
    `${scaleName} = 1.0  # LayerNorm Scaling: set where the layers are copied`,
  );
  const scope = site.function!.node;
  const index = freeNameIn("layer_idx", scope);
  const used = new Set(
    [...descendants(scope)].filter(({ type }) => type === "identifier").map(({ text }) => text),
  );
  const layer = ["layer", "block", "module"].find((name) => !used.has(name)) ?? "copied_layer";
  addStatement(edits, site.module, stack.block, stack.statement, [
    `for ${index}, ${layer} in enumerate(${stack.layers}):`,
    `${layer}.${scaleName} = (${index} + 1) ** -0.5  # LayerNorm Scaling`,
  ]);
}

/** The construction itself, or the uses of the local name that it is given. */
function usesOf({ call, function: around }: Site): SyntaxNode[] {
  const target = call.parent?.type === "assignment" ? call.parent.child("left") : undefined;
  if (target === undefined) return [call];
  if (target.type !== "identifier" || around === undefined) return [];
  return [...descendants(around.body)].filter(
    (node) =>
      node.type === "identifier" &&
      node.text === target.text &&
      node !== target &&
      node.field !== "name",
  );
}

function isStack(call: SyntaxNode, site: Site, program: Program): boolean {
  const isName = (name: string): boolean => /(^|\.)Transformer(En|De)coder$/.test(name);
  const callee = dottedName(call.child("function"));
  if (callee !== undefined)
    return isName(callee) && typeof (program.resolve(callee, site.module) ?? "") === "string";
  const owner = site.function?.owner;
  if (owner === undefined || superConstructorCall(site.function!) !== call) return false;
  return program.foreignBases(owner).some(isName);
}

function layersOf(stack: SyntaxNode): string | undefined {
  if (stack.parent?.type === "assignment") {
    const left = stack.parent.child("left");
    return left !== undefined && dottedName(left) !== undefined ? `${left.text}.layers` : undefined;
  }
  const isSuper = stack.child("function")?.child("object")?.text.startsWith("super(") === true;
  return isSuper ? "self.layers" : undefined;
}
