import type { Attention, Latent, Linear, Norm, Rotary } from "../architecture/description";
import type { GraphBuilder, Value } from "./graph";
import { linear, normalised, normalisedEach, scaled } from "./modules";

/** Names of what an attention is fed besides the stream; each only where it is used. */
export const attentionInputs = {
  /** Cosines and sines of the rotary angles [sequence, pairs]. */
  cosine: "cosine",
  sine: "sine",
  /** Those of the keys [sequence, pairs], where the heads are turned as one row. */
  keyCosine: "key_cosine",
  keySine: "key_sine",
  /**
   * Added to the attention scores, 0 where a token may attend: [sequence, sequence], or with ALiBi's
   * slopes [keyValueHeads, groups, sequence, sequence].
   */
  mask: "mask",
  /** Added to the scores of padding [batch, 1, 1, 1, sequence], where a token may attend to later ones. */
  padding: "padding",
  /** Row of the table of relative biases for each query and key [sequence, sequence]. */
  buckets: "buckets",
  /** What cross-attention's keys and values are of: the encoder's output [batch, source, hidden]. */
  memory: "memory",
  /** Added to the scores, 0 where a token may attend [sequence, source]. */
  memoryMask: "memory_mask",
  /** Added to the scores of its padding [batch, 1, 1, 1, source]. */
  memoryPadding: "memory_padding",
} as const;

/** softmax(scale · q kᵀ + mask) v, each key-value head shared by a group of query heads. */
export function attention(builder: GraphBuilder, x: Value, module: Attention): Value {
  const { latent } = module;
  const { scores, value } = latent
    ? latentScores(builder, x, module, latent)
    : plainScores(builder, x, x, module);
  const told = biased(builder, capped(builder, scores, module.softcap), module);
  return mixed(builder, masked(builder, told, module), value, module);
}

/**
 * The same with the keys and values of an encoder's output, all of which every token may attend to; or,
 * where the attention is not bidirectional, no later ones.
 */
export function crossAttention(builder: GraphBuilder, x: Value, module: Attention): Value {
  const memory = builder.input(attentionInputs.memory, {
    elementType: "float32",
    shape: ["batch", sourceAxis, module.key.weight.shape[1]!],
  });
  const padding = builder.input(attentionInputs.memoryPadding, {
    elementType: "float32",
    shape: ["batch", 1, 1, 1, sourceAxis],
  });
  const { scores, value } = plainScores(builder, x, memory, module);
  const told = builder.add(scores, padding);
  const seen = module.isBidirectional
    ? told
    : builder.add(
        told,
        builder.input(attentionInputs.memoryMask, {
          elementType: "float32",
          shape: ["sequence", sourceAxis],
        }),
      );
  return mixed(builder, seen, value, module);
}

/** The symbol of the axis of an encoder's tokens. */
export const sourceAxis = "source";

/** The values by the softmax of the scores, projected. */
function mixed(builder: GraphBuilder, scores: Value, value: Value, module: Attention): Value {
  const { heads, valueSize } = module;
  const weights = builder.apply("Softmax", [scores]);
  const sums = builder.apply("MatMul", [weights, value]);
  const joined = builder.reshape(builder.transpose(sums, [0, 3, 1, 2, 4]), [
    "batch",
    "sequence",
    heads * valueSize,
  ]);
  return linear(builder, joined, module.output);
}

/** Scores [batch, keyValueHeads, groups, sequence, sequence] and values [batch, keyValueHeads, 1, …]. */
interface ScoresAndValue {
  readonly scores: Value;
  readonly value: Value;
}

/**
 * scale · q kᵀ of projections of the stream.
 *
 * @param source what keys and values are of: the stream too, or an encoder's output
 */
