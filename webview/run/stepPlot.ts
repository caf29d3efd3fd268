/** Draws one chart over training steps: lines, or a heat map of layers. */
import { layerStep, tickText, type ValueAxis } from "../panel/axis";
import { faded, type Palette } from "../shared/theme";
import { shareOf } from "../../src/trainingRun/heatMap";
import { heatColour, inkOn } from "./colourScale";
import type { HeatModel, LineModel, StepLine } from "./runModel";
import { columnEdges, nearestStep, stepTick, stepTicks, type StepAxis } from "./stepAxis";

export type PlotContent =
  | { kind: "heat"; model: HeatModel }
  /** `steps` are those that can be chosen. */
  | { kind: "lines"; model: LineModel; steps: number[]; layers: number };

export interface PlotHighlight {
  /** Index among the steps. */
  step: number | undefined;
  layer: number | undefined;
}

/** A place on the plot: index of the step, and the layer where the plot has layers. */
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
    if (!context) throw new Error("The chart has no drawing surface.");
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
    if (!axis || !content || stepsOf(content).length === 0) return undefined;
    const area = this.area();
    const share = (offsetX - area.left) / area.width;
    if (content.kind === "lines") {
      return { step: nearestStep(axis, stepsOf(content), share), layer: undefined };
    }
    const edges = columnEdges(axis, content.model.steps);
    const inside = edges.findIndex(([left, right]) => share >= left && share <= right);
    const { layers } = content.model.map;
    const layer = Math.floor(((area.top + area.height - offsetY) / area.height) * layers);
    return {
      step: inside === -1 ? nearestStep(axis, content.model.steps, share) : inside,
      layer: layers === 0 ? undefined : Math.min(layers - 1, Math.max(0, layer)),
    };
  }

  private area(): Area {
    const { clientWidth, clientHeight } = this.canvas;
    return {
      left: gutter,
      top: topPadding,
      width: Math.max(1, clientWidth - gutter - rightPadding),
      height: Math.max(1, clientHeight - topPadding - bottomPadding),
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
    context.font = `${tickSize}px ${palette.fontFamily}`;
    const area = this.area();
    const drawing: Drawing = { context, area, axis, palette, highlighted: this.highlighted };
    if (content.kind === "heat") drawHeat(drawing, content.model);
    else drawLines(drawing, content.model, content.layers);
    drawStepAxis(drawing, stepsOf(content));
  }
}

interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Drawing {
  context: CanvasRenderingContext2D;
  area: Area;
  axis: StepAxis;
  palette: Palette;
  highlighted: PlotHighlight;
}

/** The same as in the charts over layers. */
const gutter = 54;
const rightPadding = 10;
const topPadding = 6;
const bottomPadding = 24;
const tickSize = 11;

function stepsOf(content: PlotContent): number[] {
  return content.kind === "heat" ? content.model.steps : content.steps;
}

function drawHeat(drawing: Drawing, { map, steps, verdicts }: HeatModel): void {
  const { context, area, axis, palette, highlighted } = drawing;
  const { layers, columns, scale } = map;
  if (layers === 0) return;
  const isLight = isLightPage(palette);
  const edges = columnEdges(axis, steps);
  const bottomOf = (layer: number): number => area.top + area.height * (1 - layer / layers);
  const cellOf = (column: number, layer: number): Area => {
    const [from, to] = edges[column] ?? [0, 0];
    const left = Math.round(area.left + from * area.width);
    const top = Math.round(bottomOf(layer + 1));
    return {
      left,
      top,
      width: Math.max(1, Math.round(area.left + to * area.width) - left),
      height: Math.max(1, Math.round(bottomOf(layer)) - top),
    };
  };
  // A hair between cells, where there is room for one.
  const gap = area.height / layers >= 8 ? 1 : 0;
  columns.forEach((column, at) => {
    column.forEach((measured, layer) => {
      const cell = cellOf(at, layer);
      const [width, height] = [cell.width - 1, cell.height - gap];
      if (measured === undefined) {
        hatch(context, { ...cell, width, height }, palette);
        return;
      }
      const share = shareOf(scale, measured.value);
      context.fillStyle = heatColour(share, isLight);
      context.fillRect(cell.left, cell.top, width, height);
      const verdict = verdicts[at]?.[layer];
      if ((verdict === "free" || verdict === "uncertain") && height >= 8 && width >= 12) {
        drawVerdict(context, cell, verdict, inkOn(share, isLight));
      }
    });
  });
  context.fillStyle = palette.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  // As far apart as labels need it upwards; they are narrower sideways.
  const step = layerStep(layers, area.height * 2);
  for (let layer = 0; layer < layers; layer += step) {
    if (layer === highlighted.layer) continue;
    context.fillText(String(layer), area.left - 8, (bottomOf(layer) + bottomOf(layer + 1)) / 2);
  }
  if (highlighted.step !== undefined && highlighted.step < steps.length) {
    const bottom = cellOf(highlighted.step, 0);
    frame(
      context,
      { left: bottom.left, top: area.top, width: bottom.width - 1, height: area.height },
      palette,
      1,
    );
  }
  if (highlighted.layer !== undefined && highlighted.layer < layers) {
    const middle = (bottomOf(highlighted.layer) + bottomOf(highlighted.layer + 1)) / 2;
    badge(drawing, String(highlighted.layer), area.left - 8, middle, "right");
    if (highlighted.step !== undefined && highlighted.step < steps.length) {
      frame(context, cellOf(highlighted.step, highlighted.layer), palette, 2);
    }
  }
}

