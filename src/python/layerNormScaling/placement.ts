import type { SyntaxNode } from "../syntax";
import type { LayerFlow, NormUse } from "./flow/sightings";
import type { ClassDefinition } from "./program";
import type { Part } from "./flow/values";

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
  /** Inside a sublayer (queries, keys, a feed-forward's hidden channels), or outside of the layers. */
  | "inner";

export interface PlacedNorm extends NormUse {
  readonly placement: Placement;
}

/** A class whose code applies norms that are to be scaled. */
export interface ScaledClass {
  readonly definition: ClassDefinition;
  readonly norms: PlacedNorm[];
}

/** The placements of a layer's norms; undefined where the layer adds nothing to what it is given. */
export function placeNorms(flow: LayerFlow): PlacedNorm[] | undefined {
  const streams = [...flow.output].filter(isStream);
  const kept = new Set<Part>(flow.output);
  for (const [index, { inputs }] of flow.uses.entries()) {
    if (flow.outside.has(index)) continue;
    for (const part of inputs) if (part.startsWith("norm:")) kept.add(part);
  }
  const hasPost = [...kept].some((part) => part.startsWith("norm:"));
  if (streams.length === 0 && !hasPost) return undefined;
  return flow.uses.map((use, index) => ({
    ...use,
    placement: flow.outside.has(index)
      ? "inner"
      : placementOf(use, kept.has(`norm:${index}`), streams),
  }));
}

function placementOf(
  { inputs, isSumLost }: NormUse,
  isKept: boolean,
  streams: readonly Part[],
): Placement {
  const incoming = [...inputs].filter((part) => isStream(part) || part.startsWith("norm:"));
  if (incoming.length === 0) return isKept ? "output" : "inner";
  if (isKept || isSumLost) return "post";
  if (incoming.some((part) => streams.includes(part) || part.startsWith("norm:"))) return "pre";
  // Queries turned by positions that came in as an argument are a branch all the same.
  return inputs.has("branch") ? "inner" : "context";
}

function isStream(part: Part): boolean {
  return part.startsWith("stream:");
}

/** A condition that holds, or does not, wherever a place is reached. */
export interface Guard {
  readonly condition: SyntaxNode;
  readonly holds: boolean;
}

/**
 * The conditions on the way to a place within its function: of the arms it lies in, and of arms
 * before it that return (`if pre_norm: … return x`).
 */
export function guardsOf(node: SyntaxNode): Guard[] {
  const guards: Guard[] = [];
  let below = node;
  for (let at = node.parent; at !== undefined; below = at, at = at.parent) {
    if (at.type === "function_definition") break;
    if (at.type === "if_statement") {
      const condition = at.child("condition");
      if (condition === undefined || below === condition) continue;
      // What an elif chain leaves open is more than the first condition's opposite.
      const isElse = below.type === "else_clause" || below.type === "elif_clause";
      guards.push(guard(condition, !isElse));
    } else if (at.type === "conditional_expression") {
      const condition = at.children[1];
      if (condition === undefined || below === condition) continue;
      guards.push(guard(condition, below === at.children[0]));
    } else if (at.type === "block") {
      for (const statement of at.children) {
        if (statement === below) break;
        const condition = statement.child("condition");
        if (statement.type !== "if_statement" || condition === undefined) continue;
        const last = statement.child("consequence")?.children.at(-1);
        if (last?.type === "return_statement") guards.push(guard(condition, false));
      }
    }
  }
  return guards;
}

/** `not flag` holds where `flag` does not. */
function guard(condition: SyntaxNode, holds: boolean): Guard {
  const inner = condition.children[0];
  if (inner !== undefined && condition.type === "not_operator") return guard(inner, !holds);
  if (inner !== undefined && condition.type === "parenthesized_expression") {
    return guard(inner, holds);
  }
  return { condition, holds };
}

/** The guard of one place whose opposite guards the other: only one of the two is ever run. */
export function opposingGuard(one: SyntaxNode, other: SyntaxNode): Guard | undefined {
  const others = guardsOf(other);
  return guardsOf(one).find(({ condition, holds }) =>
    others.some(
      (against) =>
        against.holds !== holds &&
        against.condition.text === condition.text &&
        // A local variable may change between the two.
        (against.condition === condition || isFixed(condition)),
    ),
  );
}

/** An attribute, such as self.norm_first, stays what it is during forward. */
function isFixed({ type }: SyntaxNode): boolean {
  return type === "attribute";
}
