/** The shapes of a line's points, on a canvas and in a legend. */

export type MarkerShape = "circle" | "square" | "diamond";

/** Begins the path of a marker about a place, of about the size of a circle of radius 3. */
export function markerPath(
  context: CanvasRenderingContext2D,
  shape: MarkerShape,
  x: number,
  y: number,
): void {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, 3, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - 2.5, y - 2.5, 5, 5);
  else {
    context.moveTo(x, y - 4);
    context.lineTo(x + 4, y);
    context.lineTo(x, y + 4);
    context.lineTo(x - 4, y);
    context.closePath();
  }
}

/** The same as SVG, about (13, 7). */
export const markerPaths: Readonly<Record<MarkerShape, string>> = {
  circle: "M10 7A3 3 0 1 0 16 7A3 3 0 1 0 10 7Z",
  square: "M10.5 4.5H15.5V9.5H10.5Z",
  diamond: "M13 3 17 7 13 11 9 7Z",
};
