import type { Architecture } from "../../architecture/description";
import { isPatchEmbedding } from "../../architecture/description";

/** Tokens that readings are compared on: enough for margins of hundredths of a nat. */
const tokensCompared = 2048;

/** How many times as many tokens close readings are compared on, where there is as much text. */
export const timesMore = 8;
export const mostTokensCompared = timesMore * tokensCompared;

/** Tokens of a sequence that hardly any model was trained on less than. */
export const shortSequence = 64;

/** Share of them that tells a wrong arrangement of stored tensors, which costs whole nats. */
export const shareScouted = 1 / 4;

/**
 * Of an image only its class is asked, so that thousands are needed where readings differ little: as many
 * tokens as a reading can be tried on in seconds, within these limits.
 */
const imageTokens = {
  least: 4 * tokensCompared,
  most: 64 * tokensCompared,
  products: 5e11,
} as const;

/** How many tokens the readings of a model are compared on at first. */
export function tokensComparedOf({
  embedding,
  layers,
  hiddenSize,
  feedForwardSize,
  objective,
}: Architecture): number {
  // Of masked tokens few are told.
  if (objective.kind === "masked-token") return 4 * tokensCompared;
  if (!isPatchEmbedding(embedding)) return tokensCompared;
  const { least, most, products } = imageTokens;
  const perToken = layers.length * hiddenSize * (4 * hiddenSize + 2 * feedForwardSize);
  return Math.min(most, Math.max(least, products / perToken));
}
