/**
 * One small chart: title, figure, and a drawing of a few dozen pixels. It is drawn as SVG, whose
 * colours are the style sheet's, so a change of the theme costs nothing.
 */
import { t } from "@vscode/l10n";
import type { Verdict } from "../../src/report/verdict";
import { layerStep, tickText } from "../shared/axis";
import { spokenLayer, verdictRuns, type ChartModel, type MeasuredPoint } from "../panel/chartModel";
import { element, setText, svgElement } from "../shared/dom";
import { keyTarget } from "../shared/sliderKeys";
import {
  bandPath,
  geometryOf,
  linePath,
  markRadius,
  round,
  type Geometry,
} from "./compactGeometry";
import { fewTicks, type CompactModel } from "./compactModels";

export interface CompactChartEvents {
  /** The pointer is over a layer, or has left. */
  onHover: (layer: number | undefined) => void;
  /** A layer was chosen; undefined lets go. */
  onChoose: (layer: number | undefined) => void;
}

export class CompactChart {
  readonly node: HTMLElement;
  private readonly title = element("h3", { class: "chart-title" });
  private readonly readout = element("p", { class: "chart-readout" });
  private readonly drawing = svgElement("svg", {
    class: "plot",
    role: "slider",
    tabindex: "0",
    "aria-valuemin": "0",
  });
  private readonly emptiness = element("p", { class: "plot-empty" });
  private model: CompactModel | undefined;
  private geometry: Geometry | undefined;
  private highlighted: number | undefined;

  /** @param control stands where the two axes meet */
  constructor(
    private readonly events: CompactChartEvents,
    control?: HTMLElement,
  ) {
    this.node = element("figure", {
      class: "chart",
      children: [
        element("figcaption", {
          class: "chart-head",
          children: [this.title, this.readout],
        }),
        element("div", {
          class: "plot-frame",
          children: [this.drawing, this.emptiness, ...(control ? [control] : [])],
        }),
      ],
    });
    this.listen();
    new ResizeObserver(() => {
      this.draw();
    }).observe(this.drawing);
  }

  show(model: CompactModel): void {
    this.model = model;
    const { chart } = model;
    setText(this.title, model.title);
    this.title.title = [chart.title, chart.unit, ...chart.notes].join("\n");
    setText(this.emptiness, chart.emptiness ?? "");
    this.drawing.setAttribute("aria-label", t("{0} by layer. {1}", chart.title, chart.unit));
    this.drawing.setAttribute("aria-valuemax", String(Math.max(0, chart.layers - 1)));
    this.draw();
    this.showReadout();
  }

  highlight(layer: number | undefined): void {
    if (layer === this.highlighted) return;
    this.highlighted = layer;
    this.drawCrosshair();
    this.showReadout();
  }

  private draw(): void {
    const { model, drawing } = this;
    const { width, height } = drawing.getBoundingClientRect();
    if (!model || width === 0) return;
    const geometry = geometryOf(model.chart, { width, height });
    this.geometry = geometry;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.replaceChildren(
      ...tints(model.chart, geometry),
      crosshairPlace(),
      ...axes(model.chart, geometry),
      ...marks(model.chart, geometry),
    );
    this.drawCrosshair();
  }

  private drawCrosshair(): void {
    const { geometry, highlighted } = this;
    const place = this.drawing.querySelector(".crosshair");
    if (!place || !geometry) return;
    place.replaceChildren(...(highlighted === undefined ? [] : crosshair(highlighted, geometry)));
    for (const label of this.drawing.querySelectorAll<SVGElement>(".layer-label")) {
      const near = Math.abs(Number(label.dataset["layer"]) - (highlighted ?? -1e9)) * geometry.step;
      label.classList.toggle("covered", near < 22);
    }
    // The number of the layer stands in front of everything.
    const number = this.drawing.querySelector(".crosshair-number");
    number?.remove();
    if (highlighted !== undefined) this.drawing.append(crosshairNumber(highlighted, geometry));
  }

  private showReadout(): void {
    const { model, highlighted, drawing } = this;
    if (!model) return;
    const { chart } = model;
    if (highlighted === undefined) {
      setText(this.readout, model.summary);
      drawing.setAttribute("aria-valuenow", "0");
      const text = chart.emptiness ?? (chart.summary || t("no layer chosen"));
      drawing.setAttribute("aria-valuetext", text);
      return;
    }
    setText(this.readout, model.figureOf(highlighted));
    const verdict = chart.verdicts[highlighted];
    const text = spokenLayer(highlighted, chart.readout(highlighted), verdict);
    drawing.setAttribute("aria-valuenow", String(highlighted));
    drawing.setAttribute("aria-valuetext", text);
  }

  private listen(): void {
    const { drawing, events } = this;
    drawing.addEventListener("pointermove", (event) => {
      events.onHover(this.geometry?.layerAt(event.offsetX));
    });
    drawing.addEventListener("pointerleave", () => {
      events.onHover(undefined);
    });
    drawing.addEventListener("click", (event) => {
      events.onChoose(this.geometry?.layerAt(event.offsetX));
    });
    drawing.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const last = (this.model?.chart.layers ?? 0) - 1;
      const next = last < 0 ? undefined : keyTarget(event.key, this.highlighted, last);
      if (next === undefined) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next === "none" ? undefined : next);
    });
  }
}

// ---- The drawing, from the back to the front ----

function tints({ verdicts }: ChartModel, { plot, x, step }: Geometry): SVGElement[] {
  return verdictRuns(verdicts).map(({ verdict, first, last }) =>
    svgElement("rect", {
      class: `tint tint-${verdict}`,
      x: String(round(x(first) - step / 2)),
      y: String(plot.top),
      width: String(round((last - first + 1) * step)),
      height: String(plot.bottom - plot.top),
    }),
  );
}

