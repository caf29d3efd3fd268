/**
 * The chart of the losses as a table: a row for each step that training wrote down or that was
 * measured. There may be thousands, so it is folded, and made when it is first opened.
 */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import type { LossSeries } from "../../src/trainingRun/lossSeries";
import type { NamedRun } from "../../src/trainingRun/runReport";
import { element, setText } from "../shared/dom";
import { lossTable } from "./lossRows";
import { headRow, rowOf, scroller } from "./plainTable";

export class LossTable {
  readonly node: HTMLDetailsElement;
  private readonly title = element("h2");
  private readonly note = element("p", { class: "table-note" });
  private readonly table = element("table");
  private runs: readonly NamedRun[] = [];
  private isPerplexity = false;
  private shown = "";
  /** What the logs held when the table was made: their points are many, and new whenever they change. */
  private shownLosses: readonly LossSeries[] = [];

  /** @param captionId id of the table's heading */
  constructor(captionId: string) {
    this.title.id = captionId;
    this.node = element("details", {
      class: "loss-table",
      children: [
        element("summary", { children: [this.title] }),
        this.note,
        scroller(this.table, t("Table of losses")),
      ],
    });
    this.node.addEventListener("toggle", () => {
      this.fill();
    });
  }

  show(runs: readonly NamedRun[], isPerplexity: boolean): void {
    this.runs = runs;
    this.isPerplexity = isPerplexity;
    this.node.hidden = runs.every(({ run }) => run.losses.length === 0);
    setText(this.title, isPerplexity ? t("Perplexity by step") : t("Loss by step"));
    this.fill();
  }

  private fill(): void {
    if (!this.node.open) return;
    const { runs, isPerplexity } = this;
    const losses = runs.flatMap(({ run }) => run.losses);
    const next = JSON.stringify([
      isPerplexity,
      runs.map(({ name, run }) => [name, run.steps.map((one) => [one.step, one.report?.baseline])]),
    ]);
    const isSame = losses.every((one, i) => one === this.shownLosses[i]);
    if (next === this.shown && isSame && losses.length === this.shownLosses.length) return;
    this.shown = next;
    this.shownLosses = losses;
    const { heads, rows, note } = lossTable(runs, isPerplexity);
    setText(this.note, note);
    this.table.replaceChildren(
      element("thead", { children: [headRow(heads.map((text) => ({ text })))] }),
      element("tbody", {
        children: rows.map(({ step, cells }) =>
          rowOf(
            wholeNumber(step),
            cells.map((text) => ({ text })),
          ),
        ),
      }),
    );
  }
}
