/** What was evaluated, on what, how long it took and how much memory it used. */
import type { Report } from "../../src/diagnosis/report";
import { maskedShare } from "../../src/diagnosis/report";
import type { PanelState } from "../../src/protocol/messages";
import {
  bytes,
  counted,
  duration,
  figure,
  largeCount,
  lossUnit,
  schemeName,
  wholeNumber,
  withInterval,
} from "../../src/report/format";
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
        element("h2", { text: "How it was measured" }),
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
      phase === "running" ? "Nothing has been measured yet." : "Nothing was measured.",
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
  const { isWhole, text: share } = plannedShare(evaluation);
  return [
    [
      "Text",
      `${isWhole ? counted(evaluation.documents, "document") : `${share} planned`}, ${counted(evaluation.tokens, "token")} of ` +
        `${evaluation.source}, sequences of at most ${wholeNumber(evaluation.sequenceLength)} tokens${masking(evaluation)}`,
    ],
    [
      "Baseline",
      baseline
        ? `perplexity ${baseline.perplexity === undefined ? "beyond counting" : figure(baseline.perplexity)}, ` +
          `NLL ${withInterval(baseline.nll, baseline.standardError)} nats per ${lossUnit(evaluation)}`
        : missingBaseline[phase],
    ],
    ["Device", `${runtime.device}, ${counted(runtime.threads, "thread")}`],
    [
      "Time and memory",
      `${duration(runtime.seconds)}, at most ${bytes(runtime.peakMemoryBytes)} resident`,
    ],
    [
      "Estimates",
      `${counted(evaluation.probes, "Rademacher probe")} per document for the Jacobian, seed ${evaluation.seed}; ` +
        `± and error bars are 95% intervals over ${evaluation.documents === 1 ? "tokens" : "documents"}`,
    ],
    [
      "Checkpoint",
      `${checkpoint.path}, ${checkpoint.format}, ${bytes(checkpoint.bytes)}, ` +
        `${largeCount(checkpoint.parameters)} parameters`,
    ],
    [
      "Architecture",
      [
        counted(architecture.layers, "layer"),
        `hidden size ${wholeNumber(architecture.hiddenSize)}`,
        architecture.keyValueHeads === architecture.heads
          ? counted(architecture.heads, "head")
          : `${counted(architecture.heads, "head")} and ${counted(architecture.keyValueHeads, "key-value head")}`,
        `feed-forward size ${wholeNumber(architecture.feedForwardSize)}`,
        `vocabulary ${wholeNumber(architecture.vocabularySize)}`,
        ...(architecture.contextLength === undefined
          ? []
          : [`context ${counted(architecture.contextLength, "token")}`]),
        architecture.tiedHead ? "tied head" : "untied head",
      ].join(", "),
    ],
    [
      "Norm scheme",
      `${schemeName(architecture.normScheme)}, from: ${architecture.normSchemeSource}`,
    ],
    ...(architecture.reading
      ? [["Read as", readingText(checkpoint.format, architecture.reading)] as [string, string]]
      : []),
  ];
}

function masking({ objective, seed }: Report["evaluation"]): string {
  return objective === "masked-token"
    ? `; ${Math.round(100 * maskedShare)}% of the tokens masked, by seed ${seed}`
    : "";
}

const missingBaseline: Readonly<Record<PanelState["phase"], string>> = {
  running: "not measured yet",
  failed: "not measured before the run ended",
  empty: "not measured",
  done: "no perplexity: there is no language-model head, or its logits are not finite",
};

/** The run's notices and the report's are often the same sentence. */
export function noticesOf(report: Report | undefined, notices: readonly string[]): string[] {
  const found = (report?.findings ?? [])
    .filter((finding) => finding.kind === "notice")
    .map((finding) => finding.text);
  return [...new Set([...found, ...notices])];
}