/** What was not measured is lined, so that no colour is taken for a figure. */
function hatch(context: CanvasRenderingContext2D, cell: Area, palette: Palette): void {
  context.save();
  context.beginPath();
  context.rect(cell.left, cell.top, cell.width, cell.height);
  context.clip();
  context.strokeStyle = faded(palette.foreground, palette.highContrast ? 0.6 : 0.16);
  context.lineWidth = 1;
  context.beginPath();
  // Lines of one grid over all cells, so that neighbours join.
  for (
    let at = cell.left - cell.height - (cell.left % 7);
    at < cell.left + cell.width + 7;
    at += 7
  ) {
    const x = at + ((cell.top + cell.height) % 7);
    context.moveTo(x, cell.top + cell.height);
    context.lineTo(x + cell.height, cell.top);
  }
  context.stroke();
  context.restore();
}

/** The shapes of the charts over layers: a ring is free, a diamond uncertain. */
function drawVerdict(
  context: CanvasRenderingContext2D,
  cell: Area,
  verdict: "free" | "uncertain",
  ink: string,
): void {
  const [x, y] = [cell.left + cell.width / 2, cell.top + cell.height / 2];
  const radius = Math.min(3.2, cell.height / 2 - 2);
  context.strokeStyle = ink;
  context.lineWidth = 1.25;
  context.beginPath();
  if (verdict === "free") context.arc(x, y, radius, 0, 2 * Math.PI);
  else {
    context.moveTo(x, y - radius * 1.2);
    context.lineTo(x + radius * 1.2, y);
    context.lineTo(x, y + radius * 1.2);
    context.lineTo(x - radius * 1.2, y);
    context.closePath();
  }
  context.stroke();
}

