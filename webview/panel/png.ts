/** The panel as one picture: checkpoint, verdict and the three charts, twice as fine as a screen. */
import type { Report } from "../../src/diagnosis/report";
import { wrapText } from "../shared/canvasText";
import { element } from "../shared/dom";
import { faded, type Palette } from "../shared/theme";
import type { ChartModel } from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";
import { checkpointFacts } from "./header";
import { LayerChart } from "./layerChart";
import { verdictSentences } from "./verdictSection";

/** A `data:image/png;base64,…` URL. */
export function panelPng(
  name: string,
  report: Report | undefined,
  models: readonly ChartModel[],
  palette: Palette,
): string {
  const canvas = element("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The picture has no drawing surface.");
  // The first pass finds the height, for how long the verdict runs is known only once it is set.
  canvas.width = canvas.height = 1;
  const height = drawPanel(context, name, report, models, palette);
  canvas.width = width * scale;
  canvas.height = Math.ceil(height) * scale;
  context.scale(scale, scale);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  drawPanel(context, name, report, models, palette);
  return canvas.toDataURL("image/png");
}

const width = 1200;
const scale = 2;
const margin = 40;
const chartHeight = 240;
const inner = width - 2 * margin;

type Context = CanvasRenderingContext2D;

function drawPanel(
  context: Context,
  name: string,
  report: Report | undefined,
  models: readonly ChartModel[],
  palette: Palette,
): number {
  const font = (size: number, weight = 400) => `${weight} ${size}px ${palette.fontFamily}`;
  context.textBaseline = "alphabetic";
  let y = margin + 20;
  context.fillStyle = palette.foreground;
  context.font = font(24, 600);
  context.fillText(name, margin, y, inner);
  y += 26;
  context.fillStyle = palette.muted;
  context.font = font(14);
  if (report) context.fillText(checkpointFacts(report), margin, y, inner);
  y += 14;
  context.fillStyle = palette.foreground;
  context.font = font(16);
  for (const sentence of verdictSentences(report)) {
    y += 6;
    for (const line of wrapText(context, sentence, inner)) {
      y += 22;
      context.fillText(line, margin, y);
    }
  }
  y += 16;
  const verdicts = models[0]?.verdicts ?? [];
  if (verdicts.some((verdict) => verdict !== undefined)) {
    y += 16;
    drawVerdictKey(context, verdicts, palette, y);
  }
  for (const model of models) {
    y += 34;
    context.fillStyle = palette.foreground;
    context.font = font(15, 600);
    context.fillText(model.title, margin, y);
    const titleWidth = context.measureText(model.title).width;
    context.fillStyle = palette.muted;
    context.font = font(13);
    context.fillText(model.unit, margin + titleWidth + 12, y);
    y += 22;
    drawLegend(context, model, palette, y);
    y += 10;
    drawChart(context, model, palette, y);
    y += chartHeight;
    for (const note of model.notes) {
      y += 18;
      context.fillStyle = palette.muted;
      context.font = font(12);
      context.fillText(note, margin, y, inner);
    }
  }
  y += 18;
  context.fillStyle = palette.muted;
  context.font = font(12);
  context.textAlign = "center";
  context.fillText("layer", width / 2, y);
  context.textAlign = "left";
  return y + margin;
}

/** Samples of every series in one line. */
function drawLegend(context: Context, model: ChartModel, palette: Palette, y: number): void {
  let x = margin;
  context.font = `400 12px ${palette.fontFamily}`;
  const word = (text: string) => {
    context.fillStyle = palette.foreground;
    context.fillText(text, x, y);
    x += context.measureText(text).width + 18;
  };
  dot(context, x + 6, y - 4, palette.measured, palette.measured);
  x += 18;
  word("measured, 95% interval");
  for (const curve of model.curves) {
    stroke(context, x, y - 4, palette[curve.role], curveDashes[curve.role]);
    x += 32;
    word(curve.label);
  }
  if (model.reference) {
    stroke(context, x, y - 4, palette.muted, referenceDash);
    x += 32;
    word(model.reference.label);
  }
}

/** `● 18 needed` and so on, as above the charts of the panel. */
function drawVerdictKey(
  context: Context,
  verdicts: ChartModel["verdicts"],
  palette: Palette,
  y: number,
): void {
  let x = margin;
  context.font = `400 13px ${palette.fontFamily}`;
  for (const verdict of ["needed", "free", "uncertain"] as const) {
    const count = verdicts.filter((one) => one === verdict).length;
    context.fillStyle = faded(palette[verdict], palette.highContrast ? 0 : 0.2);
    context.fillRect(x, y - 12, 16, 16);
    const fill = verdict === "needed" ? palette.measured : palette.background;
    if (verdict === "uncertain") diamond(context, x + 8, y - 4, palette.measured, fill);
    else dot(context, x + 8, y - 4, palette.measured, fill);
    const text = `${count} ${verdict}`;
    context.fillStyle = palette.foreground;
    context.fillText(text, x + 22, y);
    x += 22 + context.measureText(text).width + 18;
  }
}

/** Chart.js draws on a canvas of its own, which is then laid into the picture. */
function drawChart(context: Context, model: ChartModel, palette: Palette, y: number): void {
  const canvas = element("canvas");
  canvas.width = inner;
  canvas.height = chartHeight;
  const chart = new LayerChart(canvas, model, palette, { fixed: { scale } });
  context.drawImage(canvas, margin, y, inner, chartHeight);
  chart.destroy();
  if (model.emptiness === undefined) return;
  context.fillStyle = palette.muted;
  context.font = `400 14px ${palette.fontFamily}`;
  context.textAlign = "center";
  context.fillText(model.emptiness, width / 2, y + chartHeight / 2, inner);
  context.textAlign = "left";
}

function dot(context: Context, x: number, y: number, colour: string, fill: string): void {
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  outline(context, colour, fill);
}

function diamond(context: Context, x: number, y: number, colour: string, fill: string): void {
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x + 5, y);
  context.lineTo(x, y + 5);
  context.lineTo(x - 5, y);
  context.closePath();
  outline(context, colour, fill);
}

function outline(context: Context, colour: string, fill: string): void {
  context.fillStyle = fill;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

function stroke(
  context: Context,
  x: number,
  y: number,
  colour: string,
  dash: readonly number[],
): void {
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + 26, y);
  context.stroke();
  context.restore();
}
