/** Draws a figure over layer × step as a heat map. */
import { shareOf } from "../../src/trainingRun/heatMap";
import { layerStep } from "../shared/axis";
import { faded, isLightPage, type Palette } from "../shared/theme";
import { heatColour, inkOn } from "./colourScale";
import { badge, type Area, type PlotSurface } from "./plotSurface";
import type { HeatModel } from "./runModel";
import { columnEdges } from "./stepAxis";

export function drawHeat(surface: PlotSurface, { map, steps, verdicts }: HeatModel): void {
  const { context, area, axis, palette, highlighted } = surface;
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
  const chosen = highlighted.step === undefined ? -1 : steps.indexOf(highlighted.step);
  if (chosen !== -1) {
    const bottom = cellOf(chosen, 0);
    frame(
      context,
      { left: bottom.left, top: area.top, width: bottom.width - 1, height: area.height },
      palette,
      1,
    );
  }
  if (highlighted.layer !== undefined && highlighted.layer < layers) {
    const middle = (bottomOf(highlighted.layer) + bottomOf(highlighted.layer + 1)) / 2;
    badge(surface, String(highlighted.layer), area.left - 8, middle, "right");
    if (chosen !== -1) frame(context, cellOf(chosen, highlighted.layer), palette, 2);
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
export function drawVerdict(
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
