/** One chart over steps on the page: its legend, how it is operated, and what it says in words. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { chartKey, FigureFrame, type FigureWords } from "../shared/figureFrame";
import type { Palette } from "../shared/theme";
import type { PlotHighlight } from "./plotSurface";
import type { StepAxis } from "./stepAxis";
import { legendNode, type StepLegendEntry } from "./stepLegend";
import { StepPlot, type PlotContent, type PlotPlace } from "./stepPlot";

export interface StepFigureEvents {
  onHover: (place: PlotPlace | undefined) => void;
  /** A click or a key chose a step and perhaps a layer. */
  onChoose: (place: PlotPlace) => void;
}

export interface StepFigureState extends FigureWords {
  legend: StepLegendEntry[];
  content: PlotContent;
  axis: StepAxis;
  /** Height of the plot in pixels. */
  height: number;
  readout: (place: PlotHighlight) => string;
}

export class StepFigure {
  private readonly readout = element("p", { class: "chart-readout" });
  private readonly legend = element("div", { class: "legend" });
  private readonly canvas = element("canvas", {
    attributes: { role: "application", tabindex: "0" },
  });
  private readonly frame: FigureFrame;
  private readonly plot: StepPlot;
  private state: StepFigureState | undefined;
  private highlighted: PlotHighlight = { step: undefined, layer: undefined };

  constructor(
    private readonly events: StepFigureEvents,
    describedBy: string,
    controls?: HTMLElement,
  ) {
    this.canvas.setAttribute("aria-describedby", describedBy);
    this.frame = new FigureFrame(this.canvas, {
      beside: [this.readout],
      above: [chartKey(this.legend, controls)],
    });
    this.plot = new StepPlot(this.canvas);
    this.listen();
  }

  get node(): HTMLElement {
    return this.frame.node;
  }

  show(state: StepFigureState, palette: Palette): void {
    this.state = state;
    this.frame.show(state);
    this.legend.replaceChildren(...state.legend.map((entry) => legendNode(entry, palette)));
    this.frame.plot.style.height = `${state.height}px`;
    const { kind } = state.content;
    this.canvas.setAttribute(
      "aria-roledescription",
      kind === "heat" ? t("heat map") : t("line chart"),
    );
    const keys =
      kind === "heat"
        ? t("Arrow keys: left and right for the step, up and down for the layer.")
        : t("Arrow keys: left and right for the step.");
    this.canvas.setAttribute(
      "aria-label",
      t("{0} over steps. {1}. {2}", state.title, state.unit, keys),
    );
    this.plot.show(state.content, state.axis, palette);
    this.showReadout();
  }

  highlight(highlighted: PlotHighlight): void {
    this.highlighted = highlighted;
    this.plot.highlight(highlighted);
    this.showReadout();
  }

  private showReadout(): void {
    setText(this.readout, this.state?.readout(this.highlighted) ?? "");
    // Read out only to those who move in it, not with every figure that comes in.
    const isFocused = document.activeElement === this.canvas;
    if (isFocused) this.readout.setAttribute("aria-live", "polite");
    else this.readout.removeAttribute("aria-live");
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
      if (event.altKey || event.ctrlKey || event.metaKey || !this.state) return;
      const next = this.keyTarget(event.key, this.state.content);
      if (!next) return;
      event.preventDefault();
      events.onHover(undefined);
      events.onChoose(next);
    });
  }

  /** Where a key leads from the chosen place. */
  private keyTarget(key: string, content: PlotContent): PlotPlace | undefined {
    const steps = content.kind === "heat" ? content.model.steps.length : content.steps.length;
    const layers = content.kind === "heat" ? content.model.map.layers : 0;
    if (steps === 0) return undefined;
    const step = Math.min(steps - 1, this.highlighted.step ?? steps - 1);
    const layer = this.highlighted.layer;
    const clamp = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
    switch (key) {
      case "ArrowRight":
        return { step: clamp(step + 1, steps), layer };
      case "ArrowLeft":
        return { step: clamp(step - 1, steps), layer };
      case "Home":
        return { step: 0, layer };
      case "End":
        return { step: steps - 1, layer };
      case "ArrowUp":
        return layers === 0 ? undefined : { step, layer: clamp((layer ?? -1) + 1, layers) };
      case "ArrowDown":
        return layers === 0 ? undefined : { step, layer: clamp((layer ?? 1) - 1, layers) };
      default:
        return undefined;
    }
  }
}
