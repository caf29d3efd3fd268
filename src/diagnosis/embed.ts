/** The residual stream x_0 of a batch. */
import type { Architecture, Embedding } from "../architecture/description";
import { isPatchEmbedding } from "../architecture/description";
import type { Executor, Tensor } from "../engine/executor";
import {
  embeddingGraph,
  embeddingInputs,
  embeddingOutput,
  patchFeeds,
  sineFeed,
} from "../graph/embedding";
import type { Batch } from "./batch";

export async function embed(
  architecture: Pick<Architecture, "embedding">,
  batch: Batch,
  executor: Executor,
): Promise<Float32Array> {
  const session = await executor.load(embeddingGraph(architecture));
  try {
    const feeds = embeddingFeeds(architecture, batch);
    return (await session.run(feeds, [embeddingOutput]))[embeddingOutput]!;
  } finally {
    await session.release();
  }
}

function embeddingFeeds(
  { embedding }: Pick<Architecture, "embedding">,
  batch: Batch,
): Record<string, Tensor> {
  if (isPatchEmbedding(embedding)) {
    return patchFeeds(
      embedding,
      batch.sequences.map(({ image }) => image!.pixels),
    );
  }
  const tokens = new BigInt64Array(batch.size * batch.length);
  for (const [at, { tokens: ids }] of batch.sequences.entries()) {
    const row = tokens.subarray(at * batch.length, (at + 1) * batch.length);
    // Padding repeats a token that is evaluated: another one's weights might not be finite.
    row.fill(BigInt(ids.at(-1)!));
    row.set(ids.map(BigInt));
  }
  const feeds: Record<string, Tensor> = {
    [embeddingInputs.tokens]: { type: "int64", data: tokens, shape: [batch.size, batch.length] },
  };
  if (embedding.positions) {
    const data = placesOf(embedding.positions, tokens, batch.length);
    feeds[embeddingInputs.positions] = { type: "int64", data, shape: [batch.size, batch.length] };
  }
  if (embedding.sines) {
    feeds[embeddingInputs.sines] = sineFeed(embedding.sines, batch.length);
  }
  return feeds;
}

/** The row of each token in a table of positions, sequence after sequence. */
function placesOf(
  { offset, uncounted }: Pick<NonNullable<Embedding["positions"]>, "offset" | "uncounted">,
  tokens: BigInt64Array,
  length: number,
): BigInt64Array {
  let place = offset;
  return tokens.map((token, at) => {
    if (at % length === 0) place = offset;
    return BigInt(Number(token) === uncounted ? offset - 1 : place++);
  });
}
