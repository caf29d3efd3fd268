import type {
  Activation,
  Attention,
  Factor,
  FeedForward,
  LayerDescription,
  Linear,
  Norm,
  Rotary,
  Sublayer,
} from "../architecture/description";
import type { Graph, Value } from "./graph";
import { GraphBuilder } from "./graph";

/** Names a layer's graph is fed under. */
export const layerInputs = {
  /** Residual stream x_i [batch, sequence, hidden]. */
  stream: "stream",
  /** Cosines and sines of the rotary angles [sequence, headSize / 2]. */
  cosine: "cosine",
  sine: "sine",
  /** Added to the attention scores [sequence, sequence]: 0 where a token may attend. */
  mask: "mask",
  /** Whether each row keeps its sublayer [batch, 1, 1]; only in graphs with switches. */
  keepAttention: "keep_attention",
  keepFeedForward: "keep_feed_forward",
} as const;

/** Names a layer's graph returns under, all [batch, sequence, hidden]. */
export const layerOutputs = {
  /** x_{i+1}. */
  stream: "next_stream",
  /** What the attention and the feed-forward add to the stream, and what each is added to. */
  attention: "attention",
  attentionBase: "attention_base",
  feedForward: "feed_forward",
  feedForwardBase: "feed_forward_base",
} as const;

/**
 * One layer as a graph, in the formulas of its description.
 *
 * @param switches whether each row of the batch can be run without its attention or feed-forward
 */
