/** Figures over depth as one line of text. */
import type { LayerReport, Report } from "../diagnosis/report";

/**
 * One character per figure, `▁` for the smallest and `█` for the largest; `·` where there is none.
 * On a logarithmic scale figures at or below zero are `·` too. Neighbours are averaged where there
 * are more figures than `width`.
 */
export function sparkline(
  values: readonly (number | undefined)[],
  scale: "linear" | "log" = "linear",
  width = Infinity,
): string {
  const heights = resample(values, width).map((value) => {
    if (value === undefined || !Number.isFinite(value)) return undefined;
    if (scale === "linear") return value;
    return value > 0 ? Math.log(value) : undefined;
  });
  const known = heights.filter((height) => height !== undefined);
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return heights
    .map((height) => {
      if (height === undefined) return "·";
      const share = range > 0 ? Math.min(1, height / range - low / range) : 0;
      return sparks[Math.round(share * (sparks.length - 1))]!;
    })
    .join("");
}

const sparks = "▁▂▃▄▅▆▇█";

/** Averages neighbours until the row fits; a bin without a figure stays empty. */
function resample(values: readonly (number | undefined)[], room: number): (number | undefined)[] {
  if (values.length <= room) return [...values];
  return Array.from({ length: room }, (_, bin) => {
    const from = Math.floor((bin * values.length) / room);
    const to = Math.max(from + 1, Math.floor(((bin + 1) * values.length) / room));
    const known = values.slice(from, to).filter((value) => value !== undefined);
    if (known.length === 0) return undefined;
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Layer reports in the order of the network, with a gap where a layer has none yet. */
export function byIndex(report: Report): (LayerReport | undefined)[] {
  const layers = new Map(report.layers.map((layer) => [layer.index, layer]));
  return Array.from({ length: report.architecture.layers }, (_, index) => layers.get(index));
}
