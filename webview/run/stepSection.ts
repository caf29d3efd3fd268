/** The charts over layers at one step, with another step and perhaps another run behind them. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { counted, figure, wholeNumber, withInterval } from "../../src/report/format";
import { verdictCounts, type NamedRun, type RunStepReport } from "../../src/trainingRun/runReport";
import { ChartFigure } from "../panel/chartFigure";
import { logAxis } from "../shared/axis";
import type { ChartModel, CurveSeries, ReportView } from "../panel/chartModel";
import { jacobianModel } from "../panel/jacobianModel";
import { pruningModel } from "../panel/pruningModel";
import { varianceModel } from "../panel/varianceModel";
import type { Palette } from "../shared/theme";
import { nearestMeasured, type Behind } from "./behind";
import type { Ghost } from "./navigation";
import { viewOfStep } from "./runModel";

export interface StepSectionEvents {
  onStep: (step: number) => void;
  onGhost: (ghost: Ghost) => void;
  onHoverLayer: (layer: number | undefined) => void;
  onChooseLayer: (layer: number | undefined) => void;
  onToggleLayer: (layer: number | undefined) => void;
}

export interface StepSectionState {
  /** What the run is called. */
  name: string;
  steps: readonly RunStepReport[];
  /** Index of the step that is looked at. */
  step: number;
  /** The run beside it. */
  other?: NamedRun;
  ghost: Ghost;
  behind: readonly Behind[];
  layers: number;
  isRunning: boolean;
}

export class StepSection {
  readonly node: HTMLElement;
  private readonly slider = element("input", {
    class: "step-slider",
    attributes: { type: "range", min: "0", step: "1", "aria-label": t("Step of training") },
  });
  private readonly ticks = element("div", {
    class: "slider-ticks",
    attributes: { "aria-hidden": "true" },
  });
  private readonly title = element("h2");
  private readonly facts = element("div");
  private readonly ghost = element("select", {
    attributes: { "aria-label": t("What stands behind the charts") },
  });
  private readonly figures: ChartFigure[];
  private steps: readonly RunStepReport[] = [];
  private shownOptions = "";

  constructor(events: StepSectionEvents, describedBy: string) {
    const figureEvents = {
      onHover: events.onHoverLayer,
      onChoose: events.onChooseLayer,
      onToggle: events.onToggleLayer,
      onZoom: () => undefined,
    };
    this.figures = [0, 1, 2].map(() => new ChartFigure(figureEvents, describedBy));
    this.slider.addEventListener("input", () => {
      const chosen = this.steps[Number(this.slider.value)];
      if (chosen) events.onStep(chosen.step);
    });
    this.ghost.addEventListener("change", () => {
      const { value } = this.ghost;
      events.onGhost(
        value === "first" || value === "previous" || value === "none" ? value : Number(value),
      );
    });
    this.node = element("section", {
      class: "step-section",
      children: [
        element("div", {
          class: "section-head",
          children: [
            this.title,
            element("label", { class: "ghost-choice", children: [t("Behind it"), this.ghost] }),
          ],
        }),
        this.facts,
        element("div", { class: "slider", children: [this.slider, this.ticks] }),
        ...this.figures.map(({ node }) => node),
        element("p", { class: "axis-name", text: t("layer") }),
      ],
    });
  }

  show(state: StepSectionState, palette: Palette): void {
    const { steps, step } = state;
    const entry = steps[step];
    this.steps = steps;
    setText(this.title, entry ? t("Step {0}", wholeNumber(entry.step)) : t("No step yet"));
    this.facts.replaceChildren(
      ...sectionFacts(state).map((text) => element("p", { class: "facts", text })),
    );
    this.showSlider(steps, step);
    this.showGhosts(steps, state.ghost);
    stepModels(state).forEach((model, i) => {
      this.figures[i]?.show(model, palette);
    });
  }

  highlight(layer: number | undefined): void {
    for (const one of this.figures) one.highlight(layer);
  }

