/** The verdict: the sentences that the report's findings are, and what they rest on so far. */
import { t } from "@vscode/l10n";
import type { Report } from "../../src/diagnosis/report";
import type { PanelState } from "../../src/protocol/messages";
import { countedOf, listed } from "../../src/report/format";
import { verdictSentences } from "../../src/report/findings";
import { element } from "../shared/dom";
import { plannedShare } from "./plannedShare";

export class VerdictSection {
  readonly node: HTMLElement;
  private readonly sentences = element("div", { class: "sentences" });
  private shown: string | undefined;

  constructor() {
    this.node = element("section", {
      class: "verdict",
      children: [element("h2", { class: "sr-only", text: t("Verdict") }), this.sentences],
    });
  }

  show(state: PanelState): void {
    const isRunning = state.phase === "running";
    const texts = verdictSentences(state.report);
    const introduction = verdictIntroduction(state);
    const next = JSON.stringify([texts, introduction, isRunning]);
    if (next === this.shown) return;
    this.shown = next;
    this.node.classList.toggle("expected", isRunning);
    if (texts.length > 0)
      this.sentences.replaceChildren(
        ...(introduction === undefined
          ? []
          : [element("p", { class: "introduction", text: introduction })]),
        ...texts.map((text) => element("p", { text })),
      );
    else
      this.sentences.replaceChildren(
        element("p", {
          class: "pending",
          text: isRunning
            ? t("No verdict yet: it comes once every layer has been measured.")
            : t("No verdict: too little was measured."),
        }),
      );
  }
}

/**
 * `So far, from 2 of 8 documents and 7 of 16 layers:` before what a run that goes on, or that ended
 * early, has to say; undefined where there is nothing to introduce or nothing left to measure.
 */
export function verdictIntroduction(state: PanelState): string | undefined {
  const { report } = state;
  if (report === undefined || verdictSentences(report).length === 0) return undefined;
  const planned = plannedShare(report.evaluation);
  const layers = report.architecture.layers;
  const measured = measuredLayers(report).length;
  const isUnfinished = state.phase === "running" || isPartial(state) || !planned.isWhole;
  const shares = [
    ...(isUnfinished ? [planned.text] : []),
    ...(measured < layers ? [countedOf(measured, layers, "layer")] : []),
  ];
  if (shares.length === 0) return undefined;
  return isUnfinished ? t("So far, from {0}:", listed(shares)) : t("From {0}:", listed(shares));
}

/** The layers that have a figure of any kind, by index. */
export function measuredLayers({ layers }: Report): number[] {
  return layers
    .filter(({ outputVariance, jacobian, pruning }) => outputVariance ?? jacobian ?? pruning)
    .map(({ index }) => index);
}

/** The report of a run that failed, unless it is that of the run before. */
function isPartial(state: PanelState): boolean {
  return state.phase === "failed" && state.isEarlier !== true;
}
