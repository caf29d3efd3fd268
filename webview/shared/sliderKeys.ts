/**
 * Where a key leads from the highlighted place, as in any slider; undefined for a key that leads
 * nowhere.
 */
export function keyTarget(
  key: string,
  from: number | undefined,
  last: number,
): number | "none" | undefined {
  const clamp = (layer: number) => Math.min(last, Math.max(0, layer));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return clamp(from === undefined ? 0 : from + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return clamp(from === undefined ? last : from - 1);
    case "PageUp":
      return clamp((from ?? -1) + 5);
    case "PageDown":
      return clamp((from ?? last + 1) - 5);
    case "Home":
      return 0;
    case "End":
      return last;
    case "Escape":
      return "none";
    default:
      return undefined;
  }
}