export function layerGraph(layer: LayerDescription, hiddenSize: number, switches: boolean): Graph {
  const builder = new GraphBuilder();
  const stream = builder.input(layerInputs.stream, {
    elementType: "float32",
    shape: ["batch", "sequence", hiddenSize],
  });
  const positions = positionInputs(builder, layer.attention.module);
  const keep = (name: string): Value | undefined =>
    switches ? builder.input(name, { elementType: "bool", shape: ["batch", 1, 1] }) : undefined;

  const attended = sublayer(
    builder,
    layer.attention,
    stream,
    stream,
    (x) => attention(builder, x, layer.attention.module, positions),
    keep(layerInputs.keepAttention),
  );
  const fed = sublayer(
    builder,
    layer.feedForward,
    attended.stream,
    layer.isParallel ? stream : attended.stream,
    (x) => feedForward(builder, x, layer.feedForward.module),
    keep(layerInputs.keepFeedForward),
  );
  builder.output(layerOutputs.stream, fed.stream);
  builder.output(layerOutputs.attention, attended.added);
  builder.output(layerOutputs.attentionBase, attended.base);
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

/** The norm of x, or x where there is none. */
export function normalised(builder: GraphBuilder, x: Value, norm: Norm | undefined): Value {
  return norm ? normalise(builder, x, norm) : x;
}

/** weight ⊙ (x − mean) / √(mean (x − mean)² + ε) + bias, over the innermost axis (see `Norm`). */
function normalise(builder: GraphBuilder, x: Value, norm: Norm): Value {
  const { shape } = x.type;
  const size = shape.at(-1) as number;
  const grouped =
    norm.groups === 1
      ? x
      : builder.reshape(x, [...shape.slice(0, -1), norm.groups, size / norm.groups]);
  const mean = (value: Value): Value => builder.apply("ReduceMean", [value], { axis: -1 });
  const centred = norm.kind === "layer" ? builder.apply("Sub", [grouped, mean(grouped)]) : grouped;
  const squares = mean(builder.multiply(centred, centred));
  const root = builder.apply("Sqrt", [builder.add(squares, builder.scalar(norm.epsilon))]);
  const unit = builder.apply("Div", [centred, root]);
  const joined = norm.groups === 1 ? unit : builder.reshape(unit, shape);
  const weighted = norm.weight ? builder.multiply(joined, builder.weight(norm.weight)) : joined;
  return norm.bias ? builder.add(weighted, builder.weight(norm.bias)) : weighted;
}

function scaled(builder: GraphBuilder, x: Value, factor: Factor): Value {
  if (factor === 1) return x;
  const by = typeof factor === "number" ? builder.scalar(factor) : builder.weight(factor);
  return builder.multiply(x, by);
}

interface Positions {
  readonly cosine: Value;
  readonly sine: Value;
  readonly mask: Value;
}

function positionInputs(builder: GraphBuilder, { headSize }: Attention): Positions {
  const angles = { elementType: "float32", shape: ["sequence", headSize / 2] } as const;
  return {
    cosine: builder.input(layerInputs.cosine, angles),
    sine: builder.input(layerInputs.sine, angles),
    mask: builder.input(layerInputs.mask, {
      elementType: "float32",
      shape: ["sequence", "sequence"],
    }),
  };
}

/** softmax(q kᵀ / √headSize + mask) v, each key-value head shared by a group of query heads. */
function attention(
  builder: GraphBuilder,
  x: Value,
  module: Attention,
  { cosine, sine, mask }: Positions,
): Value {
  const { heads, keyValueHeads, headSize } = module;
  const groups = heads / keyValueHeads;
  const split = (projection: Linear, perKey: number): Value =>
    builder.reshape(linear(builder, x, projection), [
      "batch",
      "sequence",
      keyValueHeads,
      perKey,
      headSize,
    ]);
  // [batch, keyValueHeads, groups or 1, sequence, headSize]
  const headsFirst = (value: Value): Value => builder.transpose(value, [0, 2, 3, 1, 4]);
  const rotated = (value: Value): Value => rotate(builder, headsFirst(value), cosine, sine);

  const query = rotated(normalised(builder, split(module.query, groups), module.queryNorm));
  const key = rotated(normalised(builder, split(module.key, 1), module.keyNorm));
  const value = headsFirst(split(module.value, 1));
  const scaledQuery = builder.multiply(query, builder.scalar(1 / Math.sqrt(headSize)));
  const scores = builder.apply("MatMul", [scaledQuery, builder.transpose(key, [0, 1, 2, 4, 3])]);
  const weights = builder.apply("Softmax", [builder.add(scores, mask)]);
  const mixed = builder.apply("MatMul", [weights, value]);
  const joined = builder.reshape(builder.transpose(mixed, [0, 3, 1, 2, 4]), [
    "batch",
    "sequence",
    heads * headSize,
  ]);
  return linear(builder, joined, module.output);
}

/** Turns each pair of channels (c, c + headSize/2) by its position's angle. */
function rotate(builder: GraphBuilder, x: Value, cosine: Value, sine: Value): Value {
  const size = x.type.shape.at(-1) as number;
  const half = size / 2;
  const first = builder.apply("Slice", [x], { axis: -1, start: 0, end: half });
  const second = builder.apply("Slice", [x], { axis: -1, start: half, end: size });
  const times = builder.multiply.bind(builder);
  return builder.apply(
    "Concat",
    [
      builder.apply("Sub", [times(first, cosine), times(second, sine)]),
      builder.add(times(second, cosine), times(first, sine)),
    ],
    { axis: -1 },
  );
}

/** down(activation(gate x) ⊙ up x). */
function feedForward(builder: GraphBuilder, x: Value, module: FeedForward): Value {
  const gate = activations[module.activation](builder, linear(builder, x, module.gate));
  return linear(builder, builder.multiply(gate, linear(builder, x, module.up)), module.down);
}

function linear(builder: GraphBuilder, x: Value, { weight, bias }: Linear): Value {
  const product = builder.apply("Linear", [x, builder.weight(weight)]);
  return bias ? builder.add(product, builder.weight(bias)) : product;
}

const activations: Record<Activation, (builder: GraphBuilder, x: Value) => Value> = {
  // x σ(x)
  silu: (builder, x) => builder.multiply(x, builder.apply("Sigmoid", [x])),
  // x (1 + erf(x/√2)) / 2
  gelu: (builder, x) => {
    const erf = builder.apply("Erf", [builder.multiply(x, builder.scalar(Math.SQRT1_2))]);
    const half = builder.multiply(x, builder.scalar(0.5));
    return builder.multiply(half, builder.add(erf, builder.scalar(1)));
  },
  // x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
  gelu_tanh: (builder, x) => {
    const cube = builder.multiply(builder.multiply(x, x), x);
    const inner = builder.add(x, builder.multiply(cube, builder.scalar(0.044715)));
    const tanh = builder.apply("Tanh", [
      builder.multiply(inner, builder.scalar(Math.sqrt(2 / Math.PI))),
    ]);
    const half = builder.multiply(x, builder.scalar(0.5));
    return builder.multiply(half, builder.add(tanh, builder.scalar(1)));
  },
};

/** Cosines and sines of position × frequency, row-major [sequence, pairs]. */
export function rotaryTables(
  { inverseFrequencies }: Rotary,
  sequence: number,
): { cosine: Float32Array; sine: Float32Array } {
  const pairs = inverseFrequencies.length;
  const cosine = new Float32Array(sequence * pairs);
  const sine = new Float32Array(sequence * pairs);
  for (let position = 0; position < sequence; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * inverseFrequencies[pair]!;
      cosine[position * pairs + pair] = Math.cos(angle);
      sine[position * pairs + pair] = Math.sin(angle);
    }
  }
  return { cosine, sine };
}

/**
 * The causal mask, row-major [sequence, sequence]. Padding stands at the end of a row, so no real
 * token attends to it. Masked scores are finite: shader compilers may assume that infinities are not.
 */
export function causalMask(sequence: number, window: number | undefined): Float32Array {
  const mask = new Float32Array(sequence * sequence);
  for (let query = 0; query < sequence; query++) {
    const oldest = window === undefined ? 0 : query - window + 1;
    for (let key = 0; key < sequence; key++) {
      if (key > query || key < oldest) mask[query * sequence + key] = -1e30;
    }
  }
  return mask;
}
