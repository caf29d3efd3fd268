/** What a click on a norm asks to see: passed through the editor's commands, which know only JSON. */
import { normOwners, normPlaces, type NormSummary } from "../../diagnosis/report";

export interface NormTarget extends NormSummary {
  /** Of the stored report. */
  key: string;
}

export function targetOf({ key, norm }: { key: string; norm: NormSummary }): NormTarget {
  return { key, ...norm };
}

export function normOf({ path, feeds, place, layers }: NormTarget): NormSummary {
  return { path, feeds, ...(place && { place }), ...(layers && { layers }) };
}

/** What a command was given, if that is a target; anyone may call a command with anything. */
export function readTarget(given: unknown): NormTarget | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { key, path, ...where }: Partial<Record<keyof NormTarget, unknown>> = given;
  if (typeof key !== "string" || typeof path !== "string") return undefined;
  const feeds = normOwners.find((known) => known === where.feeds);
  const place = normPlaces.find((known) => known === where.place);
  if (feeds === undefined || (where.place !== undefined && place === undefined)) return undefined;
  const { layers } = where;
  if (layers !== undefined && !isIndices(layers)) return undefined;
  return { key, path, feeds, ...(place && { place }), ...(layers && { layers }) };
}

function isIndices(given: unknown): given is number[] {
  return Array.isArray(given) && given.every((index) => Number.isInteger(index));
}
