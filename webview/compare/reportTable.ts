/** The compared reports, one row each: headline figures, and how they stand to the reference's. */
import {
  isDifference,
  type Compared,
  type Comparison,
  type Figure,
  type ReportSummary,
} from "../../src/report/comparison";
import { factor, type Headline } from "../../src/report/comparisonVerdict";
import {
  absent,
  counted,
  figure,
  largeCount,
  schemeName,
  signedWithInterval,
  withInterval,
} from "../../src/report/format";
import { isAbsent, type Absent } from "../../src/report/linearEstimate";
import { element } from "../shared/dom";
import { markNodes } from "./mark";
import { seriesGlyph } from "./seriesGlyph";

export class ReportTable {
  readonly node: HTMLElement;
  private readonly body = element("tbody");
  private shown = "";

  constructor(private readonly onReference: (report: number) => void) {
    const heads = [
      headNode("Report", "text", "What is compared"),
      headNode("Reference", "text", "The report that the others are compared with"),
      headNode("Loss", "number", "NLL of the whole model, nats per token"),
      headNode(
        "Variance growth",
        "number",
        "Output variance of the last layer over that of the first",
      ),
      headNode(
        "Deep ΔNLL",
        "number",
        "Mean NLL increase when one layer of the deep half is removed, nats per token",
      ),
      headNode(
        "Deep ‖J−I‖",
        "number",
        "Mean Jacobian-to-identity distance over the deep half of the layers",
      ),
    ];
    const table = element("table", {
      children: [
        element("caption", {
          class: "sr-only",
          text: "The compared reports. ± is a 95% interval; the second line of a figure is its difference to the reference.",
        }),
        element("thead", { children: [element("tr", { children: heads })] }),
        this.body,
      ],
    });
    this.node = element("section", {
      class: "report-table",
      children: [
        element("h2", { text: "Reports" }),
        element("div", {
          class: "table-scroller",
          attributes: { tabindex: "0", role: "region", "aria-label": "Table of reports" },
          children: [table],
        }),
      ],
    });
  }

  show(comparison: Comparison): void {
    const next = JSON.stringify([comparison.reference, comparison.reports]);
    if (next === this.shown) return;
    const hadFocus = this.body.contains(document.activeElement);
    this.shown = next;
    this.body.replaceChildren(
      ...comparison.reports.map((report, index) => this.rowOf(comparison, report, index)),
    );
    if (hadFocus) this.body.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  private rowOf(comparison: Comparison, report: ReportSummary, index: number): HTMLElement {
    const contrast = comparison.contrasts.find((one) => one.report === index);
    const cell = (headline: Headline) =>
      figureCell(headline, report[headline], contrast?.[headline]);
    return element("tr", {
      children: [
        element("th", {
          attributes: { scope: "row", title: report.path },
          children: [
            element("div", {
              class: "report-name",
              children: [seriesGlyph(index), element("span", { text: report.name })],
            }),
            element("div", {
              class: "report-facts",
              text: `${schemeName(report.normScheme)} · ${counted(report.layers, "layer")} · ${largeCount(report.parameters)} parameters`,
            }),
          ],
        }),
        element("td", { class: "text", children: [this.picker(comparison, report, index)] }),
        cell("baselineNll"),
        cell("growth"),
        cell("deepRemoval"),
        cell("deepDistance"),
      ],
    });
  }

  private picker(comparison: Comparison, report: ReportSummary, index: number): HTMLElement {
    const input = element("input", {
      attributes: {
        type: "radio",
        name: "reference",
        "aria-label": `Compare the others with ${report.name}`,
      },
    });
    input.checked = comparison.reference === index;
    input.addEventListener("change", () => {
      this.onReference(index);
    });
    return element("label", { class: "reference-picker", children: [input] });
  }
}

function figureCell(
  headline: Headline,
  own: Figure | Absent,
  compared: Compared | undefined,
): HTMLElement {
  if (isAbsent(own)) return absentCell(own.reason);
  const difference =
    compared === undefined
      ? element("span", { class: "difference", text: "reference" })
      : isDifference(compared)
        ? element("span", {
            class: "difference",
            children: [
              headline === "growth"
                ? written(factor(compared.difference, compared.standardError))
                : signedWithInterval(compared.difference, compared.standardError),
              ...markNodes(compared.significance),
            ],
          })
        : element("span", {
            class: "difference absent",
            text: "not comparable",
            attributes: { title: compared.reason },
          });
  return element("td", {
    class: "number",
    children: [element("span", { class: "own", text: ownText(headline, own) }), difference],
  });
}

function ownText(headline: Headline, { value, standardError }: Figure): string {
  switch (headline) {
    case "growth":
      return `${figure(Math.exp(value))}-fold`;
    case "deepRemoval":
      return signedWithInterval(value, standardError);
    case "deepDistance":
    case "baselineNll":
      return withInterval(value, standardError);
  }
}

function written({ value, error }: { value: string; error: string }): string {
  return `${value} ± ${error}`;
}

export function absentCell(reason: string): HTMLElement {
  return element("td", {
    class: "number absent",
    attributes: { title: reason },
    children: [
      element("span", { text: absent, attributes: { "aria-hidden": "true" } }),
      element("span", { class: "sr-only", text: reason }),
    ],
  });
}

function headNode(text: string, kind: "text" | "number", meaning: string): HTMLElement {
  return element("th", { class: kind, text, attributes: { scope: "col", title: meaning } });
}
