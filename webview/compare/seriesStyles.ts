/** How reports are told apart: by colour, by dash and by the shape of their points. */
import type { PointStyle } from "chart.js";

export interface SeriesStyle {
  dash: readonly number[];
  marker: PointStyle;
  /** The marker as an SVG path about (0, 0), of about the size of a circle of radius 3.5. */
  path: string;
  filled: boolean;
}

/** One for each of as many reports as can be compared. */
export const seriesStyles: readonly SeriesStyle[] = [
  { dash: [], marker: "circle", path: circle(3.4), filled: true },
  { dash: [7, 3], marker: "rect", path: "M-3 -3H3V3H-3Z", filled: true },
  { dash: [2, 3], marker: "triangle", path: "M0 -4 3.6 2.6H-3.6Z", filled: true },
  { dash: [9, 3, 2, 3], marker: "rectRot", path: "M0 -4.3 4.3 0 0 4.3 -4.3 0Z", filled: false },
  { dash: [14, 4], marker: "circle", path: circle(3.4), filled: false },
  { dash: [4, 2, 1, 2, 1, 2], marker: "rect", path: "M-3 -3H3V3H-3Z", filled: false },
];

/** In the order of `seriesStyles`, from the custom properties of compare.css. */
export function readSeriesColours(): string[] {
  const style = getComputedStyle(document.body);
  return seriesStyles.map((_, n) => style.getPropertyValue(`--fathom-series-${n}`).trim());
}

function circle(radius: number): string {
  return `M${-radius} 0A${radius} ${radius} 0 1 0 ${radius} 0A${radius} ${radius} 0 1 0 ${-radius} 0Z`;
}
