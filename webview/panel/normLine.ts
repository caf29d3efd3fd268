/** The line above the charts that says at which norm the panel was opened, and where that leads. */
import { t } from "@vscode/l10n";
import type { NormSummary, Report } from "../../src/diagnosis/report";
import { layerOfNorm, normText, sublayerOf } from "../../src/report/normPlace";
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
      attributes: { role: "region", "aria-label": t("Norm in the code") },
      children: [
        this.text,
        button(t("Dismiss"), { appearance: "secondary", onPress: onDismiss }).node,
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

/** Where a panel that is opened at a norm leads: to what removing its sublayer costs, and its layer. */
export function navigationAt(
  navigation: Navigation,
  norm: NormSummary,
  report: Report | undefined,
): Navigation {
  const { chart, table } = navigation;
  const isMeasured = report !== undefined && wasAsked(report, "sublayers");
  const part = (isMeasured ? sublayerOf(norm) : undefined) ?? chart.part;
  const layer = report === undefined ? undefined : layerOfNorm(norm, report);
  const kept = layer ?? navigation.layer;
  return {
    chart: { ...chart, part },
    table,
    ...(kept !== undefined && { layer: kept }),
    norm,
  };
}
