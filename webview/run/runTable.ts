/**
 * The figures of the charts as tables: one of the steps, one of the losses, and one of a figure by
 * layer and step.
 */
import { t } from "@vscode/l10n";
import { absent, figure, wholeNumber, withInterval } from "../../src/report/format";
import {
  layersOf,
  runFigures,
  verdictCounts,
  type NamedRun,
  type RunFigure,
  type RunStepReport,
} from "../../src/trainingRun/runReport";
import { element } from "../shared/dom";
import { LossTable } from "./lossTable";
import type { RunNavigation } from "./navigation";
import { headRow, rowOf, scroller } from "./plainTable";
import { cellFigure, cellText, figureWords } from "./runModel";

/** The ids of the headings of the tables that stand for charts. */
export interface RunCaptions {
  steps: string;
  losses: string;
}

export type RunTableChoice = Pick<RunNavigation, "table" | "isPerplexity">;

export class RunTable {
  readonly node: HTMLElement;
  private readonly steps = element("table");
  private readonly layers = element("table");
  private readonly choice = element("select", { attributes: { "aria-label": t("Figure") } });
  private readonly losses: LossTable;
  private shown = "";

  constructor(onChoice: (figure: RunFigure) => void, captions: RunCaptions) {
    this.losses = new LossTable(captions.losses);
    this.choice.append(
      ...runFigures.map((one) =>
        element("option", { text: figureWords[one]().title, attributes: { value: one } }),
      ),
    );
    this.choice.addEventListener("change", () => {
      const chosen = runFigures.find((one) => one === this.choice.value);
      if (chosen) onChoice(chosen);
    });
    this.node = element("section", {
      class: "run-tables",
      children: [
        element("h2", { text: t("Steps"), attributes: { id: captions.steps } }),
        scroller(this.steps, t("Table of steps")),
        this.losses.node,
        element("div", {
          class: "section-head",
          children: [
            element("h2", { text: t("Layers by step") }),
            element("label", { class: "ghost-choice", children: [t("Figure"), this.choice] }),
          ],
        }),
        scroller(this.layers, t("Table of layers by step")),
      ],
    });
  }

  show(runs: readonly NamedRun[], { table: chosen, isPerplexity }: RunTableChoice): void {
    this.choice.value = chosen;
    this.losses.show(runs, isPerplexity);
    const next = JSON.stringify([
      chosen,
      runs.map(({ name, run }) => [
        name,
        run.steps.map(({ step, report, failure }) => [
          step,
          failure,
          report?.layers,
          report?.baseline,
        ]),
      ]),
    ]);
    if (next === this.shown) return;
    this.shown = next;
    this.steps.replaceChildren(...stepTable(runs));
    this.layers.replaceChildren(...layerTable(runs, chosen));
  }
}

/** A row for each step; the steps of two runs in one order. */
function stepTable(runs: readonly NamedRun[]): HTMLElement[] {
  const isPair = runs.length > 1;
  const entries = runs
    .flatMap(({ name, run }) => run.steps.map((entry) => ({ name, entry })))
    .sort((a, b) => a.entry.step - b.entry.step);
  const heads = [
    { text: t("step") },
    ...(isPair ? [{ text: t("run"), role: "run-name" }] : []),
    ...stepHeads().map((text) => ({ text })),
  ];
  const rows = entries.map(({ name, entry }) => stepRow(entry, isPair ? name : undefined));
  return [element("thead", { children: [headRow(heads)] }), element("tbody", { children: rows })];
}

/** A row for each layer; the steps of two runs beside each other, below the name of each. */
function layerTable(runs: readonly NamedRun[], chosen: RunFigure): HTMLElement[] {
  const all = runs.flatMap(({ run }) => run.steps);
  const starts = new Set(runs.slice(1).map(({ run }) => run.steps[0]));
  const roleOf = (entry: RunStepReport) => (starts.has(entry) ? { role: "group-start" } : {});
  const names = element("tr", {
    children: [
      element("td"),
      ...runs.map(({ name, run }) =>
        element("th", {
          text: name,
          class: "plain-head run-group",
          attributes: { scope: "colgroup", colspan: String(Math.max(1, run.steps.length)) },
        }),
      ),
    ],
  });
  const heads = headRow([
    { text: t("layer") },
    ...all.map((entry) => ({ text: wholeNumber(entry.step), ...roleOf(entry) })),
  ]);
  const rows = Array.from({ length: layersOf(all) }, (_, layer) =>
    rowOf(
      String(layer),
      all.map((entry) => ({
        text: cellFigure(entry, chosen, layer),
        title: cellText(entry, chosen, layer),
        ...roleOf(entry),
      })),
    ),
  );
  return [
    element("thead", { children: runs.length > 1 ? [names, heads] : [heads] }),
    element("tbody", { children: rows }),
  ];
}

function stepHeads(): string[] {
  return [
    t("perplexity"),
    t("NLL ± 95%"),
    t("σ² first layer"),
    t("σ² last layer"),
    t("needed"),
    t("free"),
    t("uncertain"),
  ];
}

/** @param name of its run, where there are two */
function stepRow(entry: RunStepReport, name: string | undefined): HTMLElement {
  const { report, failure } = entry;
  const title = failure ?? (report ? "" : t("not measured yet"));
  const baseline = report?.baseline;
  const counts = report && verdictCounts(report);
  const variance = (at: number): string => {
    const mean = report?.layers.at(at)?.outputVariance?.mean;
    return mean === undefined ? absent : figure(mean);
  };
  const texts = [
    baseline?.perplexity === undefined ? absent : figure(baseline.perplexity),
    baseline ? withInterval(baseline.nll, baseline.standardError) : absent,
    variance(0),
    variance(-1),
    counts ? String(counts.needed) : absent,
    counts ? String(counts.free) : absent,
    counts ? String(counts.uncertain) : absent,
  ];
  return rowOf(wholeNumber(entry.step), [
    ...(name === undefined ? [] : [{ text: name, title: entry.name, role: "run-name" }]),
    ...texts.map((text) => ({ text, title })),
  ]);
}
