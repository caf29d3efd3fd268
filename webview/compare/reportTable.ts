/** The compared reports, one row each: headline figures, and how they stand to the reference's. */
import { t } from "@vscode/l10n";
import {
  isDifference,
  type Compared,
  type Comparison,
  type Figure,
} from "../../src/report/comparison";
import type { ComparedReport, Standing } from "../../src/protocol/comparison";
import { factor, type Headline } from "../../src/report/comparisonVerdict";
import {
  absent,
  counted,
  figure,
  parameterCount,
  schemeName,
  signedWithInterval,
  withInterval,
} from "../../src/report/format";
import { isAbsent, type Absent } from "../../src/report/linearEstimate";
import { element, setText } from "../shared/dom";
import { markNodes } from "./mark";
import { seriesGlyph } from "./seriesGlyph";

export class ReportTable {
  readonly node: HTMLElement;
  private readonly body = element("tbody");
  /** What stands in place of figures, by place. */
  private readonly pending = new Map<number, HTMLElement>();
  private standings: readonly Standing[] = [];
  private shown = "";

  /** @param onReference takes the place among the compared */
  constructor(private readonly onReference: (place: number) => void) {
    const heads = [
      headNode(t("Report"), "text", t("What is compared")),
      headNode(t("Reference"), "text", t("The report that the others are compared with")),
      headNode(t("Loss"), "number", t("NLL of the whole model, nats per token")),
      headNode(
        t("Variance growth"),
        "number",
        t("Output variance of the last layer over that of the first"),
      ),
      headNode(
        t("Deep ΔNLL"),
        "number",
        t("Mean NLL increase when one layer of the deep half is removed, nats per token"),
      ),
      headNode(
        t("Deep ‖J−I‖"),
        "number",
        t("Mean Jacobian-to-identity distance over the deep half of the layers"),
      ),
    ];
    const table = element("table", {
      children: [
        element("caption", {
          class: "sr-only",
          text: t(
            "The compared reports. ± is a 95% interval; the second line of a figure is its difference to the reference.",
          ),
        }),
        element("thead", { children: [element("tr", { children: heads })] }),
        this.body,
      ],
    });
    this.node = element("section", {
      class: "report-table",
      children: [
        element("h2", { text: t("Reports") }),
        element("div", {
          class: "table-scroller",
          attributes: { tabindex: "0", role: "region", "aria-label": t("Table of reports") },
          children: [table],
        }),
      ],
    });
  }

  /** @param places of each report of the comparison its place among the compared */
  show(
    compared: readonly ComparedReport[],
    comparison: Comparison | undefined,
    places: readonly number[],
  ): void {
    const next = JSON.stringify([
      compared.map(({ name }) => name),
      comparison?.reference,
      comparison?.reports,
      places,
    ]);
    if (next === this.shown) return;
    const hadFocus = this.body.contains(document.activeElement);
    this.shown = next;
    this.pending.clear();
    this.body.replaceChildren(
      ...compared.map(({ name }, place) => {
        const index = places.indexOf(place);
        return comparison === undefined || index === -1
          ? this.pendingRow(name, place)
          : this.rowOf(comparison, index, place);
      }),
    );
    this.showStandings(this.standings);
    if (hadFocus) this.body.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  /** Says of those without a report why they have none. */
  showStandings(standings: readonly Standing[]): void {
    this.standings = standings;
    for (const [place, node] of this.pending) {
      const standing = standings[place];
      if (standing) setText(node, standingText(standing));
    }
  }

  private pendingRow(name: string, place: number): HTMLElement {
    const cell = element("td", { class: "text pending", attributes: { colspan: "5" } });
    this.pending.set(place, cell);
    return element("tr", {
      attributes: { "data-place": String(place) },
      children: [
        element("th", { attributes: { scope: "row" }, children: [nameNode(name, place)] }),
        cell,
      ],
    });
  }

  private rowOf(comparison: Comparison, index: number, place: number): HTMLElement {
    const report = comparison.reports[index]!;
    const contrast = comparison.contrasts.find((one) => one.report === index);
    const cell = (headline: Headline) =>
      figureCell(headline, report[headline], contrast?.[headline]);
    return element("tr", {
      attributes: { "data-place": String(place) },
      children: [
        element("th", {
          attributes: { scope: "row", title: report.path },
          children: [
            nameNode(report.name, place),
            element("div", {
              class: "report-facts",
              text: [
                schemeName(report.normScheme),
                counted(report.layers, "layer"),
                parameterCount(report.parameters),
              ].join(" · "),
            }),
          ],
        }),
        element("td", {
          class: "text",
          children: [this.picker(report.name, place, comparison.reference === index)],
        }),
        cell("baselineNll"),
        cell("growth"),
        cell("deepRemoval"),
        cell("deepDistance"),
      ],
    });
  }

  private picker(name: string, place: number, isReference: boolean): HTMLElement {
    const input = element("input", {
      attributes: {
        type: "radio",
        name: "reference",
        "aria-label": t("Compare the others with {0}", name),
      },
    });
    input.checked = isReference;
    input.addEventListener("change", () => {
      this.onReference(place);
    });
    return element("label", { class: "reference-picker", children: [input] });
  }
}

function nameNode(name: string, place: number): HTMLElement {
  return element("div", {
    class: "report-name",
    children: [seriesGlyph(place), element("span", { text: name })],
  });
}

function standingText(standing: Standing): string {
  switch (standing.kind) {
    case "ready":
      return "";
    case "waiting":
      return t("Waits to be diagnosed");
    case "measuring":
      return t("Being diagnosed · {0}", standing.doing);
    case "missing":
      return t("Not measured");
    case "failed":
      return t("Could not be measured: {0}", standing.reason);
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
      ? element("span", { class: "difference", text: t("reference") })
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
            text: t("not comparable"),
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
      return t("{0}-fold", figure(Math.exp(value)));
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
