/** The panel as one picture: checkpoint, verdict and the three charts, twice as fine as a screen. */
import type { Report } from "../../src/diagnosis/report";
import { verdictSentences } from "../../src/report/verdict";
import { wrapText } from "../shared/canvasText";
import { element } from "../shared/dom";
import { faded, type Palette } from "../shared/theme";
import type { ChartModel } from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";
import { checkpointFacts } from "./header";
import { LayerChart } from "./layerChart";

export interface Picture {
  name: string;
  report: Report | undefined;
  /** Of the verdict, where it is not the last word. */
  introduction: string | undefined;
  models: readonly ChartModel[];
}

/** A `data:image/png;base64,…` URL. */
export function panelPng(picture: Picture, palette: Palette): string {
  const canvas = element("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The picture has no drawing surface.");
  // The first pass finds the height, for how long the verdict runs is known only once it is set.
  canvas.width = canvas.height = 1;
  const height = drawPanel(context, picture, palette);
  canvas.width = width * scale;
  canvas.height = Math.ceil(height) * scale;
  context.scale(scale, scale);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  drawPanel(context, picture, palette);
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
  { name, report, introduction, models }: Picture,
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
  const sentences = verdictSentences(report);
  if (introduction !== undefined) sentences.unshift(introduction);
  for (const sentence of sentences) {
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
    y = drawLegend(context, model, palette, y + 22) + 10;
    drawChart(context, model, palette, y);
    y += chartHeight;
    context.fillStyle = palette.muted;
    context.font = font(12);
    for (const line of model.notes.flatMap((note) => wrapText(context, note, inner))) {
      y += 18;
      context.fillText(line, margin, y);
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

/** Samples of every series, in as many lines as they take; returns the last line. */
function drawLegend(context: Context, model: ChartModel, palette: Palette, top: number): number {
  const { measured, background, muted } = palette;
  const line = (colour: string, dash: readonly number[]) => (x: number, y: number) => {
    stroke(context, x, y, colour, dash);
  };
  const entries: { text: string; sampleWidth: number; draw: (x: number, y: number) => void }[] = [
    {
      text: "measured, 95% interval",
      sampleWidth: 18,
      draw: (x, y) => {
        dot(context, x + 6, y, measured, measured);
      },
    },
    ...(model.belowAxis
      ? [
          {
            text: model.belowAxis.label,
            sampleWidth: 18,
            draw: (x: number, y: number) => {
              triangle(context, x + 6, y, measured, background);
            },
          },
        ]
      : []),
    ...model.curves.map(({ label, role }) => ({
      text: label,
      sampleWidth: 32,
      draw: line(palette[role], curveDashes[role]),
    })),
    ...(model.reference
      ? [{ text: model.reference.label, sampleWidth: 32, draw: line(muted, referenceDash) }]
      : []),
  ];
  let [x, y] = [margin, top];
  context.font = `400 12px ${palette.fontFamily}`;
  for (const { text, sampleWidth, draw } of entries) {
    const entryWidth = sampleWidth + context.measureText(text).width;
    if (x > margin && x + entryWidth > margin + inner) [x, y] = [margin, y + 18];
    draw(x, y - 4);
    context.fillStyle = palette.foreground;
    context.fillText(text, x + sampleWidth, y);
    x += entryWidth + 18;
  }
  return y;
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

/** Points down, out of the chart. */
function triangle(context: Context, x: number, y: number, colour: string, fill: string): void {
  context.beginPath();
  context.moveTo(x - 4.5, y - 3);
  context.lineTo(x + 4.5, y - 3);
  context.lineTo(x, y + 4.5);
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
