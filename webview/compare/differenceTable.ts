/** Every layer's differences to the reference as a table that sorts. */
import { t } from "@vscode/l10n";
import { type Comparison } from "../../src/report/comparison";
import { element, setText } from "../shared/dom";
import { checkbox } from "../shared/toolkit";
import {
  differenceColumns,
  rowCount,
  sortRows,
  type DifferenceColumn,
  type SortOrder,
} from "./differenceColumns";
import { markNodes } from "./mark";
import { absentCell } from "./reportTable";
import { seriesGlyph } from "./seriesGlyph";

export interface DifferenceTableEvents {
  onHover: (layer: number | undefined) => void;
  onToggle: (layer: number | undefined) => void;
  onChoice: (choice: DifferenceTableChoice) => void;
}

export interface DifferenceTableChoice {
  sort: SortOrder;
  bothFigures: boolean;
}

export class DifferenceTable {
  readonly node: HTMLElement;
  private readonly groups = element("tr", { class: "groups" });
  private readonly heads = element("tr");
  private readonly body = element("tbody");
  private readonly key = element("p", { class: "mark-key" });
  private readonly bothFigures = checkbox(t("Both figures"), (bothFigures) => {
    this.events.onChoice({ ...this.choice, bothFigures });
  });
  private readonly rows = new Map<number, HTMLElement>();
  private readonly scroller: HTMLElement;
  private choice: DifferenceTableChoice = {
    sort: { column: "layer", descending: false },
    bothFigures: false,
  };
  private highlighted: number | undefined;

  constructor(
    private readonly events: DifferenceTableEvents,
    captionId: string,
  ) {
    const table = element("table", {
      children: [
        element("caption", {
          class: "sr-only",
          text: t("Differences to the reference, layer by layer. ± is a 95% interval."),
          attributes: { id: captionId },
        }),
        element("thead", { children: [this.groups, this.heads] }),
        this.body,
      ],
    });
    this.scroller = element("div", {
      class: "table-scroller",
      // A region that scrolls must be reachable for those who scroll with keys.
      attributes: { tabindex: "0", role: "region", "aria-label": t("Table of differences") },
      children: [table],
    });
    this.node = element("section", {
      class: "differences layer-table",
      children: [
        element("div", {
          class: "section-head",
          children: [element("h2", { text: t("Differences by layer") }), this.bothFigures.node],
        }),
        this.key,
        this.scroller,
      ],
    });
    this.listen();
  }

  /** @param styles of each report the index of its style */
  show(comparison: Comparison, styles: readonly number[], choice: DifferenceTableChoice): void {
    this.choice = choice;
    this.bothFigures.setChecked(choice.bothFigures);
    const columns = differenceColumns(comparison, choice);
    this.showHead(comparison, styles, columns);
    setText(
      this.key,
      t(
        "* significant at a false discovery rate of {0}% over {1} differences · ° only by its own test at 5%",
        comparison.falseDiscoveryRate * 100,
        comparison.tests,
      ),
    );
    this.rows.clear();
    this.body.replaceChildren(
      ...sortRows(rowCount(comparison), columns, choice.sort).map((layer) => {
        const row = element("tr", {
          attributes: { "data-layer": String(layer) },
          children: columns.map((column) => cellNode(column, layer)),
        });
        this.rows.set(layer, row);
        return row;
      }),
    );
    this.highlight(this.highlighted);
  }

  highlight(layer: number | undefined): void {
    if (this.highlighted !== undefined)
      this.rows.get(this.highlighted)?.classList.remove("highlighted");
    this.highlighted = layer;
    if (layer !== undefined) this.rows.get(layer)?.classList.add("highlighted");
  }

  /** Brings the row of a chosen layer into the table's own window; the page itself stays. */
  reveal(layer: number): void {
    const row = this.rows.get(layer);
    if (!row) return;
    const top = row.offsetTop - this.heads.offsetHeight - this.groups.offsetHeight;
    const bottom = row.offsetTop + row.offsetHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
  }

  private showHead(
    { contrasts, reports, reference }: Comparison,
    styles: readonly number[],
    columns: readonly DifferenceColumn[],
  ): void {
    const focused = this.heads.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-column")
      : undefined;
    this.groups.replaceChildren(
      element("td"),
      ...contrasts.map(({ report }) =>
        element("th", {
          class: "group",
          attributes: {
            scope: "colgroup",
            colspan: String(columns.filter((column) => column.report === report).length),
          },
          children: [
            seriesGlyph(styles[report]!),
            " ",
            t("{0} against {1}", reports[report]!.name, reports[reference]!.name),
          ],
        }),
      ),
    );
    this.heads.replaceChildren(...columns.map((column) => this.headOf(column)));
    if (focused !== undefined && focused !== null)
      this.heads.querySelector<HTMLElement>(`[data-column="${focused}"]`)?.focus();
  }

  private headOf(column: DifferenceColumn): HTMLElement {
    const { sort } = this.choice;
    const isSorted = sort.column === column.id;
    const press = element("button", {
      text: column.head,
      attributes: {
        type: "button",
        title: t("{0}. Sort by it.", column.meaning),
        "data-column": column.id,
      },
    });
    press.addEventListener("click", () => {
      // Differences are first wanted largest first, layers in their own order.
      const descending = isSorted ? !sort.descending : column.report !== undefined;
      this.events.onChoice({ ...this.choice, sort: { column: column.id, descending } });
    });
    return element("th", {
      class: column.report === undefined ? "text" : "number",
      attributes: {
        scope: "col",
        ...(isSorted && { "aria-sort": sort.descending ? "descending" : "ascending" }),
      },
      children: [press],
    });
  }

  private listen(): void {
    const layerAt = (event: Event) => {
      const row = event.target instanceof Element ? event.target.closest("tr[data-layer]") : null;
      return row instanceof HTMLElement ? Number(row.dataset["layer"]) : undefined;
    };
    this.body.addEventListener("pointerover", (event) => {
      this.events.onHover(layerAt(event));
    });
    this.body.addEventListener("pointerleave", () => {
      this.events.onHover(undefined);
    });
    this.body.addEventListener("click", (event) => {
      // Selecting figures to copy them is not choosing a layer.
      if (getSelection()?.isCollapsed ?? true) this.events.onToggle(layerAt(event));
    });
  }
}

function cellNode(column: DifferenceColumn, layer: number): HTMLElement {
  const cell = column.cell(layer);
  if ("absent" in cell) return absentCell(cell.absent);
  const isLayer = column.report === undefined;
  return element(isLayer ? "th" : "td", {
    class: isLayer ? "text" : `number ${cell.significance ?? ""}`.trim(),
    ...(isLayer ? { attributes: { scope: "row" } } : {}),
    children: [
      cell.value,
      ...(cell.error === undefined
        ? []
        : [" ", element("span", { class: "error", text: `± ${cell.error}` })]),
      ...(isLayer
        ? []
        : [element("span", { class: "mark-room", children: markNodes(cell.significance) })]),
    ],
  });
}
