/** What stands above and behind a norm in training code. */
import { t } from "@vscode/l10n";
import type { LayerReport, NormSummary, RemovalCost, Report } from "../diagnosis/report";
import { absent, counted, figure, schemeName, withInterval } from "./format";
import { layerColumns, type LayerColumn, type Sublayer } from "./layerColumns";
import { layerTableMarkdown } from "./markdown";
import { normPlace, rolesOf, sublayerOf } from "./normPlace";
import { byIndex, sparkline } from "./sparkline";
import { verdictName, verdictOf, type Verdict } from "./verdict";

/** Characters of a sparkline: enough to see a shape, and the rest fits beside an open panel. */
const sparklineWidth = 8;
/** Rows of a hover's table: more than models have, and fewer than the editor cuts a hover at. */
const hoverRows = 400;
/** The editor sets the columns of a hover's table one upon the other. */
const hoverGap = "&nbsp;&nbsp;";

/**
 * The line above a norm: variance and Jacobian distance from the first layer to the last, and how
 * many layers are nearly free to remove. Above a norm of a sublayer, and above those inside it, it speaks
 * of the removal of that where it was measured, and says how large its output is beside the stream. What
 * was not measured is left out.
 *
 * @param norm undefined: of the whole model
 */
export function normLine(report: Report, norm?: NormSummary): string {
  const part = norm && sublayerOf(norm);
  const layers = byIndex(report);
  return [
    change("σ²", layers, (layer) => layer.outputVariance?.mean, true),
    change("‖J−I‖", layers, (layer) => layer.jacobian?.identityDistance),
    (part && free(report, words[part].free, costOf(part))) ?? free(report, ofLayers, costOf()),
    part && change(words[part].share(), layers, shareOf(part), true),
  ]
    .filter((text) => text !== undefined)
    .join("  ·  ");
}

/** The table behind the line, what concerns the norm before all else, in whichever places it is. */
export function normHover(report: Report, norm: NormSummary): string {
  const { normScheme, layers } = report.architecture;
  const name = norm.path.replaceAll("`", "'");
  const known = rolesOf(norm, report);
  const roles = known.length === 0 ? [norm] : known;
  const [part, ...others] = new Set(roles.map(sublayerOf));
  const columns =
    part === undefined || others.length > 0 ? layerColumns(report) : columnsOf(part, report);
  return [
    `**\`${name}\`** · ${roles.map((role) => normPlace(role, report)).join("; ")}`,
    `${counted(layers, "layer")} · ${schemeName(normScheme)}`,
    layerTableMarkdown(report, hoverRows, columns, hoverGap),
  ].join("\n\n");
}

interface Words {
  free: (free: number, of: number) => string;
  uncertain: (free: number, of: number, uncertain: number) => string;
}

const ofLayers: Words = {
  free: (...counts) => t("{0} of {1} layers nearly free to remove", ...counts),
  uncertain: (...counts) => t("{0} of {1} layers nearly free to remove ({2} uncertain)", ...counts),
};

const words: Readonly<
  Record<Sublayer, { share: () => string; verdict: () => string; free: Words }>
> = {
  attention: {
    share: () => t("‖attention‖/‖x‖"),
    verdict: () => t("attention verdict"),
    free: {
      free: (...counts) => t("{0} of {1} attentions nearly free to remove", ...counts),
      uncertain: (...counts) =>
        t("{0} of {1} attentions nearly free to remove ({2} uncertain)", ...counts),
    },
  },
  crossAttention: {
    share: () => t("‖cross-attention‖/‖x‖"),
    verdict: () => t("cross-attention verdict"),
    free: {
      free: (...counts) => t("{0} of {1} cross-attentions nearly free to remove", ...counts),
      uncertain: (...counts) =>
        t("{0} of {1} cross-attentions nearly free to remove ({2} uncertain)", ...counts),
    },
  },
  feedForward: {
    share: () => t("‖feed-forward‖/‖x‖"),
    verdict: () => t("feed-forward verdict"),
    free: {
      free: (...counts) => t("{0} of {1} feed-forwards nearly free to remove", ...counts),
      uncertain: (...counts) =>
        t("{0} of {1} feed-forwards nearly free to remove ({2} uncertain)", ...counts),
    },
  },
};

/** ‖sublayer output‖ / ‖stream it is added to‖ */
function shareOf(part: Sublayer): (layer: LayerReport) => number | undefined {
  return ({ contribution }) => contribution?.[part]?.normRatio;
}

/** What a removal costs: that of a sublayer alone, or of whole layers. */
function costOf(part?: Sublayer): (layer: LayerReport) => RemovalCost | undefined {
  return ({ pruning }) => (part === undefined ? pruning : pruning?.[part]);
}

/** By the rule for whole layers. */
function verdictBy(
  cost: RemovalCost | undefined,
  layer: LayerReport,
  { baseline }: Report,
): Verdict | undefined {
  return cost && verdictOf({ ...layer, pruning: cost }, baseline);
}

/** @param hasCurve on a logarithmic scale */
function change(
  name: string,
  layers: readonly (LayerReport | undefined)[],
  figureOf: (layer: LayerReport) => number | undefined,
  hasCurve = false,
): string | undefined {
  const values = layers.map((layer) => layer && figureOf(layer));
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  const ends = `${name} ${figure(known[0]!)} → ${figure(known.at(-1)!)}`;
  return hasCurve ? `${ends} ${sparkline(values, "log", sparklineWidth)}` : ends;
}

function free(
  report: Report,
  said: Words,
  costOfLayer: (layer: LayerReport) => RemovalCost | undefined,
): string | undefined {
  const verdicts = report.layers.map((layer) => verdictBy(costOfLayer(layer), layer, report));
  const judged = verdicts.filter((verdict) => verdict !== undefined);
  if (judged.length === 0) return undefined;
  const [freed, uncertain] = (["free", "uncertain"] as const).map(
    (kind) => judged.filter((verdict) => verdict === kind).length,
  ) as [number, number];
  const { layers } = report.architecture;
  return uncertain === 0 ? said.free(freed, layers) : said.uncertain(freed, layers, uncertain);
}

/** The columns of a sublayer after that of the layer, then the others. */
function columnsOf(part: Sublayer, report: Report): LayerColumn[] {
  const [layer, ...others] = layerColumns(report);
  const cost = costOf(part);
  const own: LayerColumn[] = [
    {
      head: words[part].verdict(),
      align: "left",
      cell: (row) => {
        const verdict = verdictBy(cost(row), row, report);
        return verdict === undefined ? absent : verdictName(verdict);
      },
      present: (row) => verdictBy(cost(row), row, report) !== undefined,
    },
    {
      head: words[part].share(),
      align: "right",
      cell: ({ contribution }) => {
        const share = contribution?.[part];
        return share ? withInterval(share.normRatio, share.normRatioStandardError) : absent;
      },
      present: (row) => shareOf(part)(row) !== undefined,
    },
  ];
  return [
    layer!,
    ...own.filter(({ present }) => report.layers.some(present)),
    ...others.filter((column) => column.sublayer === part),
    ...others.filter((column) => column.sublayer !== part),
  ];
}
