/** The report as Markdown: for a hover over training code, and for an assistant's answer. */
import { t } from "@vscode/l10n";
import type { Baseline, Report } from "../diagnosis/report";
import { evaluatedText, intervalText, lossUnit } from "./evaluation";
import {
  baseName,
  layersText,
  duration,
  familyName,
  figure,
  parameterCount,
  schemeName,
  withInterval,
} from "./format";
import { layerColumns, type LayerColumn } from "./layerColumns";
import { readingText } from "./reading";

/**
 * The table of layers; of long models as many as `most`, the first and the last ones.
 *
 * @param gap what stands behind each cell but the last, as Markdown
 */
export function layerTableMarkdown(
  report: Report,
  most = Infinity,
  columns: readonly LayerColumn[] = layerColumns(report),
  gap = "",
): string {
  const { layers } = report;
  const row = (cells: readonly string[]): string => `| ${cells.map(text).join(`${gap} | `)} |`;
  const rules = `| ${columns.map(rule).join(" | ")} |`;
  const rows = layers.map((layer) => row(columns.map((column) => column.cell(layer))));
  const kept = rows.length <= most ? rows : withGap(rows, most, columns);
  return [row(columns.map(({ head }) => head)), rules, ...kept].join("\n");
}

/** Everything an assistant needs to speak of a diagnosis without guessing. */
export function answerMarkdown(report: Report): string {
  const { architecture, checkpoint, evaluation, runtime, baseline } = report;
  const facts = [
    `${familyName(architecture.family)}, ${schemeName(architecture.normScheme)} (${architecture.normSchemeSource})`,
    layersText(architecture),
    t("hidden size {0}", architecture.hiddenSize),
    parameterCount(checkpoint.parameters),
  ];
  return [
    `# ${t("Depth of {0}", text(baseName(checkpoint.path)))}`,
    `${text(checkpoint.path)}: ${text(facts.join(" · "))}`,
    ...(architecture.reading && architecture.reading.source !== "config"
      ? [text(t("Read as {0}.", readingText(checkpoint.format, architecture.reading, evaluation)))]
      : []),
    ...report.findings.map((finding) => `- ${text(finding.text)}`),
    ...(baseline
      ? [
          baseline.perplexity === undefined
            ? t("Baseline: {0} {1}.", nll(baseline), lossUnit(evaluation))
            : t(
                "Baseline: {0} {1}, perplexity {2}.",
                nll(baseline),
                lossUnit(evaluation),
                figure(baseline.perplexity),
              ),
        ]
      : []),
    layerTableMarkdown(report),
    [
      t(
        "Measured on {0}, on {1}, in {2}.",
        evaluatedText(evaluation, text(evaluation.source)),
        text(runtime.device),
        duration(runtime.seconds),
      ),
      intervalText(evaluation),
      t(
        '"variance" is the mean over tokens of the residual stream\'s variance after the layer; "‖J−I‖/‖I‖" the distance of the layer\'s Jacobian from the identity; "ΔNLL" what removing the layer alone costs; a layer is free when that surely costs less than 1% perplexity.',
      ),
    ].join(" "),
  ].join("\n\n");
}

function nll({ nll: loss, standardError }: Baseline): string {
  return withInterval(loss, standardError);
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
