/** One overlaid chart on the page: caption, figures at the highlighted layer, and the plot. */
import type { LayerRange } from "../panel/axis";
import { element, setText } from "../shared/dom";
import { keyTarget } from "../shared/sliderKeys";
import { OverlayChart, placeText, type OverlayPalette } from "./overlayChart";
import type { OverlayModel } from "./overlayModel";
import { seriesGlyph } from "./seriesGlyph";

export interface OverlayEvents {
  /** The pointer is over a place of the layer axis, or has left. */
  onHover: (place: number | undefined) => void;
  /** The keyboard moved to a place; undefined lets go. */
  onChoose: (place: number | undefined) => void;
  /** A place was clicked: chosen, or let go if it was. */
  onToggle: (place: number | undefined) => void;
  onZoom: (range: LayerRange | undefined) => void;
}

export class OverlayFigure {
  readonly node: HTMLElement;
  private readonly title = element("h3", { class: "chart-title" });
  private readonly unit = element("p", { class: "chart-unit" });
  private readonly readouts = element("ul", { class: "readouts" });
  private readonly canvas = element("canvas", {
    attributes: { role: "slider", tabindex: "0", "aria-valuemin": "0" },
  });
  private readonly emptiness = element("p", { class: "plot-empty" });
  private readonly notes = element("ul", { class: "notes" });
  private chart: OverlayChart | undefined;
  private model: OverlayModel | undefined;
  private highlighted: number | undefined;

  constructor(
    private readonly events: OverlayEvents,
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
            ...(controls ? [controls] : []),
          ],
        }),
        this.readouts,
        element("div", { class: "plot", children: [this.canvas, this.emptiness] }),
        this.notes,
      ],
    });
    this.listen();
  }

  show(model: OverlayModel, palette: OverlayPalette): void {
    this.model = model;
    setText(this.title, model.title);
    setText(this.unit, model.unit);
    setText(this.emptiness, model.emptiness ?? "");
    this.notes.replaceChildren(...model.notes.map((text) => element("li", { text })));
    this.canvas.setAttribute("aria-label", `${model.title} by layer. ${model.unit}`);
    this.canvas.setAttribute("aria-valuemax", String(Math.max(0, model.places - 1)));
    if (this.chart) this.chart.show(model, palette);
    else this.chart = new OverlayChart(this.canvas, model, palette, { onZoom: this.events.onZoom });
    this.showReadouts();
  }

  highlight(place: number | undefined): void {
    this.highlighted = place;
    this.chart?.highlight(place);
    this.showReadouts();
  }

  private showReadouts(): void {
    const { model, highlighted } = this;
    if (!model) return;
    if (highlighted === undefined) {
      this.readouts.replaceChildren(
        ...model.summaries.map(({ report, name, text }) => readoutNode(report, name, text)),
      );
      this.canvas.setAttribute("aria-valuenow", "0");
      this.canvas.setAttribute("aria-valuetext", model.emptiness ?? "no layer chosen");
      return;
    }
    const readouts = model.readouts(highlighted);
    this.readouts.replaceChildren(
      ...readouts.map(({ report, name, text }) => readoutNode(report, name, text)),
    );
    const where = model.isRelative
      ? `Depth ${placeText(model, highlighted)}`
      : `Layer ${highlighted}`;
    this.canvas.setAttribute("aria-valuenow", String(highlighted));
    this.canvas.setAttribute(
      "aria-valuetext",
      `${where}: ${readouts.map(({ name, text }) => `${name} ${spoken(text)}`).join("; ")}`,
    );
  }

  private listen(): void {
    const { canvas, events } = this;
    let pressedAt: number | undefined;
    canvas.addEventListener("pointermove", (event) => {
      events.onHover(this.chart?.placeAt(event.offsetX));
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
      events.onToggle(this.chart?.placeAt(event.offsetX));
    });
    canvas.addEventListener("dblclick", () => {
      events.onZoom(undefined);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const last = (this.model?.places ?? 0) - 1;
      if (last < 0) return;
      const next = keyTarget(event.key, this.highlighted, last);
      if (next === undefined) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next === "none" ? undefined : next);
    });
  }
}

function readoutNode(report: number, name: string, text: string): HTMLElement {
  return element("li", {
    children: [
      seriesGlyph(report),
      element("span", { class: "readout-name", text: name }),
      element("span", { class: "readout-figure", text }),
    ],
  });
}

/** The marks of significance in words. */
function spoken(text: string): string {
  return text.replace(" *", ", significant").replace(" °", ", significant alone");
}