/** A double line, so that it can be seen on every colour. */
function frame(
  context: CanvasRenderingContext2D,
  cell: Area,
  palette: Palette,
  width: number,
): void {
  for (const [colour, more] of [
    [palette.background, 2],
    [palette.foreground, 0],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width + more;
    context.strokeRect(cell.left - 0.5, cell.top - 0.5, cell.width + 1, cell.height + 1);
  }
}

function drawLines(drawing: Drawing, { axis: values, lines }: LineModel, layers: number): void {
  const { context, area, palette, highlighted } = drawing;
  drawValueAxis(drawing, values);
  context.save();
  context.beginPath();
  context.rect(area.left - 5, area.top - 5, area.width + 10, area.height + 10);
  context.clip();
  // The chosen layer lies on top.
  const ordered = lines.toSorted(
    (a, b) => Number(a.layer === highlighted.layer) - Number(b.layer === highlighted.layer),
  );
  for (const line of ordered) {
    const isChosen = line.layer !== undefined && line.layer === highlighted.layer;
    const style = lineStyle(line, layers, palette);
    drawLine(drawing, values, line, { ...style, width: isChosen ? 3 : style.width });
  }
  context.restore();
  labelLines(drawing, values, lines);
}

export interface LineStyle {
  colour: string;
  dash: readonly number[];
  width: number;
  marker: "circle" | "square" | "none";
}

/** Told apart by dash and marker too, never by colour alone. */
export function lineStyle(line: StepLine, layers: number, palette: Palette): LineStyle {
  switch (line.role) {
    case "loss":
      return { colour: palette.muted, dash: [], width: 1, marker: "none" };
    case "heldOut":
      return { colour: palette.otherRun, dash: [5, 3], width: 1.5, marker: "square" };
    case "measured":
      return { colour: palette.measured, dash: [], width: 1.5, marker: "circle" };
    case "layer": {
      // The part of the scale that can be seen on the page; the deeper, the further from the page.
      const layer = line.layer ?? 0;
      const depth = layer / Math.max(1, layers - 1);
      const share = isLightPage(palette) ? 0.72 * (1 - depth) : 0.3 + 0.7 * depth;
      const dash = layer % 2 === 1 ? [6, 3] : [];
      return { colour: heatColour(share, false), dash, width: 1.75, marker: "circle" };
    }
  }
}

function drawLine(drawing: Drawing, values: ValueAxis, line: StepLine, style: LineStyle): void {
  const { context, area, axis, palette } = drawing;
  const x = (step: number): number => area.left + axis.shareOf(step) * area.width;
  const y = (value: number): number => yOf(area, values, value);
  context.strokeStyle = style.colour;
  context.lineWidth = style.width;
  context.lineJoin = "round";
  context.setLineDash([...style.dash]);
  context.beginPath();
  line.points.forEach(({ step, value }, i) => {
    if (i === 0) context.moveTo(x(step), y(value));
    else context.lineTo(x(step), y(value));
  });
  context.stroke();
  context.setLineDash([]);
  for (const { step, value, low, high } of line.points) {
    if (high > low) {
      context.lineWidth = 1.25;
      context.beginPath();
      context.moveTo(x(step), y(low));
      context.lineTo(x(step), y(high));
      context.stroke();
    }
    if (!line.hasMarkers || style.marker === "none") continue;
    context.fillStyle = style.marker === "circle" ? style.colour : palette.background;
    context.lineWidth = 1.5;
    context.beginPath();
    if (style.marker === "circle") context.arc(x(step), y(value), 3, 0, 2 * Math.PI);
    else context.rect(x(step) - 2.5, y(value) - 2.5, 5, 5);
    context.fill();
    context.stroke();
  }
}

/** Each layer's number at the end of its line; where lines end together, the deeper one's. */
function labelLines(drawing: Drawing, values: ValueAxis, lines: readonly StepLine[]): void {
  const { context, area, axis, palette } = drawing;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const taken: number[] = [];
  for (const line of lines.toReversed()) {
    const last = line.points.at(-1);
    if (line.layer === undefined || last === undefined) continue;
    const y = yOf(area, values, last.value);
    if (taken.some((other) => Math.abs(other - y) < 11)) continue;
    taken.push(y);
    const x = area.left + axis.shareOf(last.step) * area.width + 7;
    context.lineWidth = 3;
    context.strokeStyle = palette.background;
    context.strokeText(String(line.layer), x, y);
    context.fillStyle = palette.foreground;
    context.fillText(String(line.layer), x, y);
  }
}

function drawValueAxis({ context, area, palette }: Drawing, values: ValueAxis): void {
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const tick of values.ticks) {
    const y = Math.round(yOf(area, values, tick)) + 0.5;
    context.strokeStyle = palette.grid;
    context.beginPath();
    context.moveTo(area.left, y);
    context.lineTo(area.left + area.width, y);
    context.stroke();
    context.fillStyle = palette.muted;
    context.fillText(tickText(tick), area.left - 8, y);
  }
}

function yOf(area: Area, { kind, min, max }: ValueAxis, value: number): number {
  const share =
    kind === "log"
      ? Math.log(Math.max(value, min) / min) / Math.log(max / min)
      : (value - min) / (max - min);
  return area.top + area.height * (1 - share);
}

function drawStepAxis(drawing: Drawing, steps: readonly number[]): void {
  const { context, area, axis, palette, highlighted } = drawing;
  const bottom = area.top + area.height;
  const x = (step: number): number => area.left + axis.shareOf(step) * area.width;
  context.strokeStyle = palette.grid;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(area.left, bottom + 0.5);
  context.lineTo(area.left + area.width, bottom + 0.5);
  context.stroke();
  // A tick below each step that has a checkpoint.
  context.strokeStyle = palette.foreground;
  context.beginPath();
  for (const step of steps) {
    context.moveTo(Math.round(x(step)) + 0.5, bottom + 1);
    context.lineTo(Math.round(x(step)) + 0.5, bottom + 5);
  }
  context.stroke();
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.fillStyle = palette.muted;
  const chosen = highlighted.step === undefined ? undefined : steps[highlighted.step];
  for (const tick of stepTicks(axis, area.width)) {
    if (chosen !== undefined && Math.abs(x(tick) - x(chosen)) < 40) continue;
    context.fillText(stepTick(tick), x(tick), bottom + 15);
  }
  if (chosen === undefined) return;
  context.strokeStyle = faded(palette.foreground, palette.highContrast ? 1 : 0.55);
  context.beginPath();
  context.moveTo(Math.round(x(chosen)) + 0.5, area.top);
  context.lineTo(Math.round(x(chosen)) + 0.5, bottom);
  context.stroke();
  badge(drawing, stepTick(chosen), x(chosen), bottom + 15, "center");
}

/** A label that stands out: it hides the axis's own. */
function badge(
  { context, palette }: Drawing,
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

/** Told by the page itself: themes have names for more than light and dark. */
export function isLightPage(palette: Palette): boolean {
  const [red = 0, green = 0, blue = 0] = (
    /\d+, \d+, \d+/.exec(faded(palette.background, 1))?.[0] ?? ""
  )
    .split(", ")
    .map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128;
}
