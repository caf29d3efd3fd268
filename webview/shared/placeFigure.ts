/** A chart over places of the layer axis on the page: its caption, and how it is operated. */
import { t } from "@vscode/l10n";
import type { LayerRange } from "./axis";
import { element } from "./dom";
import { FigureFrame, PlotBox, type FigureWords } from "./figureFrame";
import { PlaceChart, type PlaceDrawing } from "./placeChart";
import { keyTarget } from "./sliderKeys";

export interface PlaceEvents {
  /** The pointer is over a place, or has left. */
  onHover: (place: number | undefined) => void;
  /** The keyboard moved to a place; undefined lets go. */
  onChoose: (place: number | undefined) => void;
  /** A place was clicked: chosen, or let go if it was. */
  onToggle: (place: number | undefined) => void;
  onZoom: (range: LayerRange | undefined) => void;
}

export interface PlaceFigureOptions {
  /** Id of the element that says the same as a table. */
  describedBy: string;
  beside: Node[];
  above: Node[];
}

/** Operated like a slider over the places. */
export class PlaceFigure {
  private readonly canvas = element("canvas", {
    attributes: { role: "slider", tabindex: "0", "aria-valuemin": "0" },
  });
  private readonly box = new PlotBox(this.canvas);
  private readonly frame: FigureFrame;
  private chart: PlaceChart | undefined;
  private places = 0;
  private highlighted: number | undefined;

  constructor(
    private readonly events: PlaceEvents,
    { describedBy, ...around }: PlaceFigureOptions,
  ) {
    this.canvas.setAttribute("aria-describedby", describedBy);
    this.frame = new FigureFrame(this.box.node, around);
    this.listen();
  }

  get node(): HTMLElement {
    return this.frame.node;
  }

  show(words: FigureWords, drawing: PlaceDrawing): void {
    this.frame.show(words);
    this.box.show(words.emptiness);
    this.places = drawing.places;
    this.canvas.setAttribute("aria-label", t("{0} by layer. {1}", words.title, words.unit));
    this.canvas.setAttribute("aria-valuemax", String(Math.max(0, drawing.places - 1)));
    if (this.chart) this.chart.show(drawing);
    else this.chart = new PlaceChart(this.canvas, drawing, { onZoom: this.events.onZoom });
  }

  /** @param spoken what stands at the place, for those who do not see it */
  highlight(place: number | undefined, spoken: string): void {
    this.highlighted = place;
    this.chart?.highlight(place);
    this.canvas.setAttribute("aria-valuenow", String(place ?? 0));
    this.canvas.setAttribute("aria-valuetext", spoken);
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
      if (this.places === 0) return;
      const next = keyTarget(event.key, this.highlighted, this.places - 1);
      if (next === undefined) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next === "none" ? undefined : next);
    });
  }
}
