/** The report as text for a terminal: verdict, one sparkline per metric over depth, and a table. */
import type { LayerReport, Report } from "../diagnosis/report";
import { evaluatedText, intervalText, isOfImages, lossUnit } from "./evaluation";
import {
  baseName,
  bytes,
  counted,
  duration,
  familyName,
  figure,
  largeCount,
  layerList,
  layersText,
  schemeName,
  signedFigure,
  withInterval,
} from "./format";
import { layerColumns, type LayerColumn } from "./layerColumns";
import { readingText } from "./reading";
import { byIndex, sparkline } from "./sparkline";
import { verdictOf } from "./verdict";

export interface TableOptions {
  /** Whether ANSI colours may be used. */
  colour: boolean;
  /** Columns of the terminal; lines keep within it where the figures allow. */
  width: number;
  /** False where the reader has been told the notices already. */
  notices?: boolean;
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
    measurementLines(report, paint, width, options.notices ?? true),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function titleLines(report: Report, paint: Paint, width: number): string[] {
  const { architecture, checkpoint } = report;
  const facts = [
    `${familyName(clean(architecture.family))}, ${schemeName(clean(architecture.normScheme))} (${clean(architecture.normSchemeSource)})`,
    layersText(architecture),
    `${largeCount(checkpoint.parameters)} parameters`,
  ].join(" · ");
  const { reading } = architecture;
  // Where a config says what the model is, there is nothing to tell of how it was read.
  const told =
    reading && reading.source !== "config"
      ? wrap(clean(`Read as ${readingText(checkpoint.format, reading, report.evaluation)}.`), width)
      : [];
  return [paint.bold(clean(baseName(checkpoint.path))), ...wrap(facts, width), ...told];
}

function sparklineLines(report: Report, paint: Paint, width: number): string[] {
  const layers = byIndex(report);
  return sparkMetrics.flatMap(({ label, value, scale, write }) => {
    const values = layers.map((layer) => layer && value(layer));
    const known = values.filter((one) => one !== undefined);
    if (known.length === 0) return [];
    const ends = `${write(known[0]!)} → ${write(known[known.length - 1]!)}`;
    const room = Math.max(8, width - sparkLabelWidth - ends.length - 4);
    const line = sparkline(values, scale, room);
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

/** One table, or more of them below each other where the columns do not fit beside each other. */
function tableLines(report: Report, paint: Paint, width: number): string[] {
  if (report.layers.length === 0) return [];
  const [index, ...columns] = layerColumns(report).map((column): WrittenColumn => {
    const cells = [column.head, ...report.layers.map(column.cell)];
    return { ...column, cells, width: Math.max(...cells.map((cell) => cell.length)) };
  });
  const tables: WrittenColumn[][] = [];
  let left = 0;
  for (const column of columns) {
    left -= 2 + column.width;
    if (left < 0 || tables.length === 0) {
      tables.push([index!]);
      left = width - index!.width - 2 - column.width;
    }
    tables.at(-1)!.push(column);
  }
  return tables.flatMap((table, at) => {
    const rows = Array.from({ length: report.layers.length + 1 }, (_, row) => {
      const cells = table.map(({ cells, width, align }) => pad(cells[row]!, width, align));
      const line = cells.join("  ").trimEnd();
      if (row === 0) return paint.dim(line);
      const verdict = verdictOf(report.layers[row - 1]!, report.baseline);
      return verdict === "free" ? paint.free(line) : line;
    });
    return at === 0 ? rows : ["", ...rows];
  });
}

interface WrittenColumn extends LayerColumn {
  /** The head, then one for each layer. */
  cells: string[];
  width: number;
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

function measurementLines(
  report: Report,
  paint: Paint,
  width: number,
  withNotices: boolean,
): string[] {
  const { evaluation, runtime, baseline } = report;
  const stopped =
    evaluation.plannedDocuments > evaluation.documents
      ? `, of ${counted(evaluation.plannedDocuments, isOfImages(evaluation) ? "image" : "document")} planned`
      : "";
  const sentences = [
    `Measured on ${evaluatedText(evaluation, clean(evaluation.source))}${stopped}, ` +
      `on ${clean(runtime.device)} with ${counted(runtime.threads, "thread")}, ` +
      `in ${duration(runtime.seconds)}, with at most ${bytes(runtime.peakMemoryBytes)} of memory.`,
    baseline
      ? `Nothing removed: ${withInterval(baseline.nll, baseline.standardError)} ${lossUnit(evaluation)}, ` +
        `perplexity ${baseline.perplexity === undefined ? "beyond counting" : figure(baseline.perplexity)}.`
      : "",
    intervalText(evaluation),
    ...report.findings
      .filter((finding) => withNotices && finding.kind === "notice")
      .map((finding) => clean(finding.text)),
  ];
  return sentences
    .filter((sentence) => sentence !== "")
    .flatMap((sentence) => wrap(sentence, width))
    .map((line) => paint.dim(line));
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
