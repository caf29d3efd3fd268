/** What stands above a chart over steps to say what its marks and colours are. */
import { figure } from "../../src/report/format";
import { verdictName } from "../../src/report/verdict";
import type { ColourScale } from "../../src/trainingRun/heatMap";
import { verdictGlyph } from "../panel/glyphs";
import { element, svgElement } from "../shared/dom";
import { isLightPage, type Palette } from "../shared/theme";
import { heatGradient } from "./colourScale";
import type { LineStyle } from "./lineDrawing";
import { markerPaths } from "./marker";

export type StepLegendEntry =
  | { kind: "line"; text: string; style: LineStyle }
  | { kind: "scale"; scale: ColourScale }
  | { kind: "verdict"; verdict: "free" | "uncertain" };

export function legendNode(entry: StepLegendEntry, palette: Palette): HTMLElement {
  switch (entry.kind) {
    case "line":
      return lineNode(entry.text, entry.style);
    case "scale":
      return scaleNode(entry.scale, palette);
    case "verdict":
      return element("span", {
        children: [verdictGlyph(entry.verdict), verdictName(entry.verdict)],
      });
  }
}

/** The figures at a scale's ends and in its middle: `≤ 0.001`, `0.03`, `0.9`. */
export function scaleTexts({ kind, min, max, isOpenBelow, isOpenAbove }: ColourScale): {
  low: string;
  middle: string;
  high: string;
} {
  const middle = kind === "log" ? Math.sqrt(min * max) : (min + max) / 2;
  return {
    low: `${isOpenBelow ? "≤ " : ""}${short(min)}`,
    middle: short(middle),
    high: `${isOpenAbove ? "≥ " : ""}${short(max)}`,
  };
}

function lineNode(text: string, { colour, dash, width, marker }: LineStyle): HTMLElement {
  const line = svgElement("path", { d: "M1 7H25", "stroke-dasharray": dash.join(" ") });
  const mark = marker
    ? [svgElement("path", { class: "sample-marker", d: markerPaths[marker.shape] })]
    : [];
  const sample = svgElement(
    "svg",
    { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" },
    [line, ...mark],
  );
  sample.style.stroke = colour;
  mark[0]?.style.setProperty("fill", marker?.isFilled ? colour : "var(--fathom-background)");
  sample.style.strokeWidth = String(width);
  return element("span", { children: [sample, text] });
}

function scaleNode(scale: ColourScale, palette: Palette): HTMLElement {
  const strip = element("span", { class: "scale-strip", attributes: { "aria-hidden": "true" } });
  strip.style.background = heatGradient(isLightPage(palette));
  const { low, middle, high } = scaleTexts(scale);
  return element("span", {
    class: "scale",
    children: [
      element("span", { text: low }),
      element("span", {
        class: "scale-middle",
        children: [strip, element("span", { class: "scale-mid", text: middle })],
      }),
      element("span", { text: high }),
    ],
  });
}

/** A figure without the zeros at its end. */
function short(value: number): string {
  return figure(value)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}
