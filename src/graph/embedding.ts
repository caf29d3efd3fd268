import type { Architecture, PatchEmbedding } from "../architecture/description";
import { isPatchEmbedding, tokensOfImage } from "../architecture/description";
import type { Sines } from "../architecture/sines";
import { sineRows } from "../architecture/sines";
import type { TensorEntry } from "../checkpoint/checkpoint";
import { rows } from "../checkpoint/views";
import type { Feed } from "./attentionFeeds";
import type { Graph, Value } from "./graph";
import { GraphBuilder } from "./graph";
import { linear, normalised, scaled } from "./modules";

export const embeddingInputs = {
  /** Token ids [batch, sequence]. */
  tokens: "tokens",
  /** Row of each token in the table of positions [batch, sequence]; only where there is one. */
  positions: "positions",
  /** What is added at each position [sequence, hidden]; only where that is computed. */
  sines: "sines",
  /** Pixels of each patch [batch, tokens, pixels], 0 in those of the first tokens. */
  patches: "patches",
  /** Which constant each token has: [tokens, constants], 1 or 0 (see `patchFeeds`). */
  constants: "constants",
  /** 1 for patches, 0 for the first tokens [tokens, 1]; only where patches are normed. */
  arePatches: "arePatches",
} as const;
export const embeddingOutput = "stream";

/** Token ids, or patches of images → the residual stream x_0 [batch, sequence, hidden]. */
export function embeddingGraph({ embedding }: Pick<Architecture, "embedding">): Graph {
  if (isPatchEmbedding(embedding)) return patchGraph(embedding);
  const { tokens, scale, tokenProjection, positions, sines, segment, norm, projection } = embedding;
  const builder = new GraphBuilder();
  const ids = builder.input(embeddingInputs.tokens, {
    elementType: "int64",
    shape: ["batch", "sequence"],
  });
  // Rows are chosen before they are widened to float32, so the table itself is never copied.
  const chosen = builder.toFloat32(builder.apply("Gather", [builder.storedWeight(tokens), ids]));
  const embedded = scaled(builder, chosen, scale);
  let stream = tokenProjection ? linear(builder, embedded, tokenProjection) : embedded;
  if (positions) {
    const places = builder.input(embeddingInputs.positions, {
      elementType: "int64",
      shape: ["batch", "sequence"],
    });
    const placed = builder.apply("Gather", [builder.storedWeight(positions.table), places]);
    stream = builder.add(stream, builder.toFloat32(placed));
  }
  if (sines) {
    const shape = ["sequence", 2 * sines.frequencies.length] as const;
    stream = builder.add(
      stream,
      builder.input(embeddingInputs.sines, { elementType: "float32", shape }),
    );
  }
  if (segment) stream = builder.add(stream, builder.weight(segment));
  const normed = normalised(builder, stream, norm);
  builder.output(embeddingOutput, projection ? linear(builder, normed, projection) : normed);
  return builder.build();
}

function patchGraph(embedding: PatchEmbedding): Graph {
  const { patches, positions, firstTokens, norm } = embedding;
  const tokens = tokensOfImage(embedding);
  const hiddenSize = patches.weight.shape[0]!;
  const builder = new GraphBuilder();
  const pixels = builder.input(embeddingInputs.patches, {
    elementType: "float32",
    shape: ["batch", tokens, patches.weight.shape[1]!],
  });
  const rowOf = (tensor: TensorEntry): Value =>
    builder.reshape(builder.weight(tensor), [1, hiddenSize]);
  const stacked = (parts: Value[]): Value =>
    parts.length === 1 ? parts[0]! : builder.apply("Concat", parts, { axis: -2 });
  const constants = constantsOf(embedding);
  const projected = isNormed(embedding)
    ? normedPatches(builder, embedding, pixels)
    : builder.apply("Linear", [pixels, builder.weight(patches.weight)]);
  const placed = firstPlaced(embedding);
  const without = firstTokens.slice(placed).map(rowOf);
  const count = positions.shape[0]!;
  const placesOf = (start: number, end: number): Value[] =>
    start < end ? [builder.weight(rows(positions, start, end))] : [];
  const places =
    without.length === 0
      ? builder.weight(positions)
      : stacked([...placesOf(0, placed), ...without, ...placesOf(placed, count)]);
  let stream = builder.add(projected, places);
  if (constants.length > 0) {
    const choice = builder.input(embeddingInputs.constants, {
      elementType: "float32",
      shape: [tokens, constants.length],
    });
    const chosen = [choice, stacked(constants.map(({ tensor }) => rowOf(tensor)))];
    stream = builder.add(stream, builder.apply("MatMul", chosen));
  }
  builder.output(embeddingOutput, normalised(builder, stream, norm));
  return builder.build();
}

