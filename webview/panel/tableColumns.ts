/** The columns of the table: what they show, and by what they sort. */
import type {
  Baseline,
  Contribution,
  LayerReport,
  Metric,
  RemovalCost,
  TokenStatistics,
} from "../../src/diagnosis/report";
import { figure, interval } from "../../src/report/format";
import { verdictOf, type Verdict } from "../../src/report/verdict";
import { writtenCost, writtenDifference } from "./removalCost";

export interface TableColumn {
  id: string;
  head: string;
  /** What the head stands for, in words. */
  meaning: string;
  /** Shown only on request. */
  isDetail?: true;
  /** Shown only where this was asked for: two columns of dashes would take the room of figures. */
  metric?: Metric;
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
    head: "Layer",
    meaning: "Module index",
    sortKey: (layer) => layer.index,
    cell: (layer) => ({ value: String(layer.index) }),
  },
  {
    id: "path",
    head: "Module",
    meaning: "Module path",
    isDetail: true,
    sortKey: (layer) => layer.index,
    cell: (layer) => ({ value: layer.path }),
  },
  {
    id: "verdict",
    head: "Verdict",
    meaning: "Whether the perplexity increase without the layer is below or above 1%",
    sortKey: (layer, baseline) => {
      const verdict = verdictOf(layer, baseline);
      return verdict && verdictRank[verdict];
    },
    cell: (layer, baseline) => {
      const verdict = verdictOf(layer, baseline);
      return verdict && { value: verdict, verdict };
    },
  },
  {
    id: "cost",
    head: "Δ perplexity (%)",
    meaning:
      "Perplexity increase when the layer is removed, in percent; from +1000% on, the factor",
    sortKey: (layer) => layer.pruning?.deltaNll,
    cell: ({ pruning }) => {
      if (!pruning) return undefined;
      const { value, error } = writtenCost(pruning);
      return { value, error };
    },
  },
  {
    id: "deltaPerplexity",
    head: "Δ perplexity",
    meaning: "Perplexity difference when the layer is removed, for the baseline as measured",
    sortKey: (layer) => layer.pruning?.deltaPerplexity,
    cell: ({ pruning }, baseline) => pruning && writtenDifference(pruning, baseline),
  },
  ...signed(
    "deltaNll",
    "ΔNLL",
    "NLL increase when the layer is removed, in nats per token",
    (layer) => layer.pruning,
  ),
  ...measured("variance", "σ²", "Output variance", (layer) => {
    const { outputVariance: variance } = layer;
    return variance && [variance.mean, variance.standardError];
  }),
  ...statistics("variance", "σ²", "Output variance", (layer) => layer.outputVariance),
  plain(
    "attentionVariance",
    "σ² attention",
    "Variance of the attention output before it is added",
    (layer) => layer.attentionVariance,
  ),
  plain(
    "feedForwardVariance",
    "σ² feed-forward",
    "Variance of the feed-forward output before it is added",
    (layer) => layer.feedForwardVariance,
  ),
  ...contributions("attention", "attention", (layer) => layer.contribution?.attention),
  ...contributions("feedForward", "feed-forward", (layer) => layer.contribution?.feedForward),
  ...measured(
    "jacobian",
    "‖J−I‖",
    "Jacobian-to-identity distance",
    ({ jacobian }) => jacobian && [jacobian.identityDistance, jacobian.standardError],
  ),
  ...detail(
    measured(
      "jacobianCosine",
      "cos(v, Jv)",
      "Identity cosine of the Jacobian",
      ({ jacobian }) => jacobian && [jacobian.identityCosine, jacobian.identityCosineStandardError],
    ),
  ),
  ...[
    ...signed(
      "attentionDelta",
      "ΔNLL attention",
      "NLL increase when only the attention is removed, in nats per token",
      (layer) => layer.pruning?.attention,
    ),
    ...signed(
      "feedForwardDelta",
      "ΔNLL feed-forward",
      "NLL increase when only the feed-forward is removed, in nats per token",
      (layer) => layer.pruning?.feedForward,
    ),
  ].map((column): TableColumn => ({ ...column, metric: "sublayers" })),
  ...detail(
    measured(
      "blockInfluence",
      "Block influence",
      "1 − mean cosine of the layer’s input and output",
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
  head: string,
  meaning: string,
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
  head: string,
  meaning: string,
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
  head: string,
  meaning: string,
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

function statistics(
  id: string,
  head: string,
  meaning: string,
  of: (layer: LayerReport) => TokenStatistics | undefined,
): TableColumn[] {
  return [
    plain(
      `${id}Median`,
      `${head} median`,
      `${meaning}, median over tokens`,
      (layer) => of(layer)?.median,
    ),
    plain(
      `${id}WithoutFirst`,
      `${head} w/o first`,
      `${meaning} without each document’s first token`,
      (layer) => of(layer)?.meanWithoutFirstToken,
    ),
  ];
}

function contributions(
  id: string,
  name: string,
  of: (layer: LayerReport) => Contribution | undefined,
): TableColumn[] {
  return detail([
    ...measured(
      `${id}Ratio`,
      `‖${name}‖ ratio`,
      `Norm of the ${name} output over that of the stream`,
      (layer) => {
        const part = of(layer);
        return part && [part.normRatio, part.normRatioStandardError];
      },
    ),
    ...measured(
      `${id}Cosine`,
      `cos ${name}`,
      `Cosine of the ${name} output and the stream`,
      (layer) => {
        const part = of(layer);
        return part && [part.cosine, part.cosineStandardError];
      },
    ),
  ]);
}

function detail(columns: readonly TableColumn[]): TableColumn[] {
  return columns.map((column) => ({ ...column, isDetail: true }));
}
