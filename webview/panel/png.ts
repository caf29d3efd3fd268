/** The panel as one picture: checkpoint, verdict and the three charts. */
import { t } from "@vscode/l10n";
import type { Report } from "../../src/diagnosis/report";
import { verdictSentences } from "../../src/report/findings";
import { verdictCount } from "../../src/report/verdict";
import { pictureMargin, pictureUrl, type Brush, type LegendEntry } from "../shared/picture";
import { faded, type Palette } from "../shared/theme";
import type { ChartModel } from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";
import { checkpointFacts } from "./header";
import { layerDrawing } from "./layerDrawing";

export interface Picture {
  name: string;
  report: Report | undefined;
  /** Of the verdict, where it is not the last word. */
  introduction: string | undefined;
  models: readonly ChartModel[];
}

/** A `data:image/png;base64,…` URL. */
export function panelPng(picture: Picture, palette: Palette): string {
  return pictureUrl(palette, (brush) => drawPanel(brush, picture));
}

/** The panel's charts one below the other, with the axis' name; @returns where they end. */
export function drawCharts(brush: Brush, models: readonly ChartModel[], top: number): number {
  let y = top;
  for (const model of models) {
    y += 34;
    brush.caption(model, y);
    y = brush.legend(legendEntries(brush, model), y + 22, 12) + 10;
    brush.placeChart(layerDrawing(model, brush.palette), model, y, chartHeight);
    y += chartHeight;
    y = brush.paragraphs(model.notes, y, { size: 12, muted: true, gap: 1 });
  }
  y += 18;
  brush.axisName(t("layer"), y);
  return y;
}

const chartHeight = 240;

type Context = CanvasRenderingContext2D;

function drawPanel(brush: Brush, { name, report, introduction, models }: Picture): number {
  let y = pictureMargin + 20;
  brush.line(name, y, { size: 24, weight: 600 });
  y += 26;
  if (report) brush.line(checkpointFacts(report), y, { size: 14, muted: true });
  const sentences = verdictSentences(report);
  if (introduction !== undefined) sentences.unshift(introduction);
  y = brush.paragraphs(sentences, y + 14, { size: 16, gap: 6 }) + 16;
  const verdicts = models[0]?.verdicts ?? [];
  if (verdicts.some((verdict) => verdict !== undefined)) {
    y += 16;
    drawVerdictKey(brush, verdicts, y);
  }
  return drawCharts(brush, models, y);
}

/** Samples of every series with their names. */
function legendEntries({ context, palette }: Brush, model: ChartModel): LegendEntry[] {
  const { measured, background, muted } = palette;
  const line = (colour: string, dash: readonly number[]) => (x: number, y: number) => {
    stroke(context, x, y, colour, dash);
  };
  return [
    {
      text: model.measured.label,
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
      draw: (x: number, y: number) => {
        line(palette[role], curveDashes[role])(x, y);
        if (role === "otherRun") diamond(context, x + 13, y, palette[role], palette[role]);
      },
    })),
    ...(model.reference
      ? [{ text: model.reference.label, sampleWidth: 32, draw: line(muted, referenceDash) }]
      : []),
  ];
}

/** `● 18 needed` and so on, as above the charts of the panel. */
function drawVerdictKey(brush: Brush, verdicts: ChartModel["verdicts"], y: number): void {
  const { context, palette } = brush;
  let x = pictureMargin;
  context.font = brush.font(13);
  for (const verdict of ["needed", "free", "uncertain"] as const) {
    const count = verdicts.filter((one) => one === verdict).length;
    context.fillStyle = faded(palette[verdict], palette.highContrast ? 0 : 0.2);
    context.fillRect(x, y - 12, 16, 16);
    const fill = verdict === "needed" ? palette.measured : palette.background;
    if (verdict === "uncertain") diamond(context, x + 8, y - 4, palette.measured, fill);
    else dot(context, x + 8, y - 4, palette.measured, fill);
    const text = verdictCount(verdict, count);
    context.fillStyle = palette.foreground;
    context.fillText(text, x + 22, y);
    x += 22 + context.measureText(text).width + 18;
  }
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
