/** The charts' figures as a table: one row for each layer, for those who read rather than look. */
import { t } from "@vscode/l10n";
import { verdictName } from "../../src/report/verdict";
import { layerOf, verdictsOf, type ReportView } from "../panel/chartModel";
import { verdictGlyph } from "../panel/glyphs";
import { element } from "../shared/dom";
import type { CompactModel } from "./compactModels";

export interface CompactTableEvents {
  onHover: (layer: number | undefined) => void;
  onChoose: (layer: number | undefined) => void;
}

export class CompactTable {
  readonly node: HTMLElement;
  private readonly head = element("tr");
  private readonly body = element("tbody");
  private highlighted: number | undefined;

  constructor(events: CompactTableEvents) {
    this.node = element("div", {
      class: "table-frame",
      attributes: { tabindex: "0", role: "region", "aria-label": t("Figures of every layer") },
      children: [
        element("table", {
          children: [
            element("caption", { class: "sr-only", text: t("Figures of every layer") }),
            element("thead", { children: [this.head] }),
            this.body,
          ],
        }),
      ],
    });
    this.body.addEventListener("pointerover", (event) => {
      events.onHover(layerAt(event.target));
    });
    this.body.addEventListener("pointerleave", () => {
      events.onHover(undefined);
    });
    this.body.addEventListener("click", (event) => {
      events.onChoose(layerAt(event.target));
    });
  }

  show(view: ReportView, models: readonly CompactModel[]): void {
    const verdicts = verdictsOf(view);
    this.head.replaceChildren(
      headCell(t("Layer"), t("Module index")),
      ...models.map(({ symbol, chart }) => headCell(symbol, `${chart.title}: ${chart.unit}`)),
    );
    this.body.replaceChildren(
      ...verdicts.map((verdict, layer) => {
        const path = layerOf(view, layer)?.path ?? "";
        const name = element("th", {
          attributes: { scope: "row", title: verdict ? `${path} · ${verdictName(verdict)}` : path },
          children: [
            String(layer),
            ...(verdict
              ? [
                  verdictGlyph(verdict),
                  element("span", { class: "sr-only", text: verdictName(verdict) }),
                ]
              : []),
          ],
        });
        return element("tr", {
          attributes: { "data-layer": String(layer) },
          children: [name, ...models.map((model) => figureCell(model.figureOf(layer)))],
        });
      }),
    );
    this.mark();
  }

  highlight(layer: number | undefined): void {
    if (layer === this.highlighted) return;
    this.highlighted = layer;
    this.mark();
  }

  /** Brings the row of a layer into sight. */
  reveal(layer: number): void {
    this.body.rows[layer]?.scrollIntoView({ block: "nearest" });
  }

  private mark(): void {
    for (const row of this.body.rows) {
      row.classList.toggle("highlighted", row.dataset["layer"] === String(this.highlighted));
    }
  }
}

function headCell(text: string, meaning: string): HTMLElement {
  return element("th", { text, attributes: { scope: "col", title: meaning } });
}

/** The 95% interval is said more quietly than the figure. */
function figureCell(text: string): HTMLElement {
  const at = text.search(/ \(?±/);
  const [value, error] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
  const isFigure = /\d/.test(value);
  return element("td", {
    ...(isFigure ? {} : { class: "absent" }),
    children: [value, element("span", { class: "error", text: error })],
  });
}

function layerAt(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest("tr") : null;
  return row?.dataset["layer"] === undefined ? undefined : Number(row.dataset["layer"]);
}
