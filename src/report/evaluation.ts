/** What was evaluated, in words: documents of tokens, or images whose class is asked. */
import { t } from "@vscode/l10n";
import type { EvaluationSummary } from "../diagnosis/report";
import { counted } from "./format";

/** Whether images were evaluated; each of them is a document, its patches are the tokens. */
export function isOfImages({
  input,
  objective,
}: Pick<EvaluationSummary, "input" | "objective">): boolean {
  return input === "images" || objective === "class";
}

/** `4 documents, 1,024 tokens of notes.txt`, `32 images of digits.npy` */
export function evaluatedText(evaluation: EvaluationSummary, source: string): string {
  const { documents, tokens } = evaluation;
  return isOfImages(evaluation)
    ? t("{0} of {1}", counted(documents, "image"), source)
    : t("{0}, {1} of {2}", counted(documents, "document"), counted(tokens, "token"), source);
}

/** What the intervals are over. */
export function intervalText(evaluation: EvaluationSummary): string {
  const isOne = evaluation.documents === 1;
  if (isOfImages(evaluation)) {
    return isOne
      ? t("± is a 95% interval over the patches of the image.")
      : t("± is a 95% interval over images.");
  }
  return isOne ? t("± is a 95% interval over tokens.") : t("± is a 95% interval over documents.");
}

/** `nats per token`: what a loss is a mean over. */
export function lossUnit({ objective = "next-token" }: EvaluationSummary): string {
  switch (objective) {
    case "next-token":
      return t("nats per token");
    case "masked-token":
      return t("nats per masked token");
    case "span-corruption":
      return t("nats per token of the hidden spans");
    case "class":
      return t("nats per image");
  }
}
