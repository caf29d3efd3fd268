/** What was evaluated, on what, how long it took and how much memory it used. */
import { t } from "@vscode/l10n";
import type { EvaluationSummary, Report } from "../../src/diagnosis/report";
import { corruptedShare, maskedShare } from "../../src/diagnosis/report";
import type { PanelState } from "../../src/protocol/messages";
import {
  bytes,
  counted,
  layersText,
  duration,
  figure,
  listed,
  parameterCount,
  schemeName,
  wholeNumber,
  withInterval,
} from "../../src/report/format";
import { evaluatedText as inputText, isOfImages, lossUnit } from "../../src/report/evaluation";
import { readingText } from "../../src/report/reading";
import { element, setText } from "../shared/dom";
import { plannedShare } from "./plannedShare";

export class Measurement {
  readonly node: HTMLElement;
  private readonly facts = element("dl");
  private readonly pending = element("p", {
    class: "pending",
  });
  private readonly notices = element("ul", { class: "notices" });
  private shown: string | undefined;

  constructor() {
    this.node = element("section", {
      class: "measurement",
      children: [
        element("h2", { text: t("How it was measured") }),
        this.pending,
        this.facts,
        this.notices,
      ],
    });
  }

  show(report: Report | undefined, phase: PanelState["phase"], notices: readonly string[]): void {
    const facts = report ? measurementFacts(report, phase) : [];
    const texts = noticesOf(report, notices);
    setText(
      this.pending,
      phase === "running" ? t("Nothing has been measured yet.") : t("Nothing was measured."),
    );
    const next = JSON.stringify([facts, texts]);
    if (next === this.shown) return;
    this.shown = next;
    this.facts.replaceChildren(
      ...facts.map(([name, text]) =>
        element("div", { children: [element("dt", { text: name }), element("dd", { text })] }),
      ),
    );
    this.notices.replaceChildren(...texts.map((text) => element("li", { text })));
    this.pending.hidden = report !== undefined;
  }
}

/** Names and sentences, in the order in which a reader asks. */
export function measurementFacts(
  report: Report,
  phase: PanelState["phase"],
): [name: string, text: string][] {
  const { architecture, baseline, checkpoint, evaluation, runtime } = report;
  return [
    [isOfImages(evaluation) ? t("Images") : t("Text"), evaluatedText(evaluation)],
    [
      t("Baseline"),
      baseline
        ? t(
            "perplexity {0}, NLL {1} {2}",
            baseline.perplexity === undefined ? t("beyond counting") : figure(baseline.perplexity),
            withInterval(baseline.nll, baseline.standardError),
            lossUnit(evaluation),
          )
        : missingBaseline[phase](),
    ],
    [t("Device"), `${runtime.device}, ${counted(runtime.threads, "thread")}`],
    [
      t("Time and memory"),
      t("{0}, at most {1} resident", duration(runtime.seconds), bytes(runtime.peakMemoryBytes)),
    ],
    [t("Estimates"), estimatesText(evaluation)],
    [
      t("Checkpoint"),
      [
        checkpoint.path,
        checkpoint.format,
        bytes(checkpoint.bytes),
        parameterCount(checkpoint.parameters),
      ].join(", "),
    ],
    [
      t("Architecture"),
      [
        layersText(architecture),
        t("hidden size {0}", wholeNumber(architecture.hiddenSize)),
        architecture.keyValueHeads === architecture.heads
          ? counted(architecture.heads, "head")
          : listed([
              counted(architecture.heads, "head"),
              counted(architecture.keyValueHeads, "key-value head"),
            ]),
        t("feed-forward size {0}", wholeNumber(architecture.feedForwardSize)),
        t("vocabulary {0}", wholeNumber(architecture.vocabularySize)),
        ...(architecture.contextLength === undefined
          ? []
          : [t("context {0}", counted(architecture.contextLength, "token"))]),
        architecture.tiedHead ? t("tied head") : t("untied head"),
      ].join(", "),
    ],
    [
      t("Norm scheme"),
      t("{0}, from: {1}", schemeName(architecture.normScheme), architecture.normSchemeSource),
    ],
    ...(architecture.reading
      ? [
          [t("Read as"), readingText(checkpoint.format, architecture.reading, evaluation)] as [
            string,
            string,
          ],
        ]
      : []),
  ];
}

function evaluatedText(evaluation: EvaluationSummary): string {
  const { documents, tokens, source, sequenceLength, objective, seed } = evaluation;
  const { isWhole, text: share } = plannedShare(evaluation);
  if (isOfImages(evaluation)) {
    return isWhole
      ? inputText(evaluation, source)
      : t("{0} of {1}", t("{0} planned", share), source);
  }
  const evaluated = [
    isWhole ? counted(documents, "document") : t("{0} planned", share),
    counted(tokens, "token"),
    source,
    wholeNumber(sequenceLength),
  ] as const;
  if (objective === "span-corruption") {
    return t(
      "{0}, {1} of {2}, read by the decoder for sequences of at most {3} tokens; {4}% of these hidden from the encoder in spans, by seed {5}",
      ...evaluated,
      Math.round(100 * corruptedShare),
      seed,
    );
  }
  return objective === "masked-token"
    ? t(
        "{0}, {1} of {2}, sequences of at most {3} tokens; {4}% of the tokens masked, by seed {5}",
        ...evaluated,
        Math.round(100 * maskedShare),
        seed,
      )
    : t("{0}, {1} of {2}, sequences of at most {3} tokens", ...evaluated);
}

function estimatesText(evaluation: EvaluationSummary): string {
  const { probes, seed, documents } = evaluation;
  const words = isOfImages(evaluation) ? estimatesOfImages : estimatesOfDocuments;
  const text = documents === 1 ? words.one : words.many;
  return text(counted(probes, "Rademacher probe"), seed);
}

/** What the error bars are over: several documents or images, or what one is made of. */
interface EstimatesWords {
  one: (probes: string, seed: number) => string;
  many: (probes: string, seed: number) => string;
}

const estimatesOfDocuments: EstimatesWords = {
  one: (probes, seed) =>
    t(
      "{0} per document for the Jacobian, seed {1}; ± and error bars are 95% intervals over tokens",
      probes,
      seed,
    ),
  many: (probes, seed) =>
    t(
      "{0} per document for the Jacobian, seed {1}; ± and error bars are 95% intervals over documents",
      probes,
      seed,
    ),
};

const estimatesOfImages: EstimatesWords = {
  one: (probes, seed) =>
    t(
      "{0} per image for the Jacobian, seed {1}; ± and error bars are 95% intervals over the patches of the image",
      probes,
      seed,
    ),
  many: (probes, seed) =>
    t(
      "{0} per image for the Jacobian, seed {1}; ± and error bars are 95% intervals over images",
      probes,
      seed,
    ),
};

const missingBaseline: Readonly<Record<PanelState["phase"], () => string>> = {
  running: () => t("not measured yet"),
  failed: () => t("not measured before the run ended"),
  empty: () => t("not measured"),
  done: () => t("no perplexity: there is no language-model head, or its logits are not finite"),
};

/** The run's notices and the report's are often the same sentence. */
export function noticesOf(report: Report | undefined, notices: readonly string[]): string[] {
  const found = (report?.findings ?? [])
    .filter((finding) => finding.kind === "notice")
    .map((finding) => finding.text);
  return [...new Set([...found, ...notices])];
}
