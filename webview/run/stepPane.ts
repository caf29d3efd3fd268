/** One plot over steps with its keys: a figure of one run has one, a figure of two may have two. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { PlotBox } from "../shared/figureFrame";
import type { Palette } from "../shared/theme";
import type { PlotHighlight } from "./plotSurface";
import type { StepAxis } from "./stepAxis";
import type { StepFigureEvents, StepPaneState } from "./stepFigure";
import { StepPlot, stepsOf, type PlotContent, type PlotPlace } from "./stepPlot";

export class StepPane {
  readonly node: HTMLElement;
  private readonly name = element("p", { class: "pane-name" });
  private readonly canvas = element("canvas", {
    attributes: { role: "application", tabindex: "0" },
  });
  private readonly box = new PlotBox(this.canvas);
  private readonly plot: StepPlot;
  private content: PlotContent | undefined;
  private highlighted: PlotHighlight = { step: undefined, layer: undefined };

  constructor(private readonly events: StepFigureEvents) {
    this.plot = new StepPlot(this.canvas);
    this.node = element("div", { class: "pane", children: [this.name, this.box.node] });
    this.listen();
  }

  /** @param id of the heading of the table that has the figures in words */
  describeBy(id: string): void {
    this.canvas.setAttribute("aria-describedby", id);
  }

  /** @param words what the figure is called, and its unit */
  show(
    { name, content, height, emptiness }: StepPaneState,
    { axis, words, palette }: { axis: StepAxis; words: string; palette: Palette },
  ): void {
    this.content = content;
    this.name.hidden = name === undefined;
    setText(this.name, name ?? "");
    this.box.show(emptiness);
    this.box.node.style.height = `${height}px`;
    const isHeat = content.kind === "heat";
    this.canvas.setAttribute("aria-roledescription", isHeat ? t("heat map") : t("line chart"));
    const keys = isHeat
      ? t("Arrow keys: left and right for the step, up and down for the layer.")
      : t("Arrow keys: left and right for the step.");
    this.canvas.setAttribute(
      "aria-label",
      [...(name === undefined ? [] : [`${name}.`]), `${words}.`, keys].join(" "),
    );
    this.plot.show(content, axis, palette);
  }

  highlight(highlighted: PlotHighlight): void {
    this.highlighted = highlighted;
    this.plot.highlight(highlighted);
  }

  get isFocused(): boolean {
    return document.activeElement === this.canvas;
  }

  private listen(): void {
    const { canvas, events } = this;
    canvas.addEventListener("pointermove", (event) => {
      events.onHover(this.plot.placeAt(event.offsetX, event.offsetY));
    });
    canvas.addEventListener("pointerleave", () => {
      events.onHover(undefined);
    });
    canvas.addEventListener("click", (event) => {
      const place = this.plot.placeAt(event.offsetX, event.offsetY);
      if (place) events.onChoose(place);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.content) return;
      const next = this.keyTarget(event.key, this.content);
      if (!next) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next);
    });
  }

  /** Where a key leads from the chosen place. */
  private keyTarget(key: string, content: PlotContent): PlotPlace | undefined {
    const steps = stepsOf(content);
    const [first, last] = [steps.at(0), steps.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const layers = content.kind === "heat" ? content.model.map.layers : 0;
    const { step = last, layer } = this.highlighted;
    const clamp = (value: number): number => Math.min(layers - 1, Math.max(0, value));
    switch (key) {
      case "ArrowRight":
        return { step: steps.find((one) => one > step) ?? last, layer };
      case "ArrowLeft":
        return { step: steps.findLast((one) => one < step) ?? first, layer };
      case "Home":
        return { step: first, layer };
      case "End":
        return { step: last, layer };
      case "ArrowUp":
        return layers === 0 ? undefined : { step, layer: clamp((layer ?? -1) + 1) };
      case "ArrowDown":
        return layers === 0 ? undefined : { step, layer: clamp((layer ?? 1) - 1) };
      default:
        return undefined;
    }
  }
}
