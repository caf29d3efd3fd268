/** The report as text for a terminal: verdict, one sparkline per metric over depth, and a table. */
import type { LayerReport, Report } from "../diagnosis/report";
import {
  absent,
  baseName,
  bytes,
  counted,
  duration,
  familyName,
  figure,
  largeCount,
  layerList,
  perplexityCost,
  schemeName,
  signedFigure,
  signedWithInterval,
  wholeNumber,
  withInterval,
} from "./format";
import { verdictOf } from "./verdict";

export interface TableOptions {
  /** Whether ANSI colours may be used. */
  colour: boolean;
  /** Columns of the terminal; lines keep within it where the figures allow. */
  width: number;
}

export function reportTable(report: Report, options: TableOptions): string {
  const paint = options.colour ? ansi : plain;
  const width = Math.max(40, options.width);
  const sections = [
    titleLines(report, paint, width),
    report.findings
      .filter((finding) => finding.kind !== "notice")
      .flatMap((finding) => wrap(clean(finding.text), width)),
    sparklineLines(report, paint, width),
    tableLines(report, paint, width),
    reasonLines(report, width),
    measurementLines(report, paint, width),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/**
 * One character per figure, `▁` for the smallest and `█` for the largest; `·` where there is none.
 * On a logarithmic scale figures at or below zero are `·` too.
 */
export function sparkline(
  values: readonly (number | undefined)[],
  scale: "linear" | "log" = "linear",
): string {
  const heights = values.map((value) => {
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

function titleLines(report: Report, paint: Paint, width: number): string[] {
  const { architecture, checkpoint } = report;
  const facts = [
    `${familyName(clean(architecture.family))}, ${schemeName(clean(architecture.normScheme))}`,
    counted(architecture.layers, "layer"),
    `${largeCount(checkpoint.parameters)} parameters`,
  ].join(" · ");
  return [paint.bold(clean(baseName(checkpoint.path))), ...wrap(facts, width)];
}

function sparklineLines(report: Report, paint: Paint, width: number): string[] {
  const layers = byIndex(report);
  return sparkMetrics.flatMap(({ label, value, scale, write }) => {
    const values = layers.map((layer) => layer && value(layer));
    const known = values.filter((one) => one !== undefined);
    if (known.length === 0) return [];
    const ends = `${write(known[0]!)} → ${write(known[known.length - 1]!)}`;
    const room = Math.max(8, width - sparkLabelWidth - ends.length - 4);
    const line = sparkline(resample(values, room), scale);
    return [`${label.padEnd(sparkLabelWidth)}  ${paint.accent(line)}  ${ends}`];
  });
}

interface SparkMetric {
  label: string;
  value: (layer: LayerReport) => number | undefined;
  scale: "linear" | "log";
  write: (value: number) => string;
}

const sparkMetrics: readonly SparkMetric[] = [
  {
    label: "output variance (log)",
    value: (layer) => layer.outputVariance?.mean,
    scale: "log",
    write: figure,
  },
  {
    label: "‖J−I‖/‖I‖ (log)",
    value: (layer) => layer.jacobian?.identityDistance,
    scale: "log",
    write: figure,
  },
  {
    label: "ΔNLL if removed (log)",
    value: (layer) => layer.pruning?.deltaNll,
    scale: "log",
    write: signedFigure,
  },
  {
    label: "block influence (log)",
    value: (layer) => layer.blockInfluence,
    scale: "log",
    write: figure,
  },
];

const sparkLabelWidth = Math.max(...sparkMetrics.map((metric) => metric.label.length));

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

interface Column {
  head: string;
  align: "left" | "right";
  cell: (layer: LayerReport) => string;
  /** Columns that nothing was measured for are left out, and the last ones where room is short. */
  present: (layer: LayerReport) => boolean;
}

function tableLines(report: Report, paint: Paint, width: number): string[] {
  if (report.layers.length === 0) return [];
  const columns = columnsOf(report).filter((column) => report.layers.some(column.present));
  const cells = columns.map((column) => [column.head, ...report.layers.map(column.cell)]);
  const widths = cells.map((column) => Math.max(...column.map((cell) => cell.length)));
  let shown = columns.length;
  const total = (count: number) => widths.slice(0, count).reduce((sum, one) => sum + one + 2, -2);
  while (shown > 2 && total(shown) > width) shown--;
  const lines = Array.from({ length: report.layers.length + 1 }, (_, row) => {
    const line = columns
      .slice(0, shown)
      .map((column, i) => pad(cells[i]![row]!, widths[i]!, column.align))
      .join("  ")
      .trimEnd();
    if (row === 0) return paint.dim(line);
    const verdict = verdictOf(report.layers[row - 1]!, report.baseline);
    return verdict === "free" ? paint.free(line) : line;
  });
  const hidden = columns.slice(shown).map(({ head }) => head);
  return hidden.length === 0
    ? lines
    : [...lines, ...wrap(`No room for: ${hidden.join(", ")}.`, width).map(paint.dim)];
}

function columnsOf(report: Report): Column[] {
  return [
    {
      head: "layer",
      align: "right",
      cell: (layer) => String(layer.index),
      present: () => true,
    },
    {
      head: "verdict",
      align: "left",
      cell: (layer) => verdictOf(layer, report.baseline) ?? absent,
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: "variance",
      align: "right",
      cell: ({ outputVariance }) =>
        outputVariance ? withInterval(outputVariance.mean, outputVariance.standardError) : absent,
      present: (layer) => layer.outputVariance !== undefined,
    },
    {
      head: "‖J−I‖/‖I‖",
      align: "right",
      cell: ({ jacobian }) =>
        jacobian ? withInterval(jacobian.identityDistance, jacobian.standardError) : absent,
      present: (layer) => layer.jacobian !== undefined,
    },
    {
      head: "ΔNLL (nats)",
      align: "right",
      cell: ({ pruning }) =>
        pruning ? signedWithInterval(pruning.deltaNll, pruning.standardError) : absent,
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: "perplexity",
      align: "right",
      cell: ({ pruning }) => (pruning ? perplexityCost(pruning) : absent),
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: "attention ΔNLL",
      align: "right",
      cell: ({ pruning }) =>
        pruning?.attention
          ? signedWithInterval(pruning.attention.deltaNll, pruning.attention.standardError)
          : absent,
      present: (layer) => layer.pruning?.attention !== undefined,
    },
    {
      head: "feed-forward ΔNLL",
      align: "right",
      cell: ({ pruning }) =>
        pruning?.feedForward
          ? signedWithInterval(pruning.feedForward.deltaNll, pruning.feedForward.standardError)
          : absent,
      present: (layer) => layer.pruning?.feedForward !== undefined,
    },
    {
      head: "block influence",
      align: "right",
      cell: ({ blockInfluence, blockInfluenceStandardError }) => {
        if (blockInfluence === undefined) return absent;
        return blockInfluenceStandardError === undefined
          ? figure(blockInfluence)
          : withInterval(blockInfluence, blockInfluenceStandardError);
      },
      present: (layer) => layer.blockInfluence !== undefined,
    },
  ];
}

function reasonLines(report: Report, width: number): string[] {
  const reasons = new Map<string, number[]>();
  for (const layer of report.layers)
    for (const { metric, reason } of layer.unmeasured ?? []) {
      const text = `${metric}: ${clean(reason)}`;
      reasons.set(text, [...(reasons.get(text) ?? []), layer.index]);
    }
  if (reasons.size === 0) return [];
  return [
    "Not measured",
    ...[...reasons].flatMap(([text, layers]) =>
      wrap(
        `${layers.length === 1 ? "layer" : "layers"} ${layerList(layers)}, ${text}`,
        width - 2,
      ).map((line) => `  ${line}`),
    ),
  ];
}

function measurementLines(report: Report, paint: Paint, width: number): string[] {
  const { evaluation, runtime, baseline } = report;
  const stopped =
    evaluation.plannedDocuments > evaluation.documents
      ? ` of ${wholeNumber(evaluation.plannedDocuments)} planned`
      : "";
  const sentences = [
    `Measured on ${counted(evaluation.documents, "document")}${stopped}, ` +
      `${counted(evaluation.tokens, "token")} of ${clean(evaluation.source)}, ` +
      `on ${clean(runtime.device)} with ${counted(runtime.threads, "thread")}, ` +
      `in ${duration(runtime.seconds)}, with at most ${bytes(runtime.peakMemoryBytes)} of memory.`,
    baseline
      ? `Nothing removed: ${withInterval(baseline.nll, baseline.standardError)} nats per token, ` +
        `perplexity ${baseline.perplexity === undefined ? "beyond counting" : figure(baseline.perplexity)}.`
      : "",
    `± is a 95% interval over ${evaluation.documents === 1 ? "tokens" : "documents"}.`,
    ...report.findings
      .filter((finding) => finding.kind === "notice")
      .map((finding) => clean(finding.text)),
  ];
  return sentences
    .filter((sentence) => sentence !== "")
    .flatMap((sentence) => wrap(sentence, width))
    .map((line) => paint.dim(line));
}

/** Layer reports in the order of the network, with a gap where a layer has none yet. */
function byIndex(report: Report): (LayerReport | undefined)[] {
  const layers = new Map(report.layers.map((layer) => [layer.index, layer]));
  return Array.from({ length: report.architecture.layers }, (_, index) => layers.get(index));
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

function pad(text: string, width: number, align: "left" | "right"): string {
  return align === "right" ? text.padStart(width) : text.padEnd(width);
}

/** A name out of a file may hold escape sequences; a terminal must not obey them. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
}

type Paint = Readonly<Record<"bold" | "dim" | "accent" | "free", (text: string) => string>>;

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

const ansi: Paint = { bold: sgr(1, 22), dim: sgr(2, 22), accent: sgr(36, 39), free: sgr(33, 39) };

const asIs = (text: string) => text;
const plain: Paint = { bold: asIs, dim: asIs, accent: asIs, free: asIs };
