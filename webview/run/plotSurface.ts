/** What the charts over training steps are drawn on, and what all of them are drawn with. */
import type { Palette } from "../shared/theme";
import type { StepAxis } from "./stepAxis";

export interface PlotHighlight {
  /** Of training, whether or not the plot has figures there. */
  step: number | undefined;
  layer: number | undefined;
}

/** A rectangle in CSS pixels. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface PlotSurface {
  context: CanvasRenderingContext2D;
  /** Between the axes. */
  area: Area;
  axis: StepAxis;
  palette: Palette;
  highlighted: PlotHighlight;
}

export const tickSize = 11;

/** Where the figures are drawn on a canvas of a size: the same as in the charts over layers. */
export function plotArea(width: number, height: number): Area {
  return {
    left: gutter,
    top: topPadding,
    width: Math.max(1, width - gutter - rightPadding),
    height: Math.max(1, height - topPadding - bottomPadding),
  };
}

const gutter = 54;
const rightPadding = 10;
const topPadding = 6;
const bottomPadding = 24;

/** Where a step lies on the axis. */
export function xOf({ area, axis }: PlotSurface, step: number): number {
  return area.left + axis.shareOf(step) * area.width;
}

/** A label that stands out: it hides the axis's own. */
export function badge(
  { context, palette }: PlotSurface,
  text: string,
  x: number,
  y: number,
  align: "center" | "right",
): void {
  context.save();
  context.font = `600 ${tickSize}px ${palette.fontFamily}`;
  const width = context.measureText(text).width + 10;
  const left = align === "center" ? x - width / 2 : x - width + 5;
  context.fillStyle = palette.foreground;
  context.beginPath();
  context.roundRect(left, y - 8.5, width, 17, 3);
  context.fill();
  context.fillStyle = palette.background;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, left + width / 2, y + 0.5);
  context.restore();
}