  private showSlider(steps: readonly RunStepReport[], step: number): void {
    this.slider.max = String(Math.max(0, steps.length - 1));
    this.slider.value = String(step);
    this.slider.disabled = steps.length < 2;
    const entry = steps[step];
    if (entry) this.slider.setAttribute("aria-valuetext", t("step {0}", wholeNumber(entry.step)));
    // As many names as have room; every step has a mark.
    const stride = Math.ceil(steps.length / 8);
    this.ticks.replaceChildren(
      ...steps.map((one, i) => {
        const tick = element("span", {
          class: one.report ? "tick measured" : "tick",
          text: i % stride === 0 || i === steps.length - 1 ? wholeNumber(one.step) : "",
        });
        tick.style.left = `${(100 * i) / Math.max(1, steps.length - 1)}%`;
        return tick;
      }),
    );
  }

  private showGhosts(steps: readonly RunStepReport[], ghost: Ghost): void {
    const options: [string, string][] = [
      ["first", t("the first step")],
      ["previous", t("the step before")],
      ["none", t("nothing")],
      ...steps.map(({ step }): [string, string] => [
        String(step),
        t("step {0}", wholeNumber(step)),
      ]),
    ];
    const next = JSON.stringify(options);
    if (next !== this.shownOptions) {
      this.shownOptions = next;
      this.ghost.replaceChildren(
        ...options.map(([value, text]) => element("option", { text, attributes: { value } })),
      );
    }
    this.ghost.value = String(ghost);
  }
}

/** The panel's three charts, with what stands behind in place of the fits and theories. */
export function stepModels({
  steps,
  step,
  name,
  other,
  layers,
  behind,
  isRunning,
}: StepSectionState): ChartModel[] {
  const view = { ...viewOfStep(steps[step]?.report, layers), isRunning };
  const modelsOf = (one: ReportView): ChartModel[] => [
    varianceModel(one),
    jacobianModel(one, { isLog: true }),
    pruningModel(one, { part: "layer", isLog: true }),
  ];
  const others = behind.map(({ label, role, report }) => ({
    label,
    role,
    models: modelsOf({ ...view, report }),
  }));
  return modelsOf(view).map((model, i) => {
    const curves = others.map(({ label, role, models }): CurveSeries => ({
      label,
      role,
      points: models[i]?.measured.points ?? [],
    }));
    const points = [
      ...model.measured.points,
      ...others.flatMap((one) => one.models[i]!.measured.points),
    ];
    const values = points.flatMap(({ value, low, high }) => [Math.max(low, value / 2), high]);
    const measured = other ? { ...model.measured, label: name } : model.measured;
    const axis = model.axis.kind === "log" ? logAxis(values) : model.axis;
    return { ...model, measured, curves, axis };
  });
}

/** One line for each run at the step that is looked at. */
export function sectionFacts({ name, steps, step, other }: StepSectionState): string[] {
  const entry = steps[step];
  if (!entry) return [""];
  if (!other) return [stepFacts(entry)];
  const beside = nearestMeasured(other.run, entry.step);
  return [
    `${name}: ${stepFacts(entry)}`,
    ...(beside ? [`${other.name}: ${stepFacts(beside)}`] : []),
  ];
}

/** `perplexity 34.1 (NLL 3.53 ± 0.05) · 9 layers needed, 2 free, 1 uncertain` */
function stepFacts({ name, report, failure }: RunStepReport): string {
  if (failure !== undefined) return `${name} · ${t("not measured: {0}", failure)}`;
  if (report === undefined) return `${name} · ${t("not measured yet")}`;
  const { baseline } = report;
  const counts = verdictCounts(report);
  return [
    name,
    ...(baseline?.perplexity === undefined
      ? []
      : [
          t(
            "perplexity {0} (NLL {1})",
            figure(baseline.perplexity),
            withInterval(baseline.nll, baseline.standardError),
          ),
        ]),
    ...(counts
      ? [
          t(
            "{0} needed, {1} free, {2} uncertain",
            counted(counts.needed, "layer"),
            counts.free,
            counts.uncertain,
          ),
        ]
      : []),
  ].join(" · ");
}
