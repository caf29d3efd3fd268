/** The columns of the table: what they show, and by what they sort. */
import { t } from "@vscode/l10n";
import type {
  Baseline,
  Contribution,
  LayerReport,
  Metric,
  RemovalCost,
} from "../../src/diagnosis/report";
import { figure, interval } from "../../src/report/format";
import { verdictName, verdictOf, type Verdict } from "../../src/report/verdict";
import { writtenCost, writtenDifference } from "./removalCost";

export interface TableColumn {
  id: string;
  head: () => string;
  /** What the head stands for, in words. */
  meaning: () => string;
  /** Shown only on request. */
  isDetail?: true;
  /** Shown only where this was asked for: two columns of dashes would take the room of figures. */
  metric?: Metric;
  /** Shown only of models that have it. */
  isOfCrossAttention?: true;
  /** What rows are sorted by; rows without it come last. */
  sortKey: (layer: LayerReport, baseline: Baseline | undefined) => number | undefined;
  cell: (layer: LayerReport, baseline: Baseline | undefined) => Cell | undefined;
}

export interface Cell {
  value: string;
  /** Half-width of the 95% interval. */
  error?: string;
  verdict?: Verdict;
}

export interface SortOrder {
  column: string;
  descending: boolean;
}

export const tableColumns: readonly TableColumn[] = [
  {
    id: "layer",
    head: () => t("Layer"),
    meaning: () => t("Module index"),
    sortKey: (layer) => layer.index,
    cell: (layer) => ({ value: String(layer.index) }),
  },
  {
    id: "path",
    head: () => t("Module"),
    meaning: () => t("Module path"),
    isDetail: true,
    sortKey: (layer) => layer.index,
    cell: (layer) => ({ value: layer.path }),
  },
  {
    id: "verdict",
    head: () => t("Verdict"),
    meaning: () => t("Whether the perplexity increase without the layer is below or above 1%"),
    sortKey: (layer, baseline) => {
      const verdict = verdictOf(layer, baseline);
      return verdict && verdictRank[verdict];
    },
    cell: (layer, baseline) => {
      const verdict = verdictOf(layer, baseline);
      return verdict && { value: verdictName(verdict), verdict };
    },
  },
  {
    id: "cost",
    head: () => t("Δ perplexity (%)"),
    meaning: () =>
      t("Perplexity increase when the layer is removed, in percent; from +1000% on, the factor"),
    sortKey: (layer) => layer.pruning?.deltaNll,
    cell: ({ pruning }) => {
      if (!pruning) return undefined;
      const { value, error } = writtenCost(pruning);
      return { value, error };
    },
  },
  {
    id: "deltaPerplexity",
    head: () => t("Δ perplexity"),
    meaning: () =>
      t("Perplexity difference when the layer is removed, for the baseline as measured"),
    sortKey: (layer) => layer.pruning?.deltaPerplexity,
    cell: ({ pruning }, baseline) => pruning && writtenDifference(pruning, baseline),
  },
  ...signed(
    "deltaNll",
    () => t("ΔNLL"),
    () => t("NLL increase when the layer is removed, in nats per token"),
    (layer) => layer.pruning,
  ),
  ...measured(
    "variance",
    () => t("σ²"),
    () => t("Output variance"),
    (layer) => {
      const { outputVariance: variance } = layer;
      return variance && [variance.mean, variance.standardError];
    },
  ),
  plain(
    "varianceMedian",
    () => t("σ² median"),
    () => t("Output variance, median over tokens"),
    (layer) => layer.outputVariance?.median,
  ),
  plain(
    "varianceWithoutFirst",
    () => t("σ² w/o first"),
    () => t("Output variance without each document’s first token"),
    (layer) => layer.outputVariance?.meanWithoutFirstToken,
  ),
  plain(
    "attentionVariance",
    () => t("σ² attention"),
    () => t("Variance of the attention output before it is added"),
    (layer) => layer.attentionVariance,
  ),
  ofCrossAttention(
    plain(
      "crossAttentionVariance",
      () => t("σ² cross-attention"),
      () => t("Variance of the cross-attention output before it is added"),
      (layer) => layer.crossAttentionVariance,
    ),
  ),
  plain(
    "feedForwardVariance",
    () => t("σ² feed-forward"),
    () => t("Variance of the feed-forward output before it is added"),
    (layer) => layer.feedForwardVariance,
  ),
  ...contributions(
    "attention",
    {
      ratio: {
        head: () => t("‖attention‖ ratio"),
        meaning: () => t("Norm of the attention output over that of the stream"),
      },
      cosine: {
        head: () => t("cos attention"),
        meaning: () => t("Cosine of the attention output and the stream"),
      },
    },
    (layer) => layer.contribution?.attention,
  ),
  ...contributions(
    "crossAttention",
    {
      ratio: {
        head: () => t("‖cross-attention‖ ratio"),
        meaning: () => t("Norm of the cross-attention output over that of the stream"),
      },
      cosine: {
        head: () => t("cos cross-attention"),
        meaning: () => t("Cosine of the cross-attention output and the stream"),
      },
    },
    (layer) => layer.contribution?.crossAttention,
  ).map(ofCrossAttention),
  ...contributions(
    "feedForward",
    {
      ratio: {
        head: () => t("‖feed-forward‖ ratio"),
        meaning: () => t("Norm of the feed-forward output over that of the stream"),
      },
      cosine: {
        head: () => t("cos feed-forward"),
        meaning: () => t("Cosine of the feed-forward output and the stream"),
      },
    },
    (layer) => layer.contribution?.feedForward,
  ),
  ...measured(
    "jacobian",
    () => t("‖J−I‖"),
    () => t("Jacobian-to-identity distance"),
    ({ jacobian }) => jacobian && [jacobian.identityDistance, jacobian.standardError],
  ),
  ...detail(
    measured(
      "jacobianCosine",
      () => t("cos(v, Jv)"),
      () => t("Identity cosine of the Jacobian"),
      ({ jacobian }) => jacobian && [jacobian.identityCosine, jacobian.identityCosineStandardError],
    ),
  ),
  ...[
    ...signed(
      "attentionDelta",
      () => t("ΔNLL attention"),
      () => t("NLL increase when only the attention is removed, in nats per token"),
      (layer) => layer.pruning?.attention,
    ),
    ...signed(
      "crossAttentionDelta",
      () => t("ΔNLL cross-attention"),
      () => t("NLL increase when only the cross-attention is removed, in nats per token"),
      (layer) => layer.pruning?.crossAttention,
    ).map(ofCrossAttention),
    ...signed(
      "feedForwardDelta",
      () => t("ΔNLL feed-forward"),
      () => t("NLL increase when only the feed-forward is removed, in nats per token"),
      (layer) => layer.pruning?.feedForward,
    ),
  ].map((column): TableColumn => ({ ...column, metric: "sublayers" })),
  ...detail(
    measured(
      "blockInfluence",
      () => t("Block influence"),
      () => t("1 − mean cosine of the layer’s input and output"),
      (layer) =>
        layer.blockInfluence === undefined
          ? undefined
          : [layer.blockInfluence, layer.blockInfluenceStandardError],
    ),
  ),
];

