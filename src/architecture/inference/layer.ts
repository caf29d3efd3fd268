import type { Checkpoint } from "../../checkpoint/checkpoint";
import type { AttentionParts } from "./attentionParts";
import { attentionParts } from "./attentionParts";
import { isNoWeight, rotaryKindOf } from "./ends";
import type { FeedForwardParts } from "./feedForwardParts";
import { feedForwardParts } from "./feedForwardParts";
import type { ScaleVectors } from "./norms";
import { isNorm, normOrders, scaleVectors } from "./norms";
import type { Orientation, Part } from "./parts";
import { partsOf, withoutKernel } from "./parts";
import type { Tensors } from "./stack";
import { crossAttentionNames, refusal } from "./stack";

/** One layer's parts by what they do, as far as names and shapes tell. */
export interface LayerParts {
  readonly attention: AttentionParts;
  /** To what another stack computes; undefined where there is none. */
  readonly crossAttention: AttentionParts | undefined;
  readonly feedForward: FeedForwardParts;
  /** LayerScale's or Admin's vectors; undefined where there are none. */
  readonly scales: ScaleVectors | undefined;
  /**
   * The norms in the order of the sublayers they belong to, a scheme saying where each stands: the order
   * that names tell, or those that are possible, the likeliest first.
   */
  readonly normOrders: readonly (readonly Part[])[];
}

/** Tensors that a module keeps beside its weights, and that compute nothing by themselves. */
const buffers =
  /(^|\.)(mask|tril|triu|bias_mask|causal_mask|attn_mask|masked_bias|IGNORE|(kv?_?|v_?)cache|cache_(kv?|v))$/;

/**
 * Tells the parts of a layer.
 *
 * @param hidden channels of the residual stream
 * @throws CheckpointError naming what has no place in attention, feed-forward or a norm
 */
export function layerParts(
  checkpoint: Checkpoint,
  path: string,
  tensors: Tensors,
  hidden: number,
  orientation: Orientation,
): LayerParts {
  const refuse = (names: readonly string[], what: string) =>
    refusal(
      checkpoint,
      names.map((name) => `${path}.${name}`),
      what,
    );
  const kept = new Map(
    [...tensors].filter(
      ([name, tensor]) =>
        // Rotary positions are read with what stands around the layers.
        !buffers.test(name) &&
        rotaryKindOf(name, tensor) === undefined &&
        !isNoWeight(name, tensor) &&
        !isCausalMask(name, tensor.shape),
    ),
  );
  const parts = partsOf(kept).map(withoutKernel);
  const left = new Set(parts);
  const take = (part: Part): Part => {
    left.delete(part);
    return part;
  };

  const crossing = crossAttentionNames(kept.keys());
  const [crossParts, ownParts] = [true, false].map((isCross) =>
    parts.filter(({ names }) => crossing.has(names[0]!) === isCross),
  ) as [Part[], Part[]];
  const attention = attentionParts(ownParts, hidden, orientation, take, refuse);
  const crossAttention =
    crossParts.length > 0
      ? attentionParts(crossParts, hidden, orientation, take, refuse)
      : undefined;
  if (crossAttention && !isAlike(attention, crossAttention)) {
    throw refuse(
      crossParts.flatMap(({ names }) => names),
      "has an attention to another sequence that is not made as its attention to its own:",
    );
  }
  const isMatrix = ({ weight }: Part): boolean => weight.shape.length === 2;
  const feedForward = feedForwardParts(
    [...left].filter(isMatrix),
    hidden,
    orientation,
    take,
    refuse,
  );
  const scales = scaleVectors([...left], hidden, refuse);
  if (scales && crossAttention) {
    const names = [scales.attention, scales.feedForward].flatMap((part) => part.names);
    throw refuse(
      names,
      "has vectors that scale in layers that attend to another sequence, which is not read:",
    );
  }
  if (scales) [scales.attention, scales.feedForward].forEach(take);
  const norms = [...left].filter((part) => isNorm(part, hidden)).map(take);
  if (left.size > 0) {
    const names = [...left].flatMap((part) => part.names);
    throw refuse(names, "has in its layers what is neither attention, feed-forward nor a norm:");
  }
  return { attention, crossAttention, feedForward, scales, normOrders: normOrders(norms) };
}

/** Whether the attention to another sequence may have as many heads, and has no norms of its own. */
function isAlike(own: AttentionParts, cross: AttentionParts): boolean {
  const isNormed = cross.queryNorm !== undefined || cross.keyNorm !== undefined;
  return !isNormed && own.queryWidth === cross.queryWidth && own.keyWidth === cross.keyWidth;
}

/** [T, T], alone or under leading ones, as GPT-2's old checkpoints call `bias`. */
function isCausalMask(name: string, shape: readonly number[]): boolean {
  const [queries, keys] = shape.slice(-2);
  return shape.length === 4 && queries === keys && /(^|\.)(bias|mask|tril)$/.test(name);
}
