/** What a person chose to look at; kept when the panel is hidden. The reports are sent anew. */
import type { SortOrder } from "./differenceColumns";

export interface Navigation {
  /** The place among the compared, and the places of those that are not drawn. */
  reference: number;
  hidden: number[];
  /** Layers stand by their relative depth in the charts. */
  isRelative: boolean;
  isCostLog: boolean;
  sort: SortOrder;
  bothFigures: boolean;
  /** The chosen place on the layer axis. */
  place: number | undefined;
}

/** Takes what an older panel may have saved, field by field. */
export function readNavigation(saved: unknown): Navigation {
  const { reference, hidden, isRelative, isCostLog, sort, bothFigures, place } = fields(saved);
  const { column, descending } = fields(sort);
  return {
    reference: isIndex(reference) ? reference : 0,
    hidden: Array.isArray(hidden) ? hidden.filter(isIndex) : [],
    isRelative: isRelative === true,
    // Logarithmic unless the reader says otherwise: the first layer often costs a hundred times the rest.
    isCostLog: isCostLog !== false,
    sort: {
      column: typeof column === "string" ? column : "layer",
      descending: descending === true,
    },
    bothFigures: bothFigures === true,
    place: isIndex(place) ? place : undefined,
  };
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
