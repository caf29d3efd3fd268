/** What the code under the cursor is about, as far as the report that is shown knows it. */
import type { NormSummary, Report } from "../../diagnosis/report";
import { layerAtCursor } from "../../python/layerAtCursor";
import { layerOfRoles, rolesOf } from "../../report/normPlace";
import type { AtCursor } from "../side/chartsView";

/** A line of code, and where in it the cursor is. */
export interface CursorLine {
  text: string;
  column: number;
}

/**
 * @param shown the report that the side panel shows
 * @param norm what the line makes, and of which report
 */
export function atCursor(
  { text, column }: CursorLine,
  shown: Report,
  norm?: { norm: NormSummary; report: Report },
): AtCursor {
  const layer = layerAtCursor(text, column, shown.layers);
  if (layer !== undefined) return { layer };
  const roles = norm === undefined ? [] : rolesOf(norm.norm, shown);
  const [own] = roles;
  const isSameModel = norm?.report.architecture.family === shown.architecture.family;
  if (own === undefined || !isSameModel) return {};
  const single = layerOfRoles(roles, shown);
  return single === undefined ? { norm: own } : { norm: own, layer: single };
}
