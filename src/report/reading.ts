import { t } from "@vscode/l10n";
import type { EvaluationSummary, ReadingCandidate, ReadingSummary } from "../diagnosis/report";
import { isOfImages } from "./evaluation";
import { counted, figure, wholeNumber } from "./format";

/** How a checkpoint was read, in a sentence: the format, what told the architecture, and the evidence. */
export function readingText(
  format: string,
  { source, settled = [], candidates = [], margin, untold = [] }: ReadingSummary,
  evaluation: Pick<EvaluationSummary, "input" | "objective">,
): string {
  const ofImages = isOfImages(evaluation);
  const [taken, ...others] = candidates;
  const told = settled.map(({ name, value, by }) => `${name}=${value} (${by})`);
  return [
    sources[source](format),
    ...(told.length > 0 ? [t("settled: {0}", told.join(", "))] : []),
    ...(taken
      ? [
          predictedBest(
            ofImages,
            counted(candidates.length, "reading"),
            Object.entries(taken.settings)
              .filter(([name]) => !untold.includes(name))
              .filter(([name]) => name !== "gelu" || taken.settings["activation"] === "gelu")
              .map(([name, value]) => `${name}=${value}`)
              .join(", "),
          ),
          ...(taken.nll === undefined || others.length === 0
            ? []
            : [lossText(ofImages, taken.nll, margin)]),
          ...leftBehind(candidates),
        ]
      : []),
    ...(untold.length > 0
      ? [
          t(
            "not told by the evidence, so the usual was taken: {0}",
            untold.map((name) => `${name}=${taken?.settings[name] ?? ""}`).join(", "),
          ),
        ]
      : []),
  ].join("; ");
}

function predictedBest(ofImages: boolean, readings: string, settings: string): string {
  return ofImages
    ? t("of {0} the classes of the images are predicted best with {1}", readings, settings)
    : t("of {0} the evaluated tokens are predicted best with {1}", readings, settings);
}

/** How many readings a short trial left behind, so that their losses are of other tokens. */
function leftBehind([taken, ...others]: readonly ReadingCandidate[]): string[] {
  const few = others.filter(({ tokens }) => tokens !== taken?.tokens);
  const most = Math.max(...few.map(({ tokens }) => tokens ?? 0));
  return few.length === 0
    ? []
    : [t("{0} of them left behind on {1} tokens", few.length, wholeNumber(most))];
}

function lossText(ofImages: boolean, nll: number, margin: number | undefined): string {
  const loss = figure(nll);
  if (margin === undefined) {
    return ofImages ? t("{0} nats an image", loss) : t("{0} nats a token", loss);
  }
  return ofImages
    ? t("{0} nats an image, the next reading {1} more", loss, figure(margin))
    : t("{0} nats a token, the next reading {1} more", loss, figure(margin));
}

const sources: Readonly<Record<ReadingSummary["source"], (format: string) => string>> = {
  config: (format) => t("{0}, described by its config and its family", format),
  family: (format) => t("{0}, described by what the file states and its family", format),
  inference: (format) => t("{0}, inferred from the names and shapes of its tensors", format),
  statement: (format) => t("{0}, described by the roles of its tensors in fathom.json", format),
};
