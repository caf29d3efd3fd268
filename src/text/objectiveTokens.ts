import type { Architecture } from "../architecture/description";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { namedToken } from "./namedTokens";

/** What tokenizers call the token that hides others: BERT's, and RoBERTa's. */
const maskNames: readonly string[] = ["[MASK]", "<mask>"];
/** What T5's calls the one that stands for the first hidden span. */
const sentinelNames: readonly string[] = ["<extra_id_0>"];

/**
 * The architecture with the tokens of its objective that the tokenizer's files name: the mask token where
 * it needs one that config.json does not state, and the first sentinel, which no config states. A file
 * that cannot be read names none.
 */
export async function withObjectiveTokens(
  architecture: Architecture,
  { folder }: Pick<Checkpoint, "folder">,
): Promise<Architecture> {
  const { objective, vocabularySize } = architecture;
  if (objective.kind === "span-corruption") {
    const firstSentinel = await namedToken(sentinelNames, folder, vocabularySize);
    if (firstSentinel === undefined) return architecture;
    return { ...architecture, objective: { ...objective, firstSentinel } };
  }
  if (objective.kind !== "masked-token" || objective.maskToken !== undefined) return architecture;
  const maskToken = await namedToken(maskNames, folder, vocabularySize);
  if (maskToken === undefined) return architecture;
  return { ...architecture, objective: { ...objective, maskToken } };
}
