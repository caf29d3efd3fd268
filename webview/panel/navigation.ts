/** What a person chose to look at; kept when the panel is hidden. The figures are sent anew. */
import { removableParts } from "./pruningModel";
import type { ChartChoice } from "./charts";
import type { TableChoice } from "./table";

export interface Navigation {
  chart: ChartChoice;
  table: TableChoice;
  /** The chosen layer, highlighted while the pointer is over no other. */
  layer?: number;
}

/** Takes what an older panel may have saved, field by field. */
export function readNavigation(saved: unknown): Navigation {
  const { chart, table, layer } = fields(saved);
  const { part, isPruningLog, isJacobianLog } = fields(chart);
  const { sort, allFigures } = fields(table);
  const { column, descending } = fields(sort);
  return {
    chart: {
      part: removableParts.find((one) => one === part) ?? "layer",
      isPruningLog: isPruningLog === true,
      isJacobianLog: isJacobianLog === true,
    },
    table: {
      sort: {
        column: typeof column === "string" ? column : "layer",
        descending: descending === true,
      },
      allFigures: allFigures === true,
    },
    ...(typeof layer === "number" && Number.isInteger(layer) && layer >= 0 ? { layer } : {}),
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
