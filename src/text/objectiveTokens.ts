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
  checkpoint: Pick<Checkpoint, "folder" | "tokenizer">,
): Promise<Architecture> {
  const { objective, vocabularySize } = architecture;
  if (objective.kind === "span-corruption") {
    const named = await namedToken(sentinelNames, checkpoint, vocabularySize);
    const firstSentinel = named ?? objective.firstSentinel;
    const source =
      named === undefined
        ? "the last of its kind in a vocabulary of this size, since no file names <extra_id_0>"
        : "the tokenizer's <extra_id_0>";
    const notice = `The first hidden span of each document is marked by token ${firstSentinel}, ${source}; the next ones by those before it.`;
    return {
      ...architecture,
      objective: { ...objective, firstSentinel },
      notices: [...(architecture.notices ?? []), notice],
    };
  }
  if (objective.kind !== "masked-token" || objective.maskToken !== undefined) return architecture;
  const maskToken = await namedToken(maskNames, checkpoint, vocabularySize);
  if (maskToken === undefined) return architecture;
  return { ...architecture, objective: { ...objective, maskToken } };
}
