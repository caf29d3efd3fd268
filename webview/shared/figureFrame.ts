/** What every chart on a page stands in: its caption above, and below it what cannot be drawn. */
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
  readonly plot: HTMLElement;
  private readonly title = element("h3", { class: "chart-title" });
  private readonly unit = element("p", { class: "chart-unit" });
  private readonly emptiness = element("p", { class: "plot-empty" });
  private readonly notes = element("ul", { class: "notes" });

  /**
   * @param beside what stands beside the title
   * @param above what stands between the caption and the plot
   */
  constructor(canvas: HTMLCanvasElement, { beside, above }: { beside: Node[]; above: Node[] }) {
    this.plot = element("div", { class: "plot", children: [canvas, this.emptiness] });
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
        this.plot,
        this.notes,
      ],
    });
  }

  show({ title, unit, emptiness, notes }: FigureWords): void {
    setText(this.title, title);
    setText(this.unit, unit);
    setText(this.emptiness, emptiness ?? "");
    this.notes.replaceChildren(...notes.map((text) => element("li", { text })));
  }
}

/** A legend, and the controls that stand beside it. */
export function chartKey(legend: HTMLElement, controls: HTMLElement | undefined): HTMLElement {
  return element("div", {
    class: "chart-key",
    children: controls ? [legend, controls] : [legend],
  });
}
