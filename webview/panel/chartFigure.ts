/** One of the stacked charts on the page: its legend, and what it says in words of each layer. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { chartKey } from "../shared/figureFrame";
import { PlaceFigure, type PlaceEvents } from "../shared/placeFigure";
import type { Palette } from "../shared/theme";
import { spokenLayer, type ChartModel } from "./chartModel";
import { belowAxisGlyph, curveGlyph, measuredGlyph, referenceGlyph } from "./glyphs";
import { layerDrawing } from "./layerDrawing";

export class ChartFigure {
  private readonly readout = element("p", { class: "chart-readout" });
  private readonly legend = element("ul", { class: "legend" });
  private readonly figure: PlaceFigure;
  private model: ChartModel | undefined;
  private highlighted: number | undefined;

  constructor(events: PlaceEvents, describedBy: string, controls?: HTMLElement) {
    this.figure = new PlaceFigure(events, {
      describedBy,
      beside: [this.readout],
      above: [chartKey(this.legend, controls)],
    });
  }

  get node(): HTMLElement {
    return this.figure.node;
  }

  show(model: ChartModel, palette: Palette): void {
    const isSameLegend = this.model !== undefined && legendKey(this.model) === legendKey(model);
    this.model = model;
    if (!isSameLegend) this.legend.replaceChildren(...legendItems(model));
    this.figure.show(model, layerDrawing(model, palette));
    this.highlight(this.highlighted);
  }

  highlight(layer: number | undefined): void {
    const { model } = this;
    this.highlighted = layer;
    if (!model) return;
    const text = layer === undefined ? model.summary : model.readout(layer);
    setText(this.readout, text);
    const verdict = layer === undefined ? undefined : model.verdicts[layer];
    this.figure.highlight(
      layer,
      layer === undefined
        ? (model.emptiness ?? (text || t("no layer chosen")))
        : spokenLayer(layer, text, verdict),
    );
  }
}

function legendItems(model: ChartModel): HTMLElement[] {
  return [
    element("li", {
      children: [measuredGlyph(), model.measured.label],
    }),
    ...(model.belowAxis
      ? [element("li", { children: [belowAxisGlyph(), model.belowAxis.label] })]
      : []),
    ...model.curves.map((curve) =>
      element("li", { children: [curveGlyph(curve.role), curve.label] }),
    ),
    ...(model.reference
      ? [element("li", { children: [referenceGlyph(), model.reference.label] })]
      : []),
  ];
}

function legendKey(model: ChartModel): string {
  return [
    model.measured.label,
    model.belowAxis?.label,
    model.reference?.label,
    ...model.curves.map((curve) => curve.label),
  ].join("\n");
}
