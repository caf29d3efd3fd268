/** One overlaid chart on the page: every report's figures at the highlighted place above the plot. */
import { t } from "@vscode/l10n";
import { element } from "../shared/dom";
import { PlaceFigure, type PlaceEvents } from "../shared/placeFigure";
import { significanceName } from "./mark";
import { overlayDrawing, placeText, type OverlayPalette } from "./overlayDrawing";
import type { OverlayModel, OverlayReadout } from "./overlayModel";
import { seriesGlyph } from "./seriesGlyph";

export class OverlayFigure {
  private readonly readouts = element("ul", { class: "readouts" });
  private readonly figure: PlaceFigure;
  private model: OverlayModel | undefined;
  private highlighted: number | undefined;

  constructor(events: PlaceEvents, describedBy: string, controls?: HTMLElement) {
    this.figure = new PlaceFigure(events, {
      describedBy,
      beside: controls ? [controls] : [],
      above: [this.readouts],
    });
  }

  get node(): HTMLElement {
    return this.figure.node;
  }

  show(model: OverlayModel, palette: OverlayPalette): void {
    this.model = model;
    this.figure.show(model, overlayDrawing(model, palette));
    this.highlight(this.highlighted);
  }

  highlight(place: number | undefined): void {
    const { model } = this;
    this.highlighted = place;
    if (!model) return;
    const readouts = place === undefined ? model.summaries : model.readouts(place);
    this.readouts.replaceChildren(...readouts.map(readoutNode));
    if (place === undefined) {
      this.figure.highlight(undefined, model.emptiness ?? t("no layer chosen"));
      return;
    }
    const where = model.isRelative
      ? t("Depth {0}", placeText(model, place))
      : t("Layer {0}", place);
    const figures = readouts.map(({ name, text }) => `${name} ${spoken(text)}`);
    this.figure.highlight(place, `${where}: ${figures.join("; ")}`);
  }
}

function readoutNode({ style, name, text }: OverlayReadout): HTMLElement {
  return element("li", {
    children: [
      seriesGlyph(style),
      element("span", { class: "readout-name", text: name }),
      element("span", { class: "readout-figure", text }),
    ],
  });
}

/** The marks of significance in words. */
function spoken(text: string): string {
  return text
    .replace(" *", `, ${significanceName("significant")}`)
    .replace(" °", `, ${significanceName("alone")}`);
}
