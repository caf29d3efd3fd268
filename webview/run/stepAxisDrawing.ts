/** Draws the axis of steps below a chart, with the highlighted step. */
import { faded } from "../shared/theme";
import { badge, xOf, type PlotSurface } from "./plotSurface";
import { stepTick, stepTicks } from "./stepAxis";

export function drawStepAxis(surface: PlotSurface, steps: readonly number[]): void {
  const { context, area, axis, palette, highlighted } = surface;
  const bottom = area.top + area.height;
  const x = (step: number): number => xOf(surface, step);
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
  const chosen = highlighted.step;
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
  badge(surface, stepTick(chosen), x(chosen), bottom + 15, "center");
}
