/** The three charts on one shared layer axis, and the line that says which layer is meant. */
import { t } from "@vscode/l10n";
import { verdictCount, verdictName, verdictOf, type Verdict } from "../../src/report/verdict";
import { element, setText } from "../shared/dom";
import type { Palette } from "../shared/theme";
import { button, checkbox } from "../shared/toolkit";
import { followed, zoomed } from "../shared/zoom";
import type { LayerRange } from "../shared/axis";
import { ChartFigure } from "./chartFigure";
import {
  layerOf,
  verdictsOf,
  hasCrossAttention,
  wasAsked,
  type ChartModel,
  type ReportView,
} from "./chartModel";
import { verdictGlyph } from "./glyphs";
import { jacobianModel } from "./jacobianModel";
import type { ChartChoice } from "./navigation";
import { pruningModel, removableParts, type RemovablePart } from "./pruningModel";
import { varianceModel } from "./varianceModel";

export interface ChartsEvents {
  onHover: (layer: number | undefined) => void;
  onChoose: (layer: number | undefined) => void;
  onToggle: (layer: number | undefined) => void;
  onChoice: (choice: ChartChoice) => void;
}

/** The three charts as models, from top to bottom. */
export function chartModels(view: ReportView, choice: ChartChoice): ChartModel[] {
  const part = partShown(view, choice.part);
  return [
    varianceModel(view),
    jacobianModel(view, { isLog: choice.isJacobianLog }),
    pruningModel(view, { part, isLog: choice.isPruningLog }),
  ];
}

/** A part that was not measured, or that the layers have not, gives way to the whole layer. */
function partShown(view: ReportView, chosen: RemovablePart): RemovablePart {
  const isAbsent = chosen === "crossAttention" && view.report && !hasCrossAttention(view.report);
  return hasSublayers(view) === false || isAbsent === true ? "layer" : chosen;
}

/** Whether the removal of sublayers was asked for; undefined before any report has come. */
function hasSublayers({ report }: ReportView): boolean | undefined {
  return report && wasAsked(report, "sublayers");
}

export class Charts {
  readonly node: HTMLElement;
  private readonly key = element("ul", { class: "verdict-key" });
  private readonly layerLine = element("p", { class: "layer-line" });
  private readonly wholeAxis = button(t("Show all layers"), {
    appearance: "secondary",
    onPress: () => {
      this.zoom(undefined);
    },
  });
  private readonly partInputs: Readonly<Record<RemovablePart, HTMLInputElement>>;
  private readonly partHint = element("p", {
    class: "part-hint",
    text: sublayersHint(),
  });
  private readonly jacobianLog = checkbox(t("Log scale"), (isJacobianLog) => {
    this.events.onChoice({ ...this.choice, isJacobianLog });
  });
  private readonly pruningLog = checkbox(t("Log scale"), (isPruningLog) => {
    this.events.onChoice({ ...this.choice, isPruningLog });
  });
  private readonly figures: ChartFigure[];
  private choice: ChartChoice = { part: "layer", isPruningLog: true, isJacobianLog: true };
  private view: ReportView | undefined;
  private palette: Palette | undefined;
  private range: LayerRange | undefined;
  private highlighted: number | undefined;

  constructor(
    private readonly events: ChartsEvents,
    describedBy: string,
  ) {
    const figureEvents = {
      onHover: events.onHover,
      onChoose: events.onChoose,
      onToggle: events.onToggle,
      onZoom: (range: LayerRange | undefined) => {
        this.zoom(range);
      },
    };
    this.partInputs = {
      layer: this.partInput("layer"),
      attention: this.partInput("attention"),
      crossAttention: this.partInput("crossAttention"),
      feedForward: this.partInput("feedForward"),
    };
    this.figures = [
      new ChartFigure(figureEvents, describedBy),
      new ChartFigure(
        figureEvents,
        describedBy,
        element("div", { class: "controls", children: [this.jacobianLog.node] }),
      ),
      new ChartFigure(figureEvents, describedBy, this.pruningControls()),
    ];
    this.wholeAxis.setHidden(true);
    this.node = element("section", {
      class: "charts",
      attributes: { "aria-label": t("Charts over depth") },
      children: [
        element("div", {
          class: "layer-bar",
          children: [this.key, this.layerLine, this.wholeAxis.node],
        }),
        ...this.figures.map((figure) => figure.node),
        element("p", { class: "axis-name", text: t("layer (drag across a chart to zoom)") }),
      ],
    });
  }

  show(view: ReportView, choice: ChartChoice, palette: Palette): void {
    this.view = view;
    this.choice = choice;
    this.palette = palette;
    this.key.replaceChildren(...keyItems(verdictsOf(view)));
    this.jacobianLog.setChecked(choice.isJacobianLog);
    this.pruningLog.setChecked(choice.isPruningLog);
    this.showParts(view, choice.part);
    this.draw();
  }

