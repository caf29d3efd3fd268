/** The report as Markdown: for a hover over training code, and for an assistant's answer. */
import type { Report } from "../diagnosis/report";
import {
  baseName,
  counted,
  duration,
  familyName,
  figure,
  largeCount,
  lossUnit,
  schemeName,
  withInterval,
} from "./format";
import { layerColumns, type LayerColumn } from "./layerColumns";
import { readingText } from "./reading";

/** The table of layers; of long models as many as `most`, the first and the last ones. */
export function layerTableMarkdown(report: Report, most = Infinity): string {
  const columns = layerColumns(report);
  const { layers } = report;
  const row = (cells: readonly string[]): string => `| ${cells.map(text).join(" | ")} |`;
  const rows = layers.map((layer) => row(columns.map((column) => column.cell(layer))));
  const kept = rows.length <= most ? rows : withGap(rows, most, columns);
  return [row(columns.map(({ head }) => head)), row(columns.map(rule)), ...kept].join("\n");
}

/** Everything an assistant needs to speak of a diagnosis without guessing. */
export function answerMarkdown(report: Report): string {
  const { architecture, checkpoint, evaluation, runtime, baseline } = report;
  const facts = [
    `${familyName(architecture.family)}, ${schemeName(architecture.normScheme)} (${architecture.normSchemeSource})`,
    counted(architecture.layers, "layer"),
    `hidden size ${architecture.hiddenSize}`,
    `${largeCount(checkpoint.parameters)} parameters`,
  ];
  return [
    `# Depth of ${text(baseName(checkpoint.path))}`,
    `${text(checkpoint.path)}: ${text(facts.join(" · "))}`,
    ...(architecture.reading && architecture.reading.source !== "config"
      ? [text(`Read as ${readingText(checkpoint.format, architecture.reading)}.`)]
      : []),
    ...report.findings.map((finding) => `- ${text(finding.text)}`),
    ...(baseline
      ? [
          `Baseline: ${withInterval(baseline.nll, baseline.standardError)} nats per ${lossUnit(evaluation)}${
            baseline.perplexity === undefined ? "" : `, perplexity ${figure(baseline.perplexity)}`
          }.`,
        ]
      : []),
    layerTableMarkdown(report),
    `Measured on ${counted(evaluation.documents, "document")}, ${counted(evaluation.tokens, "token")} of ${text(evaluation.source)}, on ${text(runtime.device)}, in ${duration(runtime.seconds)}. ± is a 95% interval over ${evaluation.documents === 1 ? "tokens" : "documents"}. "variance" is the mean over tokens of the residual stream's variance after the layer; "‖J−I‖/‖I‖" the distance of the layer's Jacobian from the identity; "ΔNLL" what removing the layer alone costs; a layer is free when that surely costs less than 1% perplexity.`,
  ].join("\n\n");
}

function withGap(rows: readonly string[], most: number, columns: readonly LayerColumn[]): string[] {
  const first = Math.ceil(most / 2);
  const gap = `| ${columns.map(() => "…").join(" | ")} |`;
  return [...rows.slice(0, first), gap, ...rows.slice(rows.length - (most - first))];
}

function rule({ align }: LayerColumn): string {
  return align === "right" ? "--:" : ":--";
}

/** Names come out of files: nothing in them may act as Markdown or HTML. */
function text(content: string): string {
  return content
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/[\\`*_{}[\]<>#|~&!]/g, "\\$&");
}
