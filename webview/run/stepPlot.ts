/** One chart over training steps on a canvas: lines, or a heat map of layers. */
import { t } from "@vscode/l10n";
import type { Palette } from "../shared/theme";
import { drawHeat } from "./heatDrawing";
import { drawLines } from "./lineDrawing";
import { plotArea, tickSize, type PlotHighlight, type PlotSurface } from "./plotSurface";
import type { HeatModel, LineModel } from "./runModel";
import { columnEdges, nearestStep, type StepAxis } from "./stepAxis";
import { drawStepAxis } from "./stepAxisDrawing";

export type PlotContent =
  | { kind: "heat"; model: HeatModel }
  /** `steps` are those that can be chosen. */
  | { kind: "lines"; model: LineModel; steps: number[]; layers: number };

/** A place on the plot: a step of training, and the layer where the plot has layers. */
export interface PlotPlace {
  step: number;
  layer: number | undefined;
}

export class StepPlot {
  private readonly context: CanvasRenderingContext2D;
  private content: PlotContent | undefined;
  private axis: StepAxis | undefined;
  private palette: Palette | undefined;
  private highlighted: PlotHighlight = { step: undefined, layer: undefined };

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error(t("The chart has no drawing surface."));
    this.context = context;
    new ResizeObserver(() => {
      this.draw();
    }).observe(canvas);
  }

  show(content: PlotContent, axis: StepAxis, palette: Palette): void {
    this.content = content;
    this.axis = axis;
    this.palette = palette;
    this.draw();
  }

  highlight(highlighted: PlotHighlight): void {
    const { step, layer } = this.highlighted;
    if (step === highlighted.step && layer === highlighted.layer) return;
    this.highlighted = highlighted;
    this.draw();
  }

  placeAt(offsetX: number, offsetY: number): PlotPlace | undefined {
    const { axis, content } = this;
    if (!axis || !content) return undefined;
    const area = plotArea(this.canvas.clientWidth, this.canvas.clientHeight);
    const share = (offsetX - area.left) / area.width;
    const steps = stepsOf(content);
    const nearest = nearestStep(axis, steps, share);
    if (nearest === undefined) return undefined;
    if (content.kind === "lines") return { step: nearest, layer: undefined };
    const edges = columnEdges(axis, steps);
    const inside = edges.findIndex(([left, right]) => share >= left && share <= right);
    const { layers } = content.model.map;
    const layer = Math.floor(((area.top + area.height - offsetY) / area.height) * layers);
    return {
      step: steps[inside] ?? nearest,
      layer: layers === 0 ? undefined : Math.min(layers - 1, Math.max(0, layer)),
    };
  }

  private draw(): void {
    const { canvas, context, content, axis, palette } = this;
    const { clientWidth, clientHeight } = canvas;
    if (!content || !axis || !palette || clientWidth === 0) return;
    const ratio = window.devicePixelRatio;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const { highlighted } = this;
    const area = plotArea(clientWidth, clientHeight);
    drawPlot({ context, area, axis, palette, highlighted }, content);
  }
}

export function drawPlot(surface: PlotSurface, content: PlotContent): void {
  const { context, palette } = surface;
  context.font = `${tickSize}px ${palette.fontFamily}`;
  if (content.kind === "heat") drawHeat(surface, content.model);
  else drawLines(surface, content.model, content.layers);
  drawStepAxis(surface, stepsOf(content));
}

/** Those that can be chosen. */
export function stepsOf(content: PlotContent): number[] {
  return content.kind === "heat" ? content.model.steps : content.steps;
}
