import { t } from "@vscode/l10n";
import type { Architecture } from "../architecture/description";
import type { Sequence } from "../text/documents";
import { randomShare } from "./random";
import { maskedShare } from "./report";
import { spanCorrupted } from "./spanCorruption";

/** One thing a head is asked: which token stands at, or after, a position. */
export interface Prediction {
  /** Whose state of the last layer the logits are of. */
  readonly position: number;
  /** The token that is right. */
  readonly target: number;
}

/** A sequence as it is evaluated, with its place in the whole evaluation. */
export interface EvaluatedSequence extends Sequence {
  /** Which random numbers, of probes and masks, hang on. */
  readonly index: number;
  /** What the model is fed; where it has two stacks, the one that is measured. */
  readonly tokens: readonly number[];
  /** What the encoder is fed that a measured decoder attends to. */
  readonly source?: readonly number[];
  readonly predictions: readonly Prediction[];
}

/**
 * What of each sequence a model is fed and asked. A causal one reads it all and is asked at every
 * position for the next token; a masked one is asked for the tokens that a mask, drawn from the seed,
 * hides from it; a decoder of two stacks for spans that are hidden from the encoder.
 */
export function evaluatedSequences(
  sequences: readonly Sequence[],
  { head, objective }: Pick<Architecture, "head" | "objective">,
  seed: number,
): EvaluatedSequence[] {
  return sequences.map((sequence, index) => {
    if (objective.kind === "span-corruption") {
      const corrupted = spanCorrupted(sequence.tokens, objective, [seed, index]);
      return { ...sequence, index, ...corrupted, ...(head === undefined && { predictions: [] }) };
    }
    if (whyNoLoss({ head, objective })) return { ...sequence, index, predictions: [] };
    switch (objective.kind) {
      case "next-token":
        return { ...sequence, index, predictions: nextTokens(sequence.tokens) };
      case "masked-token":
        return {
          ...sequence,
          index,
          ...masked(sequence.tokens, objective.maskToken!, seed, index),
        };
      case "class":
        return { ...sequence, index, predictions: classOf(sequence) };
    }
  });
}

/** Why a model's loss cannot be measured; undefined where it can. */
export function whyNoLoss({
  head,
  objective,
  whyNoHead,
}: Pick<Architecture, "head" | "objective" | "whyNoHead">): string | undefined {
  if (head === undefined) return whyNoHead ?? t("the checkpoint has no language-model head");
  return objective.kind === "masked-token" && objective.maskToken === undefined
    ? t(
        "which token masks others is stated neither by the config nor by the tokenizer (for code of your own, state it with the reading mask-token)",
      )
    : undefined;
}

function classOf({ image }: Sequence): Prediction[] {
  return image?.label === undefined ? [] : [{ position: 0, target: image.label }];
}

function nextTokens(tokens: readonly number[]): Prediction[] {
  return tokens.slice(1).map((target, position) => ({ position, target }));
}

/** Every token is hidden by the same chance, and at least one of a sequence. */
function masked(
  tokens: readonly number[],
  maskToken: number,
  seed: number,
  index: number,
): Pick<EvaluatedSequence, "tokens" | "predictions"> {
  const shares = randomShare(tokens.length, [seed, index]);
  const least = shares.indexOf(Math.min(...shares));
  const isHidden = (at: number): boolean => shares[at]! < maskedShare || at === least;
  return {
    tokens: tokens.map((token, at) => (isHidden(at) ? maskToken : token)),
    predictions: tokens.flatMap((target, position) =>
      isHidden(position) ? [{ position, target }] : [],
    ),
  };
}
