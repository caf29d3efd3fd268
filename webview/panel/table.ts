/** The same numbers as a table that sorts, one row per layer from the start. */
import { t } from "@vscode/l10n";
import type { LayerReport, Metric } from "../../src/diagnosis/report";
import { absent } from "../../src/report/format";
import { element } from "../shared/dom";
import { checkbox } from "../shared/toolkit";
import { layerOf, hasCrossAttention, wasAsked, type ReportView } from "./chartModel";
import { verdictGlyph } from "./glyphs";
import type { TableChoice } from "./navigation";
import { sortLayers, tableColumns, type Cell, type TableColumn } from "./tableColumns";

export interface TableEvents {
  onHover: (layer: number | undefined) => void;
  onToggle: (layer: number | undefined) => void;
  onChoice: (choice: TableChoice) => void;
}

export class LayerTable {
  readonly node: HTMLElement;
  private readonly head = element("tr");
  private readonly body = element("tbody");
  private readonly allFigures = checkbox(t("All figures"), (allFigures) => {
    this.events.onChoice({ ...this.choice, allFigures });
  });
  private readonly scroller: HTMLElement;
  private readonly rows = new Map<number, Row>();
  private headers: { column: TableColumn; node: HTMLElement }[] = [];
  private choice: TableChoice = { sort: { column: "layer", descending: false }, allFigures: false };
  private highlighted: number | undefined;

  constructor(
    private readonly events: TableEvents,
    captionId: string,
  ) {
    const caption = element("caption", {
      class: "sr-only",
      text: t("The figures of every layer. ± is a 95% interval."),
      attributes: { id: captionId },
    });
    const table = element("table", {
      children: [caption, element("thead", { children: [this.head] }), this.body],
    });
    this.scroller = element("div", {
      class: "table-scroller",
      // A region that scrolls must be reachable for those who scroll with keys.
      attributes: { tabindex: "0", role: "region", "aria-label": t("Table of layers") },
      children: [table],
    });
    this.node = element("section", {
      class: "layer-table",
      children: [
        element("div", {
          class: "section-head",
          children: [element("h2", { text: t("Layers") }), this.allFigures.node],
        }),
        this.scroller,
      ],
    });
    this.listen();
  }

  show(view: ReportView, choice: TableChoice): void {
    this.choice = choice;
    this.allFigures.setChecked(choice.allFigures);
    const columns = tableColumns.filter(
      ({ isDetail, metric, isOfCrossAttention }) =>
        (isOfCrossAttention !== true ||
          (view.report !== undefined && hasCrossAttention(view.report))) &&
        (choice.allFigures || isDetail !== true) &&
        (metric === undefined || view.report === undefined || wasAsked(view.report, metric)),
    );
    this.showHead(columns);
    const layers = Array.from(
      { length: view.layers },
      (_, index): LayerReport => layerOf(view, index) ?? { index, path: "" },
    );
    const baseline = view.report?.baseline;
    const sorted = sortLayers(layers, choice.sort, baseline).map((layer) => {
      const row = this.rowOf(layer.index);
      row.show(
        columns,
        columns.map((column) => column.cell(layer, baseline)),
        reasonsOf(layer),
      );
      return row.node;
    });
    // Moving rows that stand where they should would drop focus and flicker.
    const isInOrder =
      sorted.length === this.body.children.length &&
      sorted.every((node, i) => this.body.children[i] === node);
    if (!isInOrder) this.body.replaceChildren(...sorted);
    this.highlight(this.highlighted);
  }

  highlight(layer: number | undefined): void {
    if (this.highlighted !== undefined) this.rows.get(this.highlighted)?.setHighlighted(false);
    this.highlighted = layer;
    if (layer !== undefined) this.rows.get(layer)?.setHighlighted(true);
  }

  /** Brings the row of a chosen layer into the table's own window; the page itself stays. */
  reveal(layer: number): void {
    const row = this.rows.get(layer)?.node;
    if (!row) return;
    const top = row.offsetTop - this.head.offsetHeight;
    const bottom = row.offsetTop + row.offsetHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
  }

  private showHead(columns: readonly TableColumn[]): void {
    const isSame =
      columns.length === this.headers.length &&
      columns.every((column, i) => this.headers[i]?.column === column);
    if (!isSame) {
      this.headers = columns.map((column) => ({ column, node: this.headOf(column) }));
      this.head.replaceChildren(...this.headers.map(({ node }) => node));
    }
    const { sort } = this.choice;
    for (const { column, node } of this.headers) {
      if (column.id === sort.column)
        node.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      else node.removeAttribute("aria-sort");
    }
  }

  private headOf(column: TableColumn): HTMLElement {
    const press = element("button", {
      text: column.head(),
      attributes: { type: "button", title: t("{0}. Sort by it.", column.meaning()) },
    });
    press.addEventListener("click", () => {
      const { sort } = this.choice;
      const isSorted = sort.column === column.id;
      // Figures are first wanted largest first, layers in their own order.
      const descending = isSorted ? !sort.descending : !isText(column);
      this.events.onChoice({ ...this.choice, sort: { column: column.id, descending } });
    });
    return element("th", {
      class: isText(column) ? "text" : "number",
      attributes: { scope: "col" },
      children: [press],
    });
  }

  private rowOf(index: number): Row {
    const known = this.rows.get(index);
    if (known) return known;
    const row = new Row(index);
    this.rows.set(index, row);
    return row;
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

class Row {
  readonly node: HTMLTableRowElement;
  private shown = "";

  constructor(index: number) {
    this.node = element("tr", { attributes: { "data-layer": String(index) } });
  }

  show(
    columns: readonly TableColumn[],
    cells: readonly (Cell | undefined)[],
    reasons: string,
  ): void {
    const next = JSON.stringify([columns.map((column) => column.id), cells, reasons]);
    if (next === this.shown) return;
    this.shown = next;
    this.node.replaceChildren(...columns.map((column, i) => cellNode(column, cells[i], reasons)));
  }

  setHighlighted(isHighlighted: boolean): void {
    this.node.classList.toggle("highlighted", isHighlighted);
  }
}

function cellNode(column: TableColumn, cell: Cell | undefined, reasons: string): HTMLElement {
  const isLayer = column.id === "layer";
  const node = element(isLayer ? "th" : "td", {
    class: isText(column) ? "text" : "number",
    ...(isLayer ? { attributes: { scope: "row" } } : {}),
  });
  if (!cell) {
    node.classList.add("absent");
    node.title = reasons === "" ? t("Not measured") : reasons;
    node.append(
      element("span", { text: absent, attributes: { "aria-hidden": "true" } }),
      element("span", { class: "sr-only", text: t("not measured") }),
    );
    return node;
  }
  if (cell.verdict) {
    node.classList.add("verdict-cell");
    node.append(verdictGlyph(cell.verdict));
  }
  node.append(cell.value);
  if (cell.error !== undefined)
    node.append(" ", element("span", { class: "error", text: `± ${cell.error}` }));
  return node;
}

function isText({ id }: TableColumn): boolean {
  return id === "layer" || id === "path" || id === "verdict";
}

function reasonsOf(layer: LayerReport): string {
  return (layer.unmeasured ?? [])
    .map(({ metric, reason }) => `${metricNames[metric]()}: ${reason}`)
    .join("; ");
}

const metricNames: Readonly<Record<Metric, () => string>> = {
  variance: () => t("variance"),
  jacobian: () => t("jacobian"),
  pruning: () => t("pruning"),
  sublayers: () => t("sublayers"),
};
