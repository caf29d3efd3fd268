/** The line above the charts that says at which norm the panel was opened, and where that leads. */
import type { NormSummary, Report } from "../../src/diagnosis/report";
import { element, setText } from "../shared/dom";
import { button } from "../shared/toolkit";
import { wasAsked } from "./chartModel";
import type { Navigation } from "./navigation";

export class NormLine {
  readonly node: HTMLElement;
  private readonly text = element("p", { attributes: { tabindex: "-1" } });

  constructor(onDismiss: () => void) {
    this.node = element("div", {
      class: "norm-line",
      attributes: { role: "region", "aria-label": "Norm in the code" },
      children: [
        this.text,
        button("Dismiss", { appearance: "secondary", onPress: onDismiss }).node,
      ],
    });
    this.node.hidden = true;
  }

  /** Hidden where the report on show has no such norm. */
  show(norm: NormSummary | undefined, report: Report | undefined): void {
    const text = norm && report && normText(norm, report);
    this.node.hidden = text === undefined;
    setText(this.text, text ?? "");
  }

  /** Brings the line to the top, and the variance over depth below it; reading goes on there. */
  reveal(): void {
    if (this.node.hidden) return;
    this.node.scrollIntoView({ block: "start" });
    this.text.focus({ preventScroll: true });
  }
}

/** `model.layers.*.norm · before the attention of every layer, 0 to 15`; undefined for another model's. */
export function normText(norm: NormSummary, report: Report): string | undefined {
  if (report.architecture.norms?.some(({ path }) => path === norm.path) !== true) return undefined;
  const layer = layerOfNorm(norm, report);
  const { layers } = report.architecture;
  const whose = layer === undefined ? `every layer, 0 to ${layers - 1}` : `layer ${layer}`;
  return `${norm.path} · ${placeNames[norm.feeds]}${norm.feeds === "head" ? "" : ` of ${whose}`}`;
}

const placeNames: Readonly<Record<NormSummary["feeds"], string>> = {
  attention: "before the attention",
  feedForward: "before the feed-forward",
  head: "after the last layer, before the head",
};

/** Where a panel that is opened at a norm leads: to what removing its sublayer costs, and its layer. */
export function navigationAt(
  navigation: Navigation,
  norm: NormSummary,
  report: Report | undefined,
): Navigation {
  const { chart, table } = navigation;
  const isMeasured = report !== undefined && wasAsked(report, "sublayers");
  const part = norm.feeds === "head" || !isMeasured ? chart.part : norm.feeds;
  const layer = report === undefined ? undefined : layerOfNorm(norm, report);
  const kept = layer ?? navigation.layer;
  return {
    chart: { ...chart, part },
    table,
    ...(kept !== undefined && { layer: kept }),
    norm,
  };
}

/** The layer that alone has the norm: `model.layers.7.norm`; undefined where all share it or none has it. */
export function layerOfNorm({ path, feeds }: NormSummary, report: Report): number | undefined {
  if (feeds !== "head" && report.architecture.layers === 1) return 0;
  return report.layers.find((layer) => path.startsWith(`${layer.path}.`))?.index;
}
