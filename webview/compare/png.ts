/** The comparison as one picture: names, verdict and the three charts, twice as fine as a screen. */
import { wrapText } from "../shared/canvasText";
import { element } from "../shared/dom";
import { OverlayChart, type OverlayPalette } from "./overlayChart";
import type { OverlayModel } from "./overlayModel";
import { seriesStyles } from "./seriesStyles";

export interface Picture {
  names: readonly string[];
  /** Indices of the reports that are drawn. */
  shown: readonly number[];
  sentences: readonly string[];
  models: readonly OverlayModel[];
  palette: OverlayPalette;
}

/** A `data:image/png;base64,…` URL. */
export function comparisonPng(picture: Picture): string {
  const canvas = element("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The picture has no drawing surface.");
  // The first pass finds the height, for how long the verdict runs is known only once it is set.
  canvas.width = canvas.height = 1;
  const height = drawComparison(context, picture);
  canvas.width = width * scale;
  canvas.height = Math.ceil(height) * scale;
  context.scale(scale, scale);
  context.fillStyle = picture.palette.theme.background;
  context.fillRect(0, 0, width, height);
  drawComparison(context, picture);
  return canvas.toDataURL("image/png");
}

const width = 1200;
const scale = 2;
const margin = 40;
const chartHeight = 260;
const inner = width - 2 * margin;

type Context = CanvasRenderingContext2D;

/** @returns the height that was drawn */
function drawComparison(context: Context, picture: Picture): number {
  const { names, sentences, models, palette } = picture;
  const { theme } = palette;
  const font = (size: number, weight = 400) => `${weight} ${size}px ${theme.fontFamily}`;
  context.textBaseline = "alphabetic";
  let y = margin + 20;
  context.fillStyle = theme.foreground;
  context.font = font(22, 600);
  context.fillText(`Depth of ${names.join(", ")}`, margin, y, inner);
  context.font = font(15);
  y += 8;
  for (const sentence of sentences) {
    y += 6;
    for (const line of wrapText(context, sentence, inner)) {
      y += 21;
      context.fillText(line, margin, y);
    }
  }
  y += 34;
  y = drawLegend(context, picture, y);
  for (const model of models) {
    y += 36;
    context.fillStyle = theme.foreground;
    context.font = font(15, 600);
    context.fillText(model.title, margin, y);
    const titleWidth = context.measureText(model.title).width;
    context.fillStyle = theme.muted;
    context.font = font(13);
    context.fillText(model.unit, margin + titleWidth + 12, y);
    y += 10;
    drawChart(context, model, palette, y);
    y += chartHeight;
    for (const note of model.notes) {
      y += 18;
      context.fillStyle = theme.muted;
      context.font = font(12);
      context.fillText(note, margin, y, inner);
    }
  }
  y += 18;
  context.fillStyle = theme.muted;
  context.font = font(12);
  context.textAlign = "center";
  const axisName = models[0]?.isRelative === true ? "relative depth" : "layer";
  context.fillText(`${axisName}; error bars are 95% intervals`, width / 2, y);
  context.textAlign = "left";
  return y + margin;
}

/** Line, marker and name of every report that is drawn, on as many lines as they take. */
function drawLegend(context: Context, { names, shown, palette }: Picture, top: number): number {
  let [x, y] = [margin, top];
  context.font = `400 13px ${palette.theme.fontFamily}`;
  for (const report of shown) {
    const name = names[report] ?? "";
    const room = 44 + context.measureText(name).width + 24;
    if (x > margin && x + room > width - margin) [x, y] = [margin, y + 22];
    const style = seriesStyles[report] ?? seriesStyles[0]!;
    const colour = palette.series[report] ?? palette.theme.foreground;
    context.save();
    context.translate(x, y - 11);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash([...style.dash]);
    context.stroke(new Path2D("M1 7H35"));
    context.setLineDash([]);
    context.translate(18, 7);
    context.fillStyle = style.filled ? colour : palette.theme.background;
    const marker = new Path2D(style.path);
    context.fill(marker);
    context.stroke(marker);
    context.restore();
    context.fillStyle = palette.theme.foreground;
    context.fillText(name, x + 44, y);
    x += room;
  }
  return y;
}

/** Chart.js draws on a canvas of its own, which is then laid into the picture. */
function drawChart(
  context: Context,
  model: OverlayModel,
  palette: OverlayPalette,
  y: number,
): void {
  const canvas = element("canvas");
  canvas.width = inner;
  canvas.height = chartHeight;
  const chart = new OverlayChart(canvas, model, palette, { fixed: { scale } });
  context.drawImage(canvas, margin, y, inner, chartHeight);
  chart.destroy();
  if (model.emptiness === undefined) return;
  context.fillStyle = palette.theme.muted;
  context.font = `400 14px ${palette.theme.fontFamily}`;
  context.textAlign = "center";
  context.fillText(model.emptiness, width / 2, y + chartHeight / 2, inner);
  context.textAlign = "left";
}