  /** Gives the keyboard to the first chart. */
  focus(): void {
    this.node.querySelector("canvas")?.focus();
  }

  highlight(layer: number | undefined): void {
    this.highlighted = layer;
    this.keepInSight();
    for (const figure of this.figures) figure.highlight(layer);
    setText(this.layerLine, this.view && layer !== undefined ? nameOf(this.view, layer) : "");
  }

  private draw(): void {
    const { view, palette } = this;
    if (!view || !palette) return;
    const seen = this.range ? { ...view, visible: this.range } : view;
    chartModels(seen, this.choice).forEach((model, i) => {
      this.figures[i]?.show(model, palette);
    });
    this.highlight(this.highlighted);
  }

  /** What was not measured cannot be chosen, and says how it can be. */
  private showParts(view: ReportView, chosen: RemovablePart): void {
    const isMeasured = hasSublayers(view);
    const shown = partShown(view, chosen);
    for (const part of removableParts) {
      const input = this.partInputs[part];
      input.checked = part === shown;
      // Few models have it: where it is unknown or absent, it takes no room.
      if (part === "crossAttention") {
        input.parentElement!.hidden = !view.report || !hasCrossAttention(view.report);
      }
      input.disabled = isMeasured === false && part !== "layer";
      if (input.disabled) input.setAttribute("aria-description", sublayersHint());
      else input.removeAttribute("aria-description");
      input.title = input.disabled ? sublayersHint() : "";
    }
    // Its room is kept while a run goes on, so that the chart below stays where it is.
    this.partHint.hidden = isMeasured !== false && !view.isRunning;
    this.partHint.classList.toggle("unseen", isMeasured !== false);
  }

  /** Every chart shows the same layers: a zoom of one is a zoom of all. */
  private zoom(range: LayerRange | undefined): void {
    this.range = zoomed(range, this.view?.layers ?? 0);
    this.wholeAxis.setHidden(this.range === undefined);
    this.draw();
  }

  /** The keyboard may lead out of a zoomed axis; the axis follows. */
  private keepInSight(): void {
    const moved = followed(this.range, this.highlighted);
    if (moved === undefined) return;
    this.range = moved;
    this.draw();
  }

  private pruningControls(): HTMLElement {
    return element("div", {
      class: "controls",
      children: [
        element("fieldset", {
          class: "segments",
          children: [
            element("legend", { class: "sr-only", text: t("Part that is removed") }),
            ...removableParts.map((part) =>
              element("label", {
                children: [this.partInputs[part], element("span", { text: partLabels[part]() })],
              }),
            ),
          ],
        }),
        this.pruningLog.node,
        this.partHint,
      ],
    });
  }

  private partInput(part: RemovablePart): HTMLInputElement {
    const input = element("input", { attributes: { type: "radio", name: "removed-part" } });
    input.addEventListener("change", () => {
      this.events.onChoice({ ...this.choice, part });
    });
    return input;
  }
}

function sublayersHint(): string {
  return t("Add sublayers under Settings → Fathom → Metrics and run again");
}

const partLabels: Readonly<Record<RemovablePart, () => string>> = {
  layer: () => t("Whole layer"),
  attention: () => t("Attention only"),
  crossAttention: () => t("Cross-attention only"),
  feedForward: () => t("Feed-forward only"),
};

/** `● 18 needed`, with the shape and the tint that the charts use. */
function keyItems(verdicts: readonly (Verdict | undefined)[]): HTMLElement[] {
  if (verdicts.every((verdict) => verdict === undefined)) return [];
  const kinds: Verdict[] = ["needed", "free", "uncertain"];
  return kinds.map((kind) => {
    const count = verdicts.filter((verdict) => verdict === kind).length;
    return element("li", {
      attributes: { title: verdictMeanings[kind]() },
      children: [verdictGlyph(kind), verdictCount(kind, count)],
    });
  });
}

const verdictMeanings: Readonly<Record<Verdict, () => string>> = {
  needed: () => t("Removing the layer costs more than +1% perplexity, by its whole 95% interval"),
  free: () => t("Removing the layer costs less than +1% perplexity, by its whole 95% interval"),
  uncertain: () => t("The 95% interval of the cost of removing the layer holds +1% perplexity"),
};

/** `Layer 12 · model.layers.12 · free` */
function nameOf(view: ReportView, index: number): string {
  const layer = layerOf(view, index);
  const verdict = layer && verdictOf(layer, view.report?.baseline);
  return [t("Layer {0}", index), layer?.path, verdict && verdictName(verdict)]
    .filter((part) => part !== undefined)
    .join(" · ");
}
