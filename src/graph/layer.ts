import type { LayerDescription, Sublayer } from "../architecture/description";
import { attention, attentionInputs, crossAttention } from "./attention";
import { feedForward } from "./feedForward";
import type { Graph, Value } from "./graph";
import { GraphBuilder } from "./graph";
import { normalised, scaled } from "./modules";

/** Names a layer's graph is fed under. */
export const layerInputs = {
  /** Residual stream x_i [batch, sequence, hidden]. */
  stream: "stream",
  ...attentionInputs,
  /** Whether each row keeps its sublayer [batch, 1, 1]; only in graphs with switches. */
  keepAttention: "keep_attention",
  keepCrossAttention: "keep_cross_attention",
  keepFeedForward: "keep_feed_forward",
} as const;

/** Names a layer's graph returns under, all [batch, sequence, hidden]. */
export const layerOutputs = {
  /** x_{i+1}. */
  stream: "next_stream",
  /** What each sublayer adds to the stream, and what that is added to. */
  attention: "attention",
  attentionBase: "attention_base",
  /** Only of layers that have it. */
  crossAttention: "cross_attention",
  crossAttentionBase: "cross_attention_base",
  feedForward: "feed_forward",
  feedForwardBase: "feed_forward_base",
} as const;

/**
 * One layer as a graph, in the formulas of its description.
 *
 * @param switches whether each row of the batch can be run without one of its sublayers
 */
export function layerGraph(layer: LayerDescription, hiddenSize: number, switches: boolean): Graph {
  const builder = new GraphBuilder();
  const stream = builder.input(layerInputs.stream, {
    elementType: "float32",
    shape: ["batch", "sequence", hiddenSize],
  });
  const keep = (name: string): Value | undefined =>
    switches ? builder.input(name, { elementType: "bool", shape: ["batch", 1, 1] }) : undefined;

  const attended = sublayer(
    builder,
    layer.attention,
    stream,
    stream,
    (x) => attention(builder, x, layer.attention.module),
    keep(layerInputs.keepAttention),
  );
  const { crossAttention: cross } = layer;
  const crossed =
    cross &&
    sublayer(
      builder,
      cross,
      attended.stream,
      attended.stream,
      (x) => crossAttention(builder, x, cross.module),
      keep(layerInputs.keepCrossAttention),
    );
  const reached = (crossed ?? attended).stream;
  const fed = sublayer(
    builder,
    layer.feedForward,
    reached,
    layer.isParallel ? stream : reached,
    (x) => feedForward(builder, x, layer.feedForward.module),
    keep(layerInputs.keepFeedForward),
  );
  builder.output(layerOutputs.stream, fed.stream);
  builder.output(layerOutputs.attention, attended.added);
  builder.output(layerOutputs.attentionBase, attended.base);
  if (crossed) {
    builder.output(layerOutputs.crossAttention, crossed.added);
    builder.output(layerOutputs.crossAttentionBase, crossed.base);
  }
  builder.output(layerOutputs.feedForward, fed.added);
  builder.output(layerOutputs.feedForwardBase, fed.base);
  return builder.build();
}

/**
 * sumNorm(streamScale ⊙ stream + branchScale ⊙ branchNorm(f(inputScale · inputNorm(input)))); a row
 * that does not keep the sublayer passes unchanged.
 *
 * @returns the stream afterwards, and the sum's two sides
 */
function sublayer<Module>(
  builder: GraphBuilder,
  description: Sublayer<Module>,
  stream: Value,
  input: Value,
  apply: (x: Value) => Value,
  keep: Value | undefined,
): { stream: Value; base: Value; added: Value } {
  const { inputNorm, inputScale, branchNorm, branchScale, streamScale, sumNorm } = description;
  const branch = apply(scaled(builder, normalised(builder, input, inputNorm), inputScale));
  const added = scaled(builder, normalised(builder, branch, branchNorm), branchScale);
  const base = scaled(builder, stream, streamScale);
  const sum = normalised(builder, builder.add(base, added), sumNorm);
  return { stream: keep ? builder.apply("Where", [keep, sum, stream]) : sum, base, added };
}
