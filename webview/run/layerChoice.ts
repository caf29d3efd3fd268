/** Which layers have a line: one press for each, to give it a line or take it away. */
import { t } from "@vscode/l10n";
import { element } from "../shared/dom";
import { spreadLayers } from "./runModel";

export class LayerChoice {
  readonly node = element("fieldset", { class: "layer-choice" });
  private shown = "";

  constructor(private readonly onChoice: (layers: number[]) => void) {}

  /** @param chosen the layers that have a line; undefined where no layer has one */
  show(layers: number, chosen: readonly number[] | undefined): void {
    this.node.hidden = chosen === undefined || layers === 0;
    const next = JSON.stringify([layers, chosen]);
    if (chosen === undefined || next === this.shown) return;
    this.shown = next;
    const focused = document.activeElement?.getAttribute("data-layer-choice");
    const all = Array.from({ length: layers }, (_, layer) => layer);
    this.node.replaceChildren(
      element("legend", { text: t("Layers with a line") }),
      ...all.map((layer) => {
        const has = chosen.includes(layer);
        const to = has
          ? chosen.filter((one) => one !== layer)
          : [...chosen, layer].sort((a, b) => a - b);
        return this.press(String(layer), t("Layer {0}", layer), to, has);
      }),
      this.press(t("All"), t("All layers"), all),
      this.press(t("Five"), t("Five layers spread over depth"), spreadLayers(layers)),
    );
    if (focused)
      this.node.querySelector<HTMLElement>(`[data-layer-choice="${CSS.escape(focused)}"]`)?.focus();
  }

  private press(text: string, label: string, to: number[], pressed?: boolean): HTMLElement {
    const node = element("button", {
      text,
      attributes: {
        type: "button",
        title: label,
        "data-layer-choice": text,
        ...(pressed === undefined ? {} : { "aria-pressed": String(pressed) }),
      },
    });
    node.addEventListener("click", () => {
      this.onChoice(to);
    });
    return node;
  }
}
