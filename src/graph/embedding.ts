import type { Architecture, PatchEmbedding } from "../architecture/description";
import { isPatchEmbedding } from "../architecture/description";
import type { Feed } from "./attention";
import type { Graph } from "./graph";
import { GraphBuilder } from "./graph";
import { linear, normalised, scaled } from "./modules";

export const embeddingInputs = {
  /** Token ids [batch, sequence]. */
  tokens: "tokens",
  /** Row of each position in the table of positions [sequence]; only where there is one. */
  positions: "positions",
  /** Pixels of each patch [batch, tokens, pixels], 0 in those of the first tokens. */
  patches: "patches",
  /** Which constant each token has: [tokens, constants], 1 or 0 (see `patchFeeds`). */
  constants: "constants",
} as const;
export const embeddingOutput = "stream";

/** Token ids, or patches of images → the residual stream x_0 [batch, sequence, hidden]. */
export function embeddingGraph({ embedding }: Pick<Architecture, "embedding">): Graph {
  if (isPatchEmbedding(embedding)) return patchGraph(embedding);
  const { tokens, scale, tokenProjection, positions, segment, norm, projection } = embedding;
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
      shape: ["sequence"],
    });
    const rows = builder.apply("Gather", [builder.storedWeight(positions.table), places]);
    stream = builder.add(stream, builder.toFloat32(rows));
  }
  if (segment) stream = builder.add(stream, builder.weight(segment));
  const normed = normalised(builder, stream, norm);
  builder.output(embeddingOutput, projection ? linear(builder, normed, projection) : normed);
  return builder.build();
}

function patchGraph(embedding: PatchEmbedding): Graph {
  const { patches, positions } = embedding;
  const [tokens, hiddenSize] = positions.shape as readonly [number, number];
  const builder = new GraphBuilder();
  const pixels = builder.input(embeddingInputs.patches, {
    elementType: "float32",
    shape: ["batch", tokens, patches.weight.shape[1]!],
  });
  const rows = constantsOf(embedding).map((tensor) =>
    builder.reshape(builder.weight(tensor), [1, hiddenSize]),
  );
  const constants = builder.input(embeddingInputs.constants, {
    elementType: "float32",
    shape: [tokens, rows.length],
  });
  const chosen = builder.apply("MatMul", [
    constants,
    rows.length === 1 ? rows[0]! : builder.apply("Concat", rows, { axis: -2 }),
  ]);
  const projected = builder.apply("Linear", [pixels, builder.weight(patches.weight)]);
  const stream = builder.add(builder.add(projected, chosen), builder.weight(positions));
  builder.output(embeddingOutput, stream);
  return builder.build();
}

/** What is added to tokens of one kind: each first token's vector, and the bias of patches. */
function constantsOf({ firstTokens, patches }: PatchEmbedding) {
  return [...firstTokens, ...(patches.bias ? [patches.bias] : [])];
}

/** What the embedding of images is fed, each image [channels, height, width]. */
export function patchFeeds(
  embedding: PatchEmbedding,
  images: readonly Float32Array[],
): Record<string, Feed> {
  const { image, patch, firstTokens, positions } = embedding;
  const [tokens] = positions.shape as readonly [number, number];
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
  const count = constantsOf(embedding).length;
  const constants = new Float32Array(tokens * count);
  for (let token = 0; token < tokens; token++) {
    const which = Math.min(token, firstTokens.length);
    if (which < count) constants[token * count + which] = 1;
  }
  return {
    [embeddingInputs.patches]: {
      type: "float32",
      data: patches,
      shape: [images.length, tokens, size],
    },
    [embeddingInputs.constants]: { type: "float32", data: constants, shape: [tokens, count] },
  };
}
