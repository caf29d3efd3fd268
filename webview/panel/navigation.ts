/** What a person chose to look at; kept when the panel is hidden. The figures are sent anew. */
import type { NormSummary } from "../../src/diagnosis/report";
import { removableParts, type RemovablePart } from "./pruningModel";
import type { SortOrder } from "./tableColumns";

export interface Navigation {
  chart: ChartChoice;
  table: TableChoice;
  /** The chosen layer, highlighted while the pointer is over no other. */
  layer?: number;
  /** The norm that the panel was opened at, until it is dismissed. */
  norm?: NormSummary;
}

/** How a person chose to see the charts. */
export interface ChartChoice {
  /** What the pruning chart removes. */
  part: RemovablePart;
  isPruningLog: boolean;
  isJacobianLog: boolean;
}

export interface TableChoice {
  sort: SortOrder;
  allFigures: boolean;
}

/** Takes what an older panel may have saved, field by field. */
export function readNavigation(saved: unknown): Navigation {
  const { chart, table, layer, norm } = fields(saved);
  const keptNorm = readNorm(norm);
  const { part, isPruningLog, isJacobianLog } = fields(chart);
  const { sort, allFigures } = fields(table);
  const { column, descending } = fields(sort);
  return {
    chart: {
      part: removableParts.find((one) => one === part) ?? "layer",
      // Logarithmic unless the reader says otherwise: the first layer is often a hundred times the rest.
      isPruningLog: isPruningLog !== false,
      isJacobianLog: isJacobianLog !== false,
    },
    table: {
      sort: {
        column: typeof column === "string" ? column : "layer",
        descending: descending === true,
      },
      allFigures: allFigures === true,
    },
    ...(typeof layer === "number" && Number.isInteger(layer) && layer >= 0 ? { layer } : {}),
    ...(keptNorm && { norm: keptNorm }),
  };
}

function readNorm(saved: unknown): NormSummary | undefined {
  const { path, feeds } = fields(saved);
  const part = normReaders.find((one) => one === feeds);
  return typeof path === "string" && part !== undefined ? { path, feeds: part } : undefined;
}

const normReaders: readonly NormSummary["feeds"][] = [
  "attention",
  "crossAttention",
  "feedForward",
  "head",
];

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
