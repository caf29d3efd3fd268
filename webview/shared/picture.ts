/** Pictures of a page's charts, twice as fine as a screen. */
import { t } from "@vscode/l10n";
import { wrapText } from "./canvasText";
import { element } from "./dom";
import type { FigureWords } from "./figureFrame";
import { PlaceChart, type PlaceDrawing } from "./placeChart";
import type { Palette } from "./theme";

/** Of every picture, in pixels of the page; text and charts have the room between the margins. */
export const pictureWidth = 1200;
export const pictureMargin = 40;
export const pictureRoom = pictureWidth - 2 * pictureMargin;
export const pictureScale = 2;

/** Draws from the top on and says where it ended. */
export type DrawPicture = (brush: Brush) => number;

/** @returns a `data:image/png;base64,…` URL */
export function pictureUrl(palette: Palette, draw: DrawPicture): string {
  const canvas = element("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error(t("The picture has no drawing surface."));
  // The first pass finds the height, for how long the words run is known only once they are set.
  canvas.width = canvas.height = 1;
  const height = draw(new Brush(context, palette)) + pictureMargin;
  canvas.width = pictureWidth * pictureScale;
  canvas.height = Math.ceil(height) * pictureScale;
  context.scale(pictureScale, pictureScale);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, pictureWidth, height);
  draw(new Brush(context, palette));
  return canvas.toDataURL("image/png");
}

/** Sets words and charts into a picture in the colours of the theme. */
export class Brush {
  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly palette: Palette,
  ) {
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
  }

  font(size: number, weight = 400): string {
    return `${weight} ${size}px ${this.palette.fontFamily}`;
  }

  /** One line at a height; what is too wide is set narrower. */
  line(text: string, y: number, { size, weight = 400, muted = false }: LineStyle): void {
    const { context, palette } = this;
    context.font = this.font(size, weight);
    context.fillStyle = muted ? palette.muted : palette.foreground;
    context.fillText(text, pictureMargin, y, pictureRoom);
  }

  /** @returns the height of the last line */
  paragraphs(texts: readonly string[], top: number, style: LineStyle & { gap: number }): number {
    const { context } = this;
    let y = top;
    for (const text of texts) {
      y += style.gap;
      context.font = this.font(style.size, style.weight);
      for (const line of wrapText(context, text, pictureRoom)) {
        y += Math.round(style.size * 1.4);
        this.line(line, y, style);
      }
    }
    return y;
  }

  /** A chart's name with the unit behind it. */
  caption({ title, unit }: Pick<FigureWords, "title" | "unit">, y: number): void {
    const { context, palette } = this;
    this.line(title, y, { size: 15, weight: 600 });
    const width = context.measureText(title).width;
    context.fillStyle = palette.muted;
    context.font = this.font(13);
    context.fillText(unit, pictureMargin + width + 12, y, pictureRoom - width - 12);
  }

  /** Why a chart is empty, in the middle of its place. */
  emptiness(text: string, top: number, height: number): void {
    this.centred(text, top + height / 2, 14);
  }

  /** What the axis below the charts shows. */
  axisName(text: string, y: number): void {
    this.centred(text, y, 12);
  }

  /** Chart.js draws on a canvas of its own, which is then laid into the picture. */
  placeChart(drawing: PlaceDrawing, words: FigureWords, top: number, height: number): void {
    const canvas = element("canvas");
    canvas.width = pictureRoom;
    canvas.height = height;
    const chart = new PlaceChart(canvas, drawing, { fixed: { scale: pictureScale } });
    this.context.drawImage(canvas, pictureMargin, top, pictureRoom, height);
    chart.destroy();
    if (words.emptiness !== undefined) this.emptiness(words.emptiness, top, height);
  }

  /** Entries on as many lines as they take. @returns the height of the last line */
  legend(entries: readonly LegendEntry[], top: number, size: number): number {
    const { context, palette } = this;
    let [x, y] = [pictureMargin, top];
    for (const { text, sampleWidth, draw } of entries) {
      context.font = this.font(size);
      const width = sampleWidth + context.measureText(text).width;
      if (x > pictureMargin && x + width > pictureMargin + pictureRoom) {
        [x, y] = [pictureMargin, y + Math.round(size * 1.6)];
      }
      draw(x, y - 4);
      context.fillStyle = palette.foreground;
      context.fillText(text, x + sampleWidth, y);
      x += width + 18;
    }
    return y;
  }

  private centred(text: string, y: number, size: number): void {
    const { context, palette } = this;
    context.fillStyle = palette.muted;
    context.font = this.font(size);
    context.textAlign = "center";
    context.fillText(text, pictureWidth / 2, y, pictureRoom);
    context.textAlign = "left";
  }
}

export interface LineStyle {
  size: number;
  weight?: number;
  muted?: boolean;
}

/** An entry of a legend: a sample drawn at (x, y), its middle line, and the words behind it. */
export interface LegendEntry {
  text: string;
  sampleWidth: number;
  draw: (x: number, y: number) => void;
}
