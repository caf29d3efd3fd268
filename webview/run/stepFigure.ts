/** One chart over steps on the page: its legend, its plots, and what it says in words. */
import { t } from "@vscode/l10n";
import { element, setText } from "../shared/dom";
import { chartKey, FigureFrame, type FigureWords } from "../shared/figureFrame";
import type { Palette } from "../shared/theme";
import type { PlotHighlight } from "./plotSurface";
import type { StepAxis } from "./stepAxis";
import { legendNode, type StepLegendEntry } from "./stepLegend";
import { StepPane } from "./stepPane";
import type { PlotContent, PlotPlace } from "./stepPlot";

export interface StepFigureEvents {
  onHover: (place: PlotPlace | undefined) => void;
  /** A click or a key chose a step and perhaps a layer. */
  onChoose: (place: PlotPlace) => void;
}

export interface StepFigureState extends FigureWords {
  legend: StepLegendEntry[];
  /** One plot, or one for each of two runs; all on the axis of steps. */
  panes: StepPaneState[];
  axis: StepAxis;
  readout: (place: PlotHighlight) => string;
}

export interface StepPaneState {
  /** Of the run whose figures these are, where there are two. */
  name?: string;
  content: PlotContent;
  /** Height of the plot in pixels. */
  height: number;
  /** Why there is nothing to see; absent when there is something. */
  emptiness?: string;
}

export class StepFigure {
  private readonly readout = element("p", { class: "chart-readout" });
  private readonly legend = element("div", { class: "legend" });
  private readonly body = element("div", { class: "panes" });
  private readonly frame: FigureFrame;
  private panes: readonly StepPane[] = [];
  private state: StepFigureState | undefined;
  private highlighted: PlotHighlight = { step: undefined, layer: undefined };

  /** @param describedBy id of the heading of the table that has the figures in words */
  constructor(
    private readonly events: StepFigureEvents,
    private describedBy: string,
    controls?: HTMLElement,
  ) {
    this.frame = new FigureFrame(this.body, {
      beside: [this.readout],
      above: [chartKey(this.legend, controls)],
    });
  }

  get node(): HTMLElement {
    return this.frame.node;
  }

  show(state: StepFigureState, palette: Palette): void {
    this.state = state;
    this.frame.show(state);
    this.legend.replaceChildren(...state.legend.map((entry) => legendNode(entry, palette)));
    this.fit(state.panes.length);
    const words = t("{0} over steps. {1}", state.title, state.unit);
    state.panes.forEach((pane, i) => {
      this.panes[i]?.describeBy(this.describedBy);
      this.panes[i]?.show(pane, { axis: state.axis, words, palette });
    });
    this.showReadout();
  }

  /** Another table has the figures in words from the next `show` on. */
  describeBy(id: string): void {
    this.describedBy = id;
  }

  highlight(highlighted: PlotHighlight): void {
    this.highlighted = highlighted;
    for (const pane of this.panes) pane.highlight(highlighted);
    this.showReadout();
  }

  /** As many plots as there are to be; those that stay keep the keyboard. */
  private fit(count: number): void {
    const { events } = this;
    if (count === this.panes.length) return;
    this.panes = Array.from({ length: count }, (_, i) => this.panes[i] ?? new StepPane(events));
    this.body.replaceChildren(...this.panes.map(({ node }) => node));
  }

  private showReadout(): void {
    setText(this.readout, this.state?.readout(this.highlighted) ?? "");
    // Read out only to those who move in it, not with every figure that comes in.
    if (this.panes.some(({ isFocused }) => isFocused))
      this.readout.setAttribute("aria-live", "polite");
    else this.readout.removeAttribute("aria-live");
  }
}
