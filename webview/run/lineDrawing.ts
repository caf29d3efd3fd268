/** Draws lines over steps against an axis of values. */
import { tickText, type ValueAxis } from "../shared/axis";
import { isLightPage, type Palette } from "../shared/theme";
import { heatColour } from "./colourScale";
import { markerPath, type MarkerShape } from "./marker";
import { xOf, type Area, type PlotSurface } from "./plotSurface";
import type { LineModel, StepLine } from "./runModel";

export function drawLines(
  surface: PlotSurface,
  { axis: values, lines }: LineModel,
  layers: number,
): void {
  const { context, area, palette, highlighted } = surface;
  drawValueAxis(surface, values);
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
    drawLine(surface, values, line, { ...style, width: isChosen ? 3 : style.width });
  }
  context.restore();
  labelLines(surface, values, lines);
}

export interface LineStyle {
  colour: string;
  dash: readonly number[];
  width: number;
  marker?: { shape: MarkerShape; isFilled: boolean };
}

/** Told apart by dash and marker too, never by colour alone. */
export function lineStyle(line: StepLine, layers: number, palette: Palette): LineStyle {
  if (line.place !== undefined) return pairStyle(line.role, line.place, palette);
  switch (line.role) {
    case "loss":
      return { colour: palette.muted, dash: [], width: 1 };
    case "heldOut":
      return { colour: palette.otherRun, dash: [5, 3], width: 1.5, marker: hollow("square") };
    case "measured":
      return { colour: palette.measured, dash: [], width: 1.5, marker: filled("circle") };
    case "layer": {
      // The part of the scale that can be seen on the page; the deeper, the further from the page.
      const layer = line.layer ?? 0;
      const depth = layer / Math.max(1, layers - 1);
      const share = isLightPage(palette) ? 0.72 * (1 - depth) : 0.3 + 0.7 * depth;
      const dash = layer % 2 === 1 ? [6, 3] : [];
      return { colour: heatColour(share, false), dash, width: 1.75, marker: filled("circle") };
    }
  }
}

/** Of two runs each has a colour, and the second all its lines dashed and its points as diamonds. */
function pairStyle(role: StepLine["role"], place: number, palette: Palette): LineStyle {
  const isFirst = place === 0;
  const colour = isFirst ? palette.measured : palette.otherRun;
  switch (role) {
    case "loss":
      return { colour, dash: isFirst ? [] : [3, 2], width: 1 };
    case "heldOut":
      return {
        ...{ colour, dash: isFirst ? [9, 3] : [2, 3], width: 1.25 },
        marker: hollow(isFirst ? "square" : "diamond"),
      };
    case "measured":
    case "layer":
      return {
        ...{ colour, dash: isFirst ? [] : [6, 3], width: 2 },
        marker: filled(isFirst ? "circle" : "diamond"),
      };
  }
}

function filled(shape: MarkerShape): LineStyle["marker"] & object {
  return { shape, isFilled: true };
}

function hollow(shape: MarkerShape): LineStyle["marker"] & object {
  return { shape, isFilled: false };
}

function drawLine(surface: PlotSurface, values: ValueAxis, line: StepLine, style: LineStyle): void {
  const { context, area, palette } = surface;
  const x = (step: number): number => xOf(surface, step);
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
    if (!line.hasMarkers || style.marker === undefined) continue;
    context.fillStyle = style.marker.isFilled ? style.colour : palette.background;
    context.lineWidth = 1.5;
    markerPath(context, style.marker.shape, x(step), y(value));
    context.fill();
    context.stroke();
  }
}

/** Each layer's number at the end of its line; where lines end together, the deeper one's. */
function labelLines(surface: PlotSurface, values: ValueAxis, lines: readonly StepLine[]): void {
  const { context, area, palette } = surface;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const taken: number[] = [];
  for (const line of lines.toReversed()) {
    const last = line.points.at(-1);
    if (line.layer === undefined || last === undefined) continue;
    const y = yOf(area, values, last.value);
    if (taken.some((other) => Math.abs(other - y) < 11)) continue;
    taken.push(y);
    const x = xOf(surface, last.step) + 7;
    context.lineWidth = 3;
    context.strokeStyle = palette.background;
    context.strokeText(String(line.layer), x, y);
    context.fillStyle = palette.foreground;
    context.fillText(String(line.layer), x, y);
  }
}

function drawValueAxis({ context, area, palette }: PlotSurface, values: ValueAxis): void {
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