function plainScores(
  builder: GraphBuilder,
  x: Value,
  source: Value,
  module: Attention,
): ScoresAndValue {
  const { heads, keyValueHeads, headSize, valueSize, normsSpan, headNorms, clip } = module;
  const projection = (of: Value, part: Linear): Value =>
    clamped(builder, linear(builder, of, part), clip);
  const projected = (
    of: Value,
    part: Linear,
    norm: Norm | undefined,
    each: readonly Norm[] | undefined,
    perKey: number,
  ): Value => {
    const split = (all: Value): Value => perHead(builder, all, keyValueHeads, perKey, headSize);
    if (each) return normalisedEach(builder, split(projection(of, part)), each);
    return normsSpan === "heads"
      ? split(normalised(builder, projection(of, part), norm))
      : normalised(builder, split(projection(of, part)), norm);
  };
  const { query: turnQuery, key: turnKey } = rotations(builder, module);
  const query = turnQuery(
    projected(x, module.query, module.queryNorm, headNorms?.query, heads / keyValueHeads),
  );
  const key = turnKey(projected(source, module.key, module.keyNorm, headNorms?.key, 1));
  const value = headsFirst(
    builder,
    perHead(builder, projection(source, module.value), keyValueHeads, 1, valueSize),
  );
  return { scores: products(builder, scaled(builder, query, module.scale), key), value };
}

/** scale · (q kᵀ of what is not rotated + of what is, whose key all heads share); see `Latent`. */
function latentScores(
  builder: GraphBuilder,
  x: Value,
  module: Attention,
  { query: queryLatent, down, rank, norm }: Latent,
): ScoresAndValue {
  const { heads, headSize, valueSize, rotary } = module;
  const rotatedSize = 2 * (rotary?.inverseFrequencies.length ?? 0);
  const plainSize = headSize - rotatedSize;
  const slice = (value: Value, start: number, end: number): Value =>
    builder.apply("Slice", [value], { axis: -1, start, end });
  const rotated = rotation(builder, rotary);

  const source = queryLatent
    ? normalised(builder, linear(builder, x, queryLatent.down), queryLatent.norm)
    : x;
  const allQueries = perHead(builder, linear(builder, source, module.query), heads, 1, headSize);
  const query = scaled(builder, headsFirst(builder, allQueries), module.scale);
  const compressed = linear(builder, x, down);
  const latent = normalised(builder, slice(compressed, 0, rank), norm);
  const keysAndValues = headsFirst(
    builder,
    perHead(builder, linear(builder, latent, module.key), heads, 1, plainSize + valueSize),
  );
  const shared = slice(compressed, rank, rank + rotatedSize);
  const sharedKey = rotated(headsFirst(builder, perHead(builder, shared, 1, 1, rotatedSize)));
  return {
    scores: builder.add(
      products(builder, slice(query, 0, plainSize), slice(keysAndValues, 0, plainSize)),
      products(builder, rotated(slice(query, plainSize, headSize)), sharedKey),
    ),
    value: slice(keysAndValues, plainSize, plainSize + valueSize),
  };
}

/** All heads' channels of [batch, tokens, channels] told apart: [batch, tokens, keyValueHeads, perKey, size]. */
function perHead(
  builder: GraphBuilder,
  all: Value,
  keyValueHeads: number,
  perKey: number,
  size: number,
): Value {
  return builder.reshape(all, [...all.type.shape.slice(0, 2), keyValueHeads, perKey, size]);
}

/** [batch, keyValueHeads, perKey, sequence, size] */
function headsFirst(builder: GraphBuilder, value: Value): Value {
  return builder.transpose(value, [0, 2, 3, 1, 4]);
}

/** q kᵀ */
function products(builder: GraphBuilder, query: Value, key: Value): Value {
  return builder.apply("MatMul", [query, builder.transpose(key, [0, 1, 2, 4, 3])]);
}

/** x no further from 0 than the limit, or x without one. */
function clamped(builder: GraphBuilder, x: Value, limit: number | undefined): Value {
  if (limit === undefined) return x;
  const [most, least] = [builder.scalar(limit), builder.scalar(-limit)];
  const belowMost = builder.apply("Where", [builder.apply("Greater", [x, most]), most, x]);
  return builder.apply("Where", [builder.apply("Greater", [least, x]), least, belowMost]);
}

/** cap · tanh(x / cap), or x without a cap. */
export function capped(builder: GraphBuilder, x: Value, cap: number | undefined): Value {
  if (cap === undefined) return x;
  return scaled(builder, builder.apply("Tanh", [scaled(builder, x, 1 / cap)]), cap);
}

/** Scores [batch, keyValueHeads, groups, sequence, sequence] with what their distance adds. */
function biased(builder: GraphBuilder, scores: Value, module: Attention): Value {
  const { relativeBias, heads, keyValueHeads } = module;
  if (relativeBias === undefined) return scores;
  const buckets = builder.input(attentionInputs.buckets, {
    elementType: "int64",
    shape: ["sequence", "sequence"],
  });
  const chosen = builder.apply("Gather", [builder.storedWeight(relativeBias.table), buckets]);
  const perHead = builder.reshape(builder.toFloat32(chosen), [
    "sequence",
    "sequence",
    keyValueHeads,
    heads / keyValueHeads,
  ]);
  return builder.add(scores, builder.transpose(perHead, [2, 3, 0, 1]));
}