/** Layers in the asked order; those without the figure last, whichever way, by index among equals. */
export function sortLayers(
  layers: readonly LayerReport[],
  order: SortOrder,
  baseline: Baseline | undefined,
): LayerReport[] {
  const column = tableColumns.find((one) => one.id === order.column) ?? tableColumns[0]!;
  const sign = order.descending ? -1 : 1;
  const keyed = layers.map((layer) => ({ layer, key: column.sortKey(layer, baseline) }));
  keyed.sort((a, b) => {
    if (a.key === undefined || b.key === undefined)
      return (
        Number(a.key === undefined) - Number(b.key === undefined) || a.layer.index - b.layer.index
      );
    return sign * (a.key - b.key) || a.layer.index - b.layer.index;
  });
  return keyed.map(({ layer }) => layer);
}

const verdictRank: Readonly<Record<Verdict, number>> = { free: 0, uncertain: 1, needed: 2 };

type Figure = readonly [value: number, standardError: number | undefined];

/** A figure with its 95% interval. */
function measured(
  id: string,
  head: () => string,
  meaning: () => string,
  of: (layer: LayerReport) => Figure | undefined,
): TableColumn[] {
  return [
    {
      id,
      head,
      meaning,
      sortKey: (layer) => of(layer)?.[0],
      cell: (layer) => {
        const [value, standardError] = of(layer) ?? [];
        if (value === undefined) return undefined;
        return standardError === undefined
          ? { value: figure(value) }
          : interval(value, standardError);
      },
    },
  ];
}

/** A difference with its 95% interval. */
function signed(
  id: string,
  head: () => string,
  meaning: () => string,
  of: (layer: LayerReport) => RemovalCost | undefined,
): TableColumn[] {
  return [
    {
      id,
      head,
      meaning,
      sortKey: (layer) => of(layer)?.deltaNll,
      cell: (layer) => {
        const cost = of(layer);
        if (!cost) return undefined;
        const { value, error } = interval(cost.deltaNll, cost.standardError);
        return { value: cost.deltaNll > 0 ? `+${value}` : value, error };
      },
    },
  ];
}

/** A figure that has no error of its own. */
function plain(
  id: string,
  head: () => string,
  meaning: () => string,
  of: (layer: LayerReport) => number | undefined,
): TableColumn {
  return {
    id,
    head,
    meaning,
    isDetail: true,
    sortKey: of,
    cell: (layer) => {
      const value = of(layer);
      return value === undefined ? undefined : { value: figure(value) };
    },
  };
}

function contributions(
  id: string,
  words: Readonly<Record<"ratio" | "cosine", Pick<TableColumn, "head" | "meaning">>>,
  of: (layer: LayerReport) => Contribution | undefined,
): TableColumn[] {
  const { ratio, cosine } = words;
  return detail([
    ...measured(`${id}Ratio`, ratio.head, ratio.meaning, (layer) => {
      const part = of(layer);
      return part && [part.normRatio, part.normRatioStandardError];
    }),
    ...measured(`${id}Cosine`, cosine.head, cosine.meaning, (layer) => {
      const part = of(layer);
      return part && [part.cosine, part.cosineStandardError];
    }),
  ]);
}

function ofCrossAttention(column: TableColumn): TableColumn {
  return { ...column, isOfCrossAttention: true };
}

function detail(columns: readonly TableColumn[]): TableColumn[] {
  return columns.map((column) => ({ ...column, isDetail: true }));
}
