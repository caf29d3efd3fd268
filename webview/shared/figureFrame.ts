/** What every chart on a page stands in: its caption above, and below its plots what cannot be drawn. */
import { element, setText } from "./dom";

export interface FigureWords {
  title: string;
  /** What the value axis shows, and in what unit. */
  unit: string;
  /** Why there is nothing to see; absent when there is something. */
  emptiness?: string;
  /** What cannot be drawn, and why. */
  notes: readonly string[];
}

export class FigureFrame {
  readonly node: HTMLElement;
  private readonly title = element("h3", { class: "chart-title" });
  private readonly unit = element("p", { class: "chart-unit" });
  private readonly notes = element("ul", { class: "notes" });

  /**
   * @param plots a plot's box, or what holds several
   * @param beside what stands beside the title
   * @param above what stands between the caption and the plot
   */
  constructor(plots: HTMLElement, { beside, above }: { beside: Node[]; above: Node[] }) {
    this.node = element("figure", {
      class: "chart",
      children: [
        element("figcaption", {
          class: "chart-head",
          children: [
            element("div", { class: "chart-name", children: [this.title, this.unit] }),
            ...beside,
          ],
        }),
        ...above,
        plots,
        this.notes,
      ],
    });
  }

  show({ title, unit, notes }: FigureWords): void {
    setText(this.title, title);
    setText(this.unit, unit);
    this.notes.replaceChildren(...notes.map((text) => element("li", { text })));
  }
}

/** What a chart is drawn in, or says why there is none. */
export class PlotBox {
  readonly node: HTMLElement;
  private readonly emptiness = element("p", { class: "plot-empty" });

  constructor(canvas: HTMLCanvasElement) {
    this.node = element("div", { class: "plot", children: [canvas, this.emptiness] });
  }

  /** @param emptiness undefined where there is something to see */
  show(emptiness: string | undefined): void {
    setText(this.emptiness, emptiness ?? "");
  }
}

/** A legend, and the controls that stand beside it. */
export function chartKey(legend: HTMLElement, controls: HTMLElement | undefined): HTMLElement {
  return element("div", {
    class: "chart-key",
    children: controls ? [legend, controls] : [legend],
  });
}
