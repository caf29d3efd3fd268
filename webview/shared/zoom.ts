/** The part of the layer axis that is looked at, which all charts of a page share. */
import { allLayers, type LayerRange } from "./axis";

/**
 * The places that a drag reached, whole and at least three of them; undefined where they are all.
 *
 * @param wanted from the first place to the last; undefined for all
 */
export function zoomed(wanted: LayerRange | undefined, places: number): LayerRange | undefined {
  const whole = allLayers(places);
  const first = Math.max(0, wanted?.min ?? 0);
  const last = Math.min(places - 1, Math.max(first + 2, wanted?.max ?? places));
  const range = { min: Math.max(0, Math.min(first, last - 2)) - 0.5, max: last + 0.5 };
  return range.min <= whole.min && range.max >= whole.max ? undefined : range;
}

/** The range moved as little as brings a place into sight; undefined where it is in sight. */
export function followed(
  range: LayerRange | undefined,
  place: number | undefined,
): LayerRange | undefined {
  if (!range || place === undefined) return undefined;
  const shift = Math.max(0, place + 0.5 - range.max) + Math.min(0, place - 0.5 - range.min);
  return shift === 0 ? undefined : { min: range.min + shift, max: range.max + shift };
}
