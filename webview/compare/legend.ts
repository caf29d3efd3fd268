/** The bar that stays above the charts: which reports are drawn, and which layer is meant. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { button, checkbox } from "../shared/toolkit";
import { seriesGlyph } from "./seriesGlyph";

export interface LegendReport {
  name: string;
  /** Index of its style, which is its place among the compared. */
  style: number;
  isShown: boolean;
}

export interface LegendEvents {
  onToggleReport: (place: number) => void;
  onRelative: (isRelative: boolean) => void;
  onWholeAxis: () => void;
}

export class Legend {
  readonly node: HTMLElement;
  private readonly items = element("ul", {
    class: "series-legend",
    attributes: { "aria-label": t("Reports that are drawn") },
  });
  private readonly layerLine = element("p", { class: "layer-line" });
  private readonly relative = checkbox(t("Relative depth"), (isRelative) => {
    this.events.onRelative(isRelative);
  });
  private readonly wholeAxis = button(t("Show all layers"), {
    appearance: "secondary",
    onPress: () => {
      this.events.onWholeAxis();
    },
  });
  private buttons: HTMLButtonElement[] = [];
  private shown = "";

  constructor(private readonly events: LegendEvents) {
    this.wholeAxis.setHidden(true);
    this.node = element("div", {
      class: "layer-bar",
      children: [this.items, this.relative.node, this.layerLine, this.wholeAxis.node],
    });
  }

  show(
    reports: readonly LegendReport[],
    options: { isRelative: boolean; offersRelative: boolean },
  ): void {
    const next = JSON.stringify(reports.map(({ name, style }) => [name, style]));
    if (next !== this.shown) {
      this.shown = next;
      this.buttons = reports.map(({ name, style }) => this.buttonOf(name, style));
      this.items.replaceChildren(
        ...this.buttons.map((node) => element("li", { children: [node] })),
      );
    }
    this.buttons.forEach((node, n) => {
      node.setAttribute("aria-pressed", String(reports[n]?.isShown));
    });
    this.relative.setChecked(options.isRelative);
    this.relative.node.hidden = !options.offersRelative;
  }

  showLayer(text: string): void {
    setText(this.layerLine, text);
  }

  offerWholeAxis(isOffered: boolean): void {
    this.wholeAxis.setHidden(!isOffered);
  }

  private buttonOf(name: string, style: number): HTMLButtonElement {
    const node = element("button", {
      class: "series-toggle",
      attributes: { type: "button", title: t("Show or hide {0} in the charts", name) },
      children: [seriesGlyph(style), element("span", { text: name })],
    });
    node.addEventListener("click", () => {
      this.events.onToggleReport(style);
    });
    return node;
  }
}
