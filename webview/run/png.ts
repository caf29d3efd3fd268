/** A run as one picture: its findings, the charts over steps as they are chosen, and those of a step. */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import { verdictName } from "../../src/report/verdict";
import { drawCharts } from "../panel/png";
import {
  pictureMargin,
  pictureRoom,
  pictureUrl,
  type Brush,
  type LegendEntry,
} from "../shared/picture";
import { isLightPage, type Palette } from "../shared/theme";
import { heatColour } from "./colourScale";
import { drawVerdict } from "./heatDrawing";
import type { LineStyle } from "./lineDrawing";
import { markerPath } from "./marker";
import { plotArea } from "./plotSurface";
import type { StepFigureState } from "./stepFigure";
import { scaleTexts, type StepLegendEntry } from "./stepLegend";
import { drawPlot } from "./stepPlot";
import { sectionFacts, stepModels, type StepView } from "./stepModels";

export interface Picture {
  name: string;
  /** One line for each run. */
  facts: readonly string[];
  sentences: readonly string[];
  figures: readonly StepFigureState[];
  section: StepView;
}

/** A `data:image/png;base64,…` URL. */
export function runPng(picture: Picture, palette: Palette): string {
  return pictureUrl(palette, (brush) => drawRun(brush, picture));
}

function drawRun(brush: Brush, { name, facts, sentences, figures, section }: Picture): number {
  let y = pictureMargin + 20;
  brush.line(name, y, { size: 24, weight: 600 });
  y += 5;
  for (const line of facts) {
    y += 21;
    brush.line(line, y, { size: 14, muted: true });
  }
  y = brush.paragraphs(sentences, y + 14, { size: 16, gap: 6 });
  for (const state of figures) y = drawFigure(brush, state, y + 40);
  y += 18;
  brush.axisName(t("step of training"), y);
  const entry = section.steps[section.step];
  if (!entry) return y;
  y += 56;
  brush.line(t("Step {0}", wholeNumber(entry.step)), y, { size: 19, weight: 600 });
  y += 3;
  for (const line of sectionFacts(section)) {
    y += 21;
    brush.line(line, y, { size: 14, muted: true });
  }
  return drawCharts(brush, stepModels(section), y);
}

/** @returns where it ends */
function drawFigure(brush: Brush, state: StepFigureState, top: number): number {
  const { context, palette } = brush;
  const { legend, panes, axis } = state;
  let y = top;
  brush.caption(state, y);
  if (legend.length > 0) {
    const entries = legend.map((entry) => legendEntry(brush, entry));
    y = brush.legend(entries, y + 22, 12);
  }
  y += 10;
  for (const { name, content, height, emptiness } of panes) {
    if (name !== undefined) {
      y += 16;
      brush.line(name, y, { size: 13, weight: 600 });
      y += 8;
    }
    context.save();
    context.translate(pictureMargin, y);
    const area = plotArea(pictureRoom, height);
    const highlighted = { step: undefined, layer: undefined };
    drawPlot({ context, area, axis, palette, highlighted }, content);
    context.restore();
    if (emptiness !== undefined) brush.emptiness(emptiness, y, height);
    y += height;
  }
  return brush.paragraphs(state.notes, y, { size: 12, muted: true, gap: 1 });
}

function legendEntry(brush: Brush, entry: StepLegendEntry): LegendEntry {
  switch (entry.kind) {
    case "line":
      return {
        text: entry.text,
        sampleWidth: 34,
        draw: (x, y) => {
          drawSample(brush, entry.style, x, y);
        },
      };
    case "verdict":
      return {
        text: verdictName(entry.verdict),
        sampleWidth: 16,
        draw: (x, y) => {
          const cell = { left: x, top: y - 6, width: 12, height: 12 };
          drawVerdict(brush.context, cell, entry.verdict, brush.palette.foreground);
        },
      };
    case "scale": {
      const { low, middle, high } = scaleTexts(entry.scale);
      return {
        text: `${low} … ${middle} … ${high}`,
        sampleWidth: stripWidth + 8,
        draw: (x, y) => {
          drawStrip(brush, x, y);
        },
      };
    }
  }
}

const stripWidth = 180;

function drawStrip({ context, palette }: Brush, x: number, y: number): void {
  const isLight = isLightPage(palette);
  for (let i = 0; i < stripWidth; i++) {
    context.fillStyle = heatColour(i / (stripWidth - 1), isLight);
    context.fillRect(x + i, y - 5, 1, 10);
  }
}

function drawSample({ context, palette }: Brush, style: LineStyle, x: number, y: number): void {
  const { colour, dash, width, marker } = style;
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + 26, y);
  context.stroke();
  context.setLineDash([]);
  if (marker) {
    context.fillStyle = marker.isFilled ? colour : palette.background;
    markerPath(context, marker.shape, x + 13, y);
    context.fill();
    context.stroke();
  }
  context.restore();
}
