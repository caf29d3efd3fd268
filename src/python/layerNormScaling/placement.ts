import type { SyntaxNode } from "../syntax";
import type { LayerFlow, NormUse } from "./flow";
import type { Part } from "./values";

/** Where a norm stands in its layer, by what it is given and what becomes of its output. */
export type Placement =
  /** x + f(LN x): reads the residual stream, feeds a sublayer. This is what is scaled. */
  | "pre"
  /** LN(x + f x): its output is the residual stream. */
  | "post"
  /** x + LN(f x): normalises a sublayer's output. */
  | "output"
  /** Reads an input that is not the residual stream, such as an encoder's memory. */
  | "context"
  /** Inside a sublayer: queries, keys, a feed-forward's hidden channels. */
  | "inner";

export interface PlacedNorm extends NormUse {
  readonly placement: Placement;
}

/** The placements of a layer's norms; undefined where the layer adds nothing to what it is given. */
export function placeNorms(flow: LayerFlow): PlacedNorm[] | undefined {
  const streams = [...flow.output].filter(isStream);
  const kept = new Set<Part>(flow.output);
  for (const { inputs } of flow.uses) {
    for (const part of inputs) if (part.startsWith("norm:")) kept.add(part);
  }
  const hasPost = [...kept].some((part) => part.startsWith("norm:"));
  if (streams.length === 0 && !hasPost) return undefined;
  return flow.uses.map((use, index) => ({
    ...use,
    placement: placementOf(use, kept.has(`norm:${index}`), streams),
  }));
}

function placementOf({ inputs }: NormUse, isKept: boolean, streams: readonly Part[]): Placement {
  const incoming = [...inputs].filter((part) => isStream(part) || part.startsWith("norm:"));
  if (incoming.length === 0) return isKept ? "output" : "inner";
  if (isKept) return "post";
  return incoming.some((part) => streams.includes(part) || part.startsWith("norm:"))
    ? "pre"
    : "context";
}

function isStream(part: Part): boolean {
  return part.startsWith("stream:");
}

/** Whether two places lie in different arms of one condition, so that only one of them runs. */
export function areExclusive(one: SyntaxNode, other: SyntaxNode): boolean {
  const above = new Set<SyntaxNode>();
  for (let at: SyntaxNode | undefined = one; at !== undefined; at = at.parent) above.add(at);
  let below = other;
  for (let at = other.parent; at !== undefined; below = at, at = at.parent) {
    if (!above.has(at)) continue;
    const arm = at.children.find((child) => above.has(child));
    if (arm === undefined) return false;
    if (at.type === "conditional_expression") {
      const condition = at.children[1];
      return arm !== below && arm !== condition && below !== condition;
    }
    if (at.type === "if_statement") {
      return arm !== below && arm.field !== "condition" && below.field !== "condition";
    }
    // if pre_norm: … return x, and the other way after it
    if (at.type === "block") {
      const [first, second] = arm.start < below.start ? [arm, below] : [below, arm];
      return first !== second && alwaysLeaves(first, first === arm ? one : other);
    }
    return false;
  }
  return false;
}

/** Whether the arm of an if statement around `node` ends by returning. */
function alwaysLeaves(statement: SyntaxNode, node: SyntaxNode): boolean {
  if (statement.type !== "if_statement") return false;
  for (
    let at: SyntaxNode | undefined = node;
    at !== undefined && at !== statement;
    at = at.parent
  ) {
    if (at.type === "block" && at.children.at(-1)?.type === "return_statement") return true;
  }
  return false;
}

/** The condition that chooses between two exclusive places, and whether `one` is where it holds. */
export function conditionBetween(
  one: SyntaxNode,
  other: SyntaxNode,
): { condition: SyntaxNode; holdsAt: boolean } | undefined {
  for (const [node, holdsAtOne] of [
    [one, true],
    [other, false],
  ] as const) {
    let below = node;
    for (let at = node.parent; at !== undefined; below = at, at = at.parent) {
      if (at.type !== "if_statement" && at.type !== "conditional_expression") continue;
      const otherNode = node === one ? other : one;
      const isConsequence =
        at.type === "if_statement" ? below.field === "consequence" : below === at.children[0];
      const holdsOther = below.start <= otherNode.start && otherNode.end <= below.end;
      const condition = at.type === "if_statement" ? at.child("condition") : at.children[1];
      if (isConsequence && !holdsOther && condition !== undefined) {
        return { condition, holdsAt: holdsAtOne };
      }
    }
  }
  return undefined;
}
