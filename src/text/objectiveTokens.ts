import type { Architecture } from "../architecture/description";
import type { Proposal } from "../architecture/reading";
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
  return lacksMaskToken(architecture)
    ? masking(architecture, await namedToken(maskNames, checkpoint, vocabularySize))
    : architecture;
}

/** The same of every reading, as far as that is the mask token: by it readings are told apart. */
export async function withMaskToken(
  proposal: Proposal,
  checkpoint: Pick<Checkpoint, "folder" | "tokenizer">,
): Promise<Proposal> {
  const directions = proposal.open.find(({ name }) => name === "attention")?.values ?? [];
  const readings = [{}, ...directions.map((attention) => ({ attention }))];
  const lacking = readings.map(proposal.architecture).find(lacksMaskToken);
  if (lacking === undefined) return proposal;
  const maskToken = await namedToken(maskNames, checkpoint, lacking.vocabularySize);
  return {
    ...proposal,
    architecture: (settings) => masking(proposal.architecture(settings), maskToken),
  };
}

function lacksMaskToken({ objective }: Architecture): boolean {
  return objective.kind === "masked-token" && objective.maskToken === undefined;
}

function masking(architecture: Architecture, maskToken: number | undefined): Architecture {
  return lacksMaskToken(architecture) && maskToken !== undefined
    ? { ...architecture, objective: { kind: "masked-token", maskToken } }
    : architecture;
}
