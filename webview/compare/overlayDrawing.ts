/** How an overlaid chart is drawn: each report's line in its own colour, dash and marker. */
import type { Chart } from "chart.js";
import { errorBars, markRadius, type PlaceDataset, type PlaceDrawing } from "../shared/placeChart";
import { faded, type Palette } from "../shared/theme";
import type { OverlayModel, OverlaySeries } from "./overlayModel";
import { seriesStyles } from "./seriesStyles";

/** The theme's colours, and one for each report. */
export interface OverlayPalette {
  theme: Palette;
  series: readonly string[];
}

export function overlayDrawing(model: OverlayModel, palette: OverlayPalette): PlaceDrawing {
  const { places, visible, axis, isRelative } = model;
  const text = (place: number): string => placeText(model, place);
  const quarters = [0, 0.25, 0.5, 0.75, 1].map((share) => share * Math.max(1, places - 1));
  return {
    places,
    ...(visible ? { visible } : {}),
    axis,
    isEmpty: model.emptiness !== undefined,
    datasets: datasets(model, palette),
    annotations: [],
    ...(isRelative ? { ticks: { values: quarters, text } } : {}),
    placeText: text,
    palette: palette.theme,
  };
}

/** `7`, or `44%` where layers stand by their relative depth. */
export function placeText(
  { isRelative, places }: Pick<OverlayModel, "isRelative" | "places">,
  place: number,
): string {
  return isRelative ? `${Math.round((100 * place) / Math.max(1, places - 1))}%` : String(place);
}

/** Each report's line with its points before its error bars; the first report is in front. */
function datasets(model: OverlayModel, palette: OverlayPalette): PlaceDataset[] {
  return model.series.flatMap((series, n) => seriesDatasets(model, series, n, palette));
}

function seriesDatasets(
  model: OverlayModel,
  { style, points }: OverlaySeries,
  n: number,
  { theme, series }: OverlayPalette,
): PlaceDataset[] {
  const colour = series[style] ?? theme.foreground;
  const { dash, marker, filled } = seriesStyles[style] ?? seriesStyles[0]!;
  const floor = model.axis.kind === "log" ? model.axis.min : -Infinity;
  // Side by side, or the error bars of one report would hide those of another.
  const aside = (n - (model.series.length - 1) / 2) * 0.09;
  const data = points.map(({ place, value, low, high }) => ({
    x: place + aside,
    y: value,
    yMin: Math.max(floor, low),
    yMax: high,
  }));
  return [
    {
      type: "line",
      order: 2 * n + 1,
      data,
      borderColor: faded(colour, theme.highContrast ? 1 : 0.75),
      borderWidth: 1.5,
      borderDash: [...dash],
      pointStyle: marker,
      pointBackgroundColor: filled ? colour : theme.background,
      pointBorderColor: colour,
      pointBorderWidth: 1.5,
      pointRadius: ({ chart }) => pointRadius(chart, model) * (marker === "rectRot" ? 1.25 : 1),
    },
    errorBars(2 * n + 2, data, colour, (chart) => pointRadius(chart, model) * 1.6),
  ];
}

function pointRadius(chart: Pick<Chart, "chartArea">, { places }: OverlayModel): number {
  return markRadius(chart, places, { share: 0.22, most: 3.6 });
}