function crosshairPlace(): SVGElement {
  return svgElement("g", { class: "crosshair" });
}

function crosshair(layer: number, { plot, x, step }: Geometry): SVGElement[] {
  return [
    svgElement("rect", {
      class: "crosshair-column",
      x: String(round(x(layer) - step / 2)),
      y: String(plot.top),
      width: String(round(step)),
      height: String(plot.bottom - plot.top),
    }),
    svgElement("path", {
      class: "crosshair-line",
      d: `M${round(x(layer))} ${plot.top}V${plot.bottom}`,
    }),
  ];
}

/** The layer's number where the axis has its own, which it hides. */
function crosshairNumber(layer: number, { plot, x }: Geometry): SVGElement {
  const width = 8 + 6.5 * String(layer).length;
  const centre = Math.min(plot.right + 7 - width / 2, x(layer));
  return svgElement("g", { class: "crosshair-number" }, [
    svgElement("rect", {
      x: String(round(centre - width / 2)),
      y: String(plot.bottom + 2),
      width: String(width),
      height: "14",
      rx: "3",
    }),
    label(String(layer), { x: centre, y: plot.bottom + 9.5, anchor: "middle", class: "number" }),
  ]);
}

function axes(model: ChartModel, { plot, x, y }: Geometry): SVGElement[] {
  if (model.emptiness !== undefined && model.layers === 0) return [];
  const values = model.emptiness === undefined ? fewTicks(model.axis) : [];
  const step = layerStep(model.layers, plot.right - plot.left);
  const layers = Array.from({ length: Math.ceil(model.layers / step) }, (_, i) => i * step);
  const { reference, axis } = model;
  const hasReference =
    reference && values.length > 0 && reference.value > axis.min && reference.value < axis.max;
  return [
    ...values.flatMap((value) => [
      svgElement("path", { class: "grid", d: `M${plot.left} ${round(y(value))}H${plot.right}` }),
      label(tickText(value), { x: plot.left - 6, y: y(value), anchor: "end", class: "tick" }),
    ]),
    ...layers.map((layer) => {
      const text = label(String(layer), {
        x: x(layer),
        y: plot.bottom + 9.5,
        anchor: "middle",
        class: "tick layer-label",
      });
      text.dataset["layer"] = String(layer);
      return text;
    }),
    ...(hasReference
      ? [
          svgElement("path", {
            class: "reference",
            d: `M${plot.left} ${round(y(reference.value))}H${plot.right}`,
          }),
        ]
      : []),
  ];
}

function marks(model: ChartModel, geometry: Geometry): SVGElement[] {
  const { points, bars, band } = model.measured;
  const { x, y, step } = geometry;
  const radius = markRadius(geometry);
  const zero = y(Math.max(0, model.axis.min));
  const bar = ({ layer, value }: MeasuredPoint) =>
    svgElement("rect", {
      class: "bar",
      x: String(round(x(layer) - step * 0.32)),
      y: String(round(Math.min(zero, y(value)))),
      width: String(round(Math.max(0.6, step * 0.64))),
      height: String(round(Math.abs(zero - y(value)))),
    });
  return [
    ...(bars ? points.map(bar) : []),
    ...(band ? [svgElement("path", { class: "band", d: bandPath(points, geometry) })] : []),
    ...(bars ? [] : [svgElement("path", { class: "line", d: linePath(points, geometry) })]),
    svgElement("path", {
      class: "error-bars",
      d: points
        .map((point) => `M${round(x(point.layer))} ${round(y(point.low))}V${round(y(point.high))}`)
        .join(""),
    }),
    ...points.map((point) => mark(point, model.verdicts[point.layer], radius, geometry)),
    ...(model.belowAxis?.points ?? []).flatMap((point) => belowAxisMark(point, radius, geometry)),
  ];
}

/** As in the panel: a hollow triangle that points out of the chart, and what is seen of the interval. */
function belowAxisMark(
  { layer, high }: MeasuredPoint,
  radius: number,
  { plot, x, y }: Geometry,
): SVGElement[] {
  const [cx, reach] = [round(x(layer)), round(radius * 1.2)];
  const interval = svgElement("path", {
    class: "error-bars",
    d: `M${cx} ${plot.bottom}V${round(y(high))}`,
  });
  const d = `M${round(cx - reach)} ${round(plot.bottom - reach)}h${round(2 * reach)}l${-reach} ${round(1.7 * reach)}Z`;
  return [interval, svgElement("path", { class: "mark mark-below", d })];
}

/** Verdicts by shape, as in the panel: filled needed, hollow free, a hollow diamond uncertain. */
function mark(
  point: MeasuredPoint,
  verdict: Verdict | undefined,
  radius: number,
  { x, y }: Geometry,
): SVGElement {
  const [cx, cy] = [round(x(point.layer)), round(y(point.value))];
  const name = `mark mark-${verdict ?? "none"}`;
  if (verdict !== "uncertain") {
    return svgElement("circle", { class: name, cx: String(cx), cy: String(cy), r: String(radius) });
  }
  const reach = round(radius * 1.35);
  const d = `M${cx} ${cy - reach}l${reach} ${reach}l${-reach} ${reach}l${-reach} ${-reach}Z`;
  return svgElement("path", { class: name, d });
}

function label(
  text: string,
  place: { x: number; y: number; anchor: "middle" | "end"; class: string },
): SVGTextElement {
  const node = svgElement("text", {
    class: place.class,
    x: String(round(place.x)),
    y: String(round(place.y)),
    "text-anchor": place.anchor,
    "dominant-baseline": "central",
  });
  node.textContent = text;
  return node;
}
