/** The small drawings that stand beside words: verdict shapes and curve samples, as in the charts. */
import type { Verdict } from "../../src/report/verdict";
import { svgElement } from "../shared/dom";
import type { CurveSeries } from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";
import "./glyphs.css";

/** A verdict's shape on its tint. */
export function verdictGlyph(verdict: Verdict): SVGSVGElement {
  const shape =
    verdict === "uncertain"
      ? svgElement("path", { d: "M8 3.5 12.5 8 8 12.5 3.5 8Z", class: "glyph-shape" })
      : svgElement("circle", { cx: "8", cy: "8", r: "3.6", class: "glyph-shape" });
  return svgElement(
    "svg",
    { class: `glyph glyph-${verdict}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    [
      svgElement("rect", {
        class: "glyph-tint",
        x: "0.5",
        y: "0.5",
        width: "15",
        height: "15",
        rx: "2",
      }),
      shape,
    ],
  );
}

/** A dot with its error bar, on a band where the chart has one. */
export function measuredGlyph(): SVGSVGElement {
  return svgElement("svg", { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" }, [
    svgElement("path", { class: "sample-measured", d: "M13 1V13M10.5 1H15.5M10.5 13H15.5" }),
    svgElement("circle", { class: "sample-measured sample-dot", cx: "13", cy: "7", r: "3" }),
  ]);
}

/** What a logarithmic axis has no place for. */
export function belowAxisGlyph(): SVGSVGElement {
  return svgElement("svg", { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" }, [
    svgElement("path", { class: "sample-measured sample-below", d: "M8.7 4H17.3L13 11.5Z" }),
  ]);
}

export function curveGlyph(role: CurveSeries["role"]): SVGSVGElement {
  const mark = svgElement("path", { class: "sample-mark", d: "M13 3.4 16.6 7 13 10.6 9.4 7Z" });
  return lineGlyph(`sample-${role}`, curveDashes[role], role === "otherRun" ? [mark] : []);
}

export function referenceGlyph(): SVGSVGElement {
  return lineGlyph("sample-reference", referenceDash);
}

function lineGlyph(
  className: string,
  dash: readonly number[],
  marks: readonly SVGElement[] = [],
): SVGSVGElement {
  return svgElement("svg", { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" }, [
    svgElement("path", { class: className, d: "M1 7H25", "stroke-dasharray": dash.join(" ") }),
    ...marks,
  ]);
}
