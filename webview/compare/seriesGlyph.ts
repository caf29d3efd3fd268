/** A report's line and marker, as they stand beside its name. */
import { svgElement } from "../shared/dom";
import { seriesStyles } from "./seriesStyles";

export function seriesGlyph(report: number): SVGSVGElement {
  const { dash, path, filled } = seriesStyles[report] ?? seriesStyles[0]!;
  const line = svgElement("path", { class: "series-line", d: "M1 7H35" });
  line.setAttribute("stroke-dasharray", dash.join(" "));
  return svgElement(
    "svg",
    { class: `series-glyph series-${report}`, viewBox: "0 0 36 14", "aria-hidden": "true" },
    [
      line,
      svgElement("path", {
        class: filled ? "series-marker filled" : "series-marker",
        d: path,
        transform: "translate(18 7)",
      }),
    ],
  );
}
