/** The columns of the table of differences: what they show, and by what they sort. */
import { t } from "@vscode/l10n";
import {
  isDifference,
  type Compared,
  type Comparison,
  type Contrast,
  type LayerFigure,
} from "../../src/report/comparison";
import { factor } from "../../src/report/comparisonVerdict";
import { figure, interval } from "../../src/report/format";
import type { Absent } from "../../src/report/linearEstimate";

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
      head: t("Layer"),
      meaning: t("Module index"),
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
  head: () => string;
  meaning: () => string;
  /** What the figure of one of the two is. */
  ownMeaning: Readonly<Record<"reference" | "other", () => string>>;
}

const kinds: readonly Kind[] = [
  {
    figure: "variance",
    symbol: "σ²",
    head: () => t("σ² ratio"),
    meaning: () => t("Output variance over the reference’s"),
    ownMeaning: {
      reference: () => t("Output variance of the reference"),
      other: () => t("Output variance of the other"),
    },
  },
  {
    figure: "distance",
    symbol: "‖J−I‖",
    head: () => t("‖J−I‖ difference"),
    meaning: () => t("Jacobian-to-identity distance less the reference’s"),
    ownMeaning: {
      reference: () => t("Jacobian-to-identity distance of the reference"),
      other: () => t("Jacobian-to-identity distance of the other"),
    },
  },
  {
    figure: "removal",
    symbol: "ΔNLL",
    head: () => t("ΔNLL difference"),
    meaning: () =>
      t("NLL increase when the layer is removed less the reference’s, in nats per token"),
    ownMeaning: {
      reference: () => t("NLL increase when the layer is removed of the reference"),
      other: () => t("NLL increase when the layer is removed of the other"),
    },
  },
];

function differenceColumn(
  { report, layers }: Contrast,
  { figure: name, head, meaning }: Kind,
): DifferenceColumn {
  const at = (layer: number): Compared => layers[layer]?.[name] ?? noSuchLayer();
  return {
    id: `${report}.${name}`,
    head: head(),
    meaning: meaning(),
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
  { figure: name, symbol, ownMeaning }: Kind,
  side: "reference" | "other",
): DifferenceColumn {
  const at = (layer: number): number | undefined => {
    const compared = layers[layer]?.[name];
    if (!compared || !isDifference(compared)) return undefined;
    return name === "variance" ? Math.exp(compared[side]) : compared[side];
  };
  return {
    id: `${report}.${name}.${side}`,
    head: side === "reference" ? t("{0} reference", symbol) : symbol,
    meaning: ownMeaning[side](),
    report,
    sortKey: at,
    cell: (layer) => {
      const value = at(layer);
      if (value !== undefined) return { value: figure(value) };
      const compared = layers[layer]?.[name] ?? noSuchLayer();
      return { absent: isDifference(compared) ? "" : compared.reason };
    },
  };
}

function noSuchLayer(): Absent {
  return { reason: t("neither model has this layer") };
}

function signed({ difference, standardError }: { difference: number; standardError?: number }): {
  value: string;
  error: string;
} {
  const { value, error } = interval(difference, standardError);
  return { value: difference > 0 ? `+${value}` : value, error };
}