function masked(builder: GraphBuilder, scores: Value, module: Attention): Value {
  const { heads, keyValueHeads } = module;
  const perHead = module.slopes ? [keyValueHeads, heads / keyValueHeads] : [];
  const bias = isMasked(module)
    ? builder.add(
        scores,
        builder.input(attentionInputs.mask, {
          elementType: "float32",
          shape: [...perHead, "sequence", "sequence"],
        }),
      )
    : scores;
  if (!module.isBidirectional) return bias;
  const padding = builder.input(attentionInputs.padding, {
    elementType: "float32",
    shape: ["batch", 1, 1, 1, "sequence"],
  });
  return builder.add(bias, padding);
}

/** What turns queries and keys [batch, sequence, keyValueHeads, perKey, size] and puts their heads first. */
function rotations(
  builder: GraphBuilder,
  { rotary }: Attention,
): { query: (x: Value) => Value; key: (x: Value) => Value } {
  const turn = rotation(builder, rotary);
  if (!rotary?.acrossHeads) {
    const turned = (x: Value): Value => turn(headsFirst(builder, x));
    return { query: turned, key: turned };
  }
  const keys = { ...rotary, inverseFrequencies: rotary.acrossHeads.keyFrequencies };
  const { keyCosine, keySine } = attentionInputs;
  const turnKey = rotation(builder, keys, { cosine: keyCosine, sine: keySine });
  const asOneRow = (x: Value, turnRow: (row: Value) => Value): Value => {
    const [keyValueHeads, perKey, size] = x.type.shape.slice(2) as [number, number, number];
    const row = builder.reshape(x, ["batch", "sequence", keyValueHeads * perKey * size]);
    return headsFirst(builder, builder.reshape(turnRow(row), x.type.shape));
  };
  return { query: (x) => asOneRow(x, turn), key: (x) => asOneRow(x, turnKey) };
}

/** Turns each pair of channels by its position's angle; channels beyond the pairs pass unchanged. */
function rotation(
  builder: GraphBuilder,
  rotary: Rotary | undefined,
  inputs: { readonly cosine: string; readonly sine: string } = attentionInputs,
): (x: Value) => Value {
  if (rotary === undefined) return (x) => x;
  const pairs = rotary.inverseFrequencies.length;
  const angles = { elementType: "float32", shape: ["sequence", pairs] } as const;
  const cosine = builder.input(inputs.cosine, angles);
  const sine = builder.input(inputs.sine, angles);
  const slice = (x: Value, start: number, end: number): Value =>
    builder.apply("Slice", [x], { axis: -1, start, end });
  const concat = (parts: Value[]): Value => builder.apply("Concat", parts, { axis: -1 });
  const turned = (first: Value, second: Value, along: (table: Value) => Value): Value => {
    const [c, s] = [along(cosine), along(sine)];
    const times = builder.multiply.bind(builder);
    return concat([
      builder.apply("Sub", [times(first, c), times(second, s)]),
      builder.add(times(second, c), times(first, s)),
    ]);
  };
  const rotate = {
    halves: (x: Value) => turned(slice(x, 0, pairs), slice(x, pairs, 2 * pairs), (table) => table),
    neighbours: (x: Value) => {
      const inPairs = builder.reshape(x, [...x.type.shape.slice(0, -1), pairs, 2]);
      const together = turned(slice(inPairs, 0, 1), slice(inPairs, 1, 2), (table) =>
        builder.reshape(table, ["sequence", pairs, 1]),
      );
      return builder.reshape(together, x.type.shape);
    },
  }[rotary.pairing];
  return (x) => {
    const size = x.type.shape.at(-1) as number;
    if (size === 2 * pairs) return rotate(x);
    return concat([rotate(slice(x, 0, 2 * pairs)), slice(x, 2 * pairs, size)]);
  };
}

/** Whether something of the sequence itself is added to the scores. */
export function isMasked({ isBidirectional, slopes, window }: Attention): boolean {
  return !isBidirectional || slopes !== undefined || window !== undefined;
}