/** Of patches that are normed; what norms make of nothing, in place of the first tokens, is taken away. */
function normedPatches(builder: GraphBuilder, embedding: PatchEmbedding, pixels: Value): Value {
  const { patches, pixelNorm, patchNorm } = embedding;
  const projected = linear(builder, normalised(builder, pixels, pixelNorm), patches);
  const arePatches = builder.input(embeddingInputs.arePatches, {
    elementType: "float32",
    shape: [tokensOfImage(embedding), 1],
  });
  return builder.multiply(normalised(builder, projected, patchNorm), arePatches);
}

function isNormed({ pixelNorm, patchNorm }: PatchEmbedding): boolean {
  return pixelNorm !== undefined || patchNorm !== undefined;
}

/** How many of the first tokens have positions, as the patches do. */
function firstPlaced(embedding: PatchEmbedding): number {
  const patches = tokensOfImage(embedding) - embedding.firstTokens.length;
  return embedding.positions.shape[0]! - patches;
}

/** A vector that is added to some of an image's tokens. */
interface Constant {
  readonly tensor: TensorEntry;
  readonly isOf: (token: number) => boolean;
}

/** Each first token's vector, where it is not put before the positions, and the bias of unnormed patches. */
function constantsOf(embedding: PatchEmbedding): Constant[] {
  const { firstTokens, patches } = embedding;
  const first = firstTokens.slice(0, firstPlaced(embedding));
  return [
    ...first.map((tensor, at): Constant => ({ tensor, isOf: (token) => token === at })),
    ...(patches.bias && !isNormed(embedding)
      ? [{ tensor: patches.bias, isOf: (token: number) => token >= firstTokens.length }]
      : []),
  ];
}

/** What an embedding with computed positions is fed for sequences of this many tokens. */
export function sineFeed(sines: Sines, sequence: number): Feed {
  const shape = [sequence, 2 * sines.frequencies.length];
  return { type: "float32", data: sineRows(sines, sequence), shape };
}

/** What the embedding of images is fed, each image [channels, height, width]. */
export function patchFeeds(
  embedding: PatchEmbedding,
  images: readonly Float32Array[],
): Record<string, Feed> {
  const { image, patch, firstTokens } = embedding;
  const tokens = tokensOfImage(embedding);
  const [rows, columns] = patch;
  const across = image.width / columns;
  const size = image.channels * rows * columns;
  const patches = new Float32Array(images.length * tokens * size);
  for (const [number, pixels] of images.entries()) {
    for (let token = firstTokens.length; token < tokens; token++) {
      const place = token - firstTokens.length;
      const top = Math.floor(place / across) * rows;
      const left = (place % across) * columns;
      let at = (number * tokens + token) * size;
      for (let channel = 0; channel < image.channels; channel++) {
        for (let row = top; row < top + rows; row++) {
          const start = (channel * image.height + row) * image.width + left;
          patches.set(pixels.subarray(start, start + columns), at);
          at += columns;
        }
      }
    }
  }
  const constants = constantsOf(embedding);
  const choice = Float32Array.from({ length: tokens * constants.length }, (_, at) =>
    constants[at % constants.length]!.isOf(Math.floor(at / constants.length)) ? 1 : 0,
  );
  return {
    [embeddingInputs.patches]: {
      type: "float32",
      data: patches,
      shape: [images.length, tokens, size],
    },
    ...(isNormed(embedding) && {
      [embeddingInputs.arePatches]: {
        type: "float32",
        data: Float32Array.from({ length: tokens }, (_, at) => (at < firstTokens.length ? 0 : 1)),
        shape: [tokens, 1],
      },
    }),
    ...(constants.length > 0 && {
      [embeddingInputs.constants]: {
        type: "float32",
        data: choice,
        shape: [tokens, constants.length],
      },
    }),
  };
}
