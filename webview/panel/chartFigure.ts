/** One of the stacked charts on the page: caption, legend, plot, and what it says in words. */
import { element, setText } from "../shared/dom";
import { keyTarget } from "../shared/sliderKeys";
import type { Palette } from "../shared/theme";
import type { LayerRange } from "./axis";
import type { ChartModel } from "./chartModel";
import { belowAxisGlyph, curveGlyph, measuredGlyph, referenceGlyph } from "./glyphs";
import { LayerChart } from "./layerChart";

export interface ChartFigureEvents {
  /** The pointer is over a layer, or has left. */
  onHover: (layer: number | undefined) => void;
  /** The keyboard moved to a layer; undefined lets go. */
  onChoose: (layer: number | undefined) => void;
  /** A layer was clicked: chosen, or let go if it was. */
  onToggle: (layer: number | undefined) => void;
  onZoom: (range: LayerRange | undefined) => void;
}

export class ChartFigure {
  readonly node: HTMLElement;
  private readonly title = element("h3", { class: "chart-title" });
  private readonly unit = element("p", { class: "chart-unit" });
  private readonly readout = element("p", { class: "chart-readout" });
  private readonly legend = element("ul", { class: "legend" });
  private readonly canvas = element("canvas", {
    attributes: { role: "slider", tabindex: "0", "aria-valuemin": "0" },
  });
  private readonly emptiness = element("p", { class: "plot-empty" });
  private readonly notes = element("ul", { class: "notes" });
  private chart: LayerChart | undefined;
  private model: ChartModel | undefined;
  private highlighted: number | undefined;

  constructor(
    private readonly events: ChartFigureEvents,
    describedBy: string,
    controls?: HTMLElement,
  ) {
    this.canvas.setAttribute("aria-describedby", describedBy);
    this.node = element("figure", {
      class: "chart",
      children: [
        element("figcaption", {
          class: "chart-head",
          children: [
            element("div", { class: "chart-name", children: [this.title, this.unit] }),
            this.readout,
          ],
        }),
        element("div", {
          class: "chart-key",
          children: controls ? [this.legend, controls] : [this.legend],
        }),
        element("div", { class: "plot", children: [this.canvas, this.emptiness] }),
        this.notes,
      ],
    });
    this.listen();
  }

  show(model: ChartModel, palette: Palette): void {
    const isSameLegend = this.model !== undefined && legendKey(this.model) === legendKey(model);
    this.model = model;
    setText(this.title, model.title);
    setText(this.unit, model.unit);
    setText(this.emptiness, model.emptiness ?? "");
    if (!isSameLegend) this.legend.replaceChildren(...legendItems(model));
    this.notes.replaceChildren(...model.notes.map((text) => element("li", { text })));
    this.canvas.setAttribute("aria-label", `${model.title} by layer. ${model.unit}`);
    this.canvas.setAttribute("aria-valuemax", String(Math.max(0, model.layers - 1)));
    if (this.chart) this.chart.show(model, palette);
    else this.chart = new LayerChart(this.canvas, model, palette, { onZoom: this.events.onZoom });
    this.showReadout();
  }

  highlight(layer: number | undefined): void {
    this.highlighted = layer;
    this.chart?.highlight(layer);
    this.showReadout();
  }

  private showReadout(): void {
    const { model, highlighted } = this;
    if (!model) return;
    const text = highlighted === undefined ? model.summary : model.readout(highlighted);
    setText(this.readout, text);
    if (highlighted === undefined) {
      this.canvas.setAttribute("aria-valuenow", "0");
      this.canvas.setAttribute("aria-valuetext", model.emptiness ?? (text || "no layer chosen"));
    } else {
      this.canvas.setAttribute("aria-valuenow", String(highlighted));
      const verdict = model.verdicts[highlighted];
      this.canvas.setAttribute(
        "aria-valuetext",
        `Layer ${highlighted}: ${text}${verdict ? `, ${verdict}` : ""}`,
      );
    }
  }

  private listen(): void {
    const { canvas, events } = this;
    let pressedAt: number | undefined;
    canvas.addEventListener("pointermove", (event) => {
      events.onHover(this.chart?.layerAt(event.offsetX));
    });
    canvas.addEventListener("pointerleave", () => {
      events.onHover(undefined);
    });
    canvas.addEventListener("pointerdown", (event) => {
      pressedAt = event.offsetX;
    });
    canvas.addEventListener("click", (event) => {
      // The end of a drag is a zoom, not a choice.
      if (pressedAt === undefined || Math.abs(event.offsetX - pressedAt) > 4) return;
      events.onToggle(this.chart?.layerAt(event.offsetX));
    });
    canvas.addEventListener("dblclick", () => {
      events.onZoom(undefined);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const last = (this.model?.layers ?? 0) - 1;
      if (last < 0) return;
      const next = keyTarget(event.key, this.highlighted, last);
      if (next === undefined) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next === "none" ? undefined : next);
    });
  }
}

function legendItems(model: ChartModel): HTMLElement[] {
  return [
    element("li", {
      children: [measuredGlyph(), `${model.measured.label}, 95% interval`],
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
