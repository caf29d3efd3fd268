/** The charts over layers at one step, with another step and perhaps another run behind them. */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import type { RunStepReport } from "../../src/trainingRun/runReport";
import { element, setText } from "../shared/dom";
import { ChartFigure } from "../panel/chartFigure";
import type { Palette } from "../shared/theme";
import type { Ghost } from "./navigation";
import { sectionFacts, stepModels, type StepView } from "./stepModels";

export interface StepSectionEvents {
  onStep: (step: number) => void;
  onGhost: (ghost: Ghost) => void;
  onHoverLayer: (layer: number | undefined) => void;
  onChooseLayer: (layer: number | undefined) => void;
  onToggleLayer: (layer: number | undefined) => void;
}

export interface StepSectionState extends StepView {
  ghost: Ghost;
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
