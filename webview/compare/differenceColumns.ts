/** The columns of the table of differences: what they show, and by what they sort. */
import {
  isDifference,
  type Compared,
  type Comparison,
  type Contrast,
  type LayerFigure,
} from "../../src/report/comparison";
import { factor } from "../../src/report/comparisonVerdict";
import { figure, interval } from "../../src/report/format";

export interface DifferenceColumn {
  id: string;
  head: string;
  /** What the head stands for, in words. */
  meaning: string;
  /** Index of the report that is compared with the reference; undefined for the layer. */
  report?: number;
  /** What rows are sorted by; rows without it come last. */
  sortKey: (layer: number) => number | undefined;
  cell: (layer: number) => DifferenceCell;
}

export type DifferenceCell =
  | { value: string; error?: string; significance?: "significant" | "alone" | "none" }
  /** Why there is nothing. */
  | { absent: string };

export interface SortOrder {
  column: string;
  descending: boolean;
}

export function differenceColumns(
  comparison: Comparison,
  options: { bothFigures: boolean },
): DifferenceColumn[] {
  return [
    {
      id: "layer",
      head: "Layer",
      meaning: "Module index",
      sortKey: (layer) => layer,
      cell: (layer) => ({ value: String(layer) }),
    },
    ...comparison.contrasts.flatMap((contrast) =>
      kinds.flatMap((kind) => [
        ...(options.bothFigures
          ? [ownColumn(contrast, kind, "reference"), ownColumn(contrast, kind, "other")]
          : []),
        differenceColumn(contrast, kind),
      ]),
    ),
  ];
}

/** How many layers the deepest of the compared models has. */
export function rowCount({ contrasts }: Comparison): number {
  return Math.max(0, ...contrasts.map(({ layers }) => layers.length));
}

/** Layers in the asked order; those without the figure last, whichever way, by index among equals. */
export function sortRows(
  rows: number,
  columns: readonly DifferenceColumn[],
  order: SortOrder,
): number[] {
  const column = columns.find(({ id }) => id === order.column) ?? columns[0]!;
  const sign = order.descending ? -1 : 1;
  return Array.from({ length: rows }, (_, layer) => ({ layer, key: column.sortKey(layer) }))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined)
        return Number(a.key === undefined) - Number(b.key === undefined) || a.layer - b.layer;
      return sign * (a.key - b.key) || a.layer - b.layer;
    })
    .map(({ layer }) => layer);
}

interface Kind {
  figure: LayerFigure;
  symbol: string;
  head: string;
  meaning: string;
}

const kinds: readonly Kind[] = [
  {
    figure: "variance",
    symbol: "σ²",
    head: "σ² ratio",
    meaning: "Output variance over the reference’s",
  },
  {
    figure: "distance",
    symbol: "‖J−I‖",
    head: "‖J−I‖ difference",
    meaning: "Jacobian-to-identity distance less the reference’s",
  },
  {
    figure: "removal",
    symbol: "ΔNLL",
    head: "ΔNLL difference",
    meaning: "NLL increase when the layer is removed less the reference’s, in nats per token",
  },
];

function differenceColumn(
  { report, layers }: Contrast,
  { figure: name, head, meaning }: Kind,
): DifferenceColumn {
  const at = (layer: number): Compared => layers[layer]?.[name] ?? noSuchLayer;
  return {
    id: `${report}.${name}`,
    head,
    meaning,
    report,
    sortKey: (layer) => {
      const compared = at(layer);
      return isDifference(compared) ? compared.difference : undefined;
    },
    cell: (layer) => {
      const compared = at(layer);
      if (!isDifference(compared)) return { absent: compared.reason };
      const { difference, standardError, significance } = compared;
      const written = name === "variance" ? factor(difference, standardError) : signed(compared);
      return { ...written, ...(significance && { significance }) };
    },
  };
}

function ownColumn(
  { report, layers }: Contrast,
  { figure: name, symbol, meaning }: Kind,
  side: "reference" | "other",
): DifferenceColumn {
  const at = (layer: number): number | undefined => {
    const compared = layers[layer]?.[name];
    if (!compared || !isDifference(compared)) return undefined;
    return name === "variance" ? Math.exp(compared[side]) : compared[side];
  };
  return {
    id: `${report}.${name}.${side}`,
    head: side === "reference" ? `${symbol} reference` : symbol,
    meaning: `${meaning.split(/ (?:over|less) the/)[0]!} of the ${side === "reference" ? "reference" : "other"}`,
    report,
    sortKey: at,
    cell: (layer) => {
      const value = at(layer);
      if (value !== undefined) return { value: figure(value) };
      const compared = layers[layer]?.[name] ?? noSuchLayer;
      return { absent: isDifference(compared) ? "" : compared.reason };
    },
  };
}

const noSuchLayer = { reason: "neither model has this layer" };

function signed({ difference, standardError }: { difference: number; standardError?: number }): {
  value: string;
  error: string;
} {
  const { value, error } = interval(difference, standardError);
  return { value: difference > 0 ? `+${value}` : value, error };
}
