/** The diagnosis panel: shows whatever state it is sent, and keeps only what a person chose to see. */
import { t } from "@vscode/l10n";
import type { NormSummary } from "../../src/diagnosis/report";
import type { HostToPanel, PanelState } from "../../src/protocol/messages";
import { layerOfNorm, normText } from "../../src/report/normPlace";
import { progressText } from "../../src/report/progress";
import { verdictSentences } from "../../src/report/findings";
import { element, setText } from "../shared/dom";
import { onNextFrame } from "../shared/nextFrame";
import { connectHost, type PanelHost } from "./host";
import { followSystemTheme, onThemeChange, readPalette, type Palette } from "../shared/theme";
import { readTexts } from "../shared/texts";
import type { ReportView } from "./chartModel";
import { chartModels, Charts } from "./charts";
import { Header } from "./header";
import { Measurement } from "./measurement";
import { navigationAt, NormLine } from "./normLine";
import { readNavigation, type Navigation } from "./navigation";
import "./panel.css";
import { panelPng } from "./png";
import { failureHead, failureText, RunBar } from "./runBar";
import { LayerTable } from "./table";
import { verdictIntroduction, VerdictSection } from "./verdictSection";

class Panel {
  private readonly main: HTMLElement;
  private readonly header = new Header();
  private readonly runBar: RunBar;
  private readonly verdict = new VerdictSection();
  private readonly normLine = new NormLine(() => {
    this.dismissNorm();
  });
  private readonly charts: Charts;
  private readonly table: LayerTable;
  private readonly measurement = new Measurement();
  private readonly announcer = element("p", {
    class: "sr-only",
    attributes: { role: "status", "aria-live": "polite" },
  });
  private navigation: Navigation;
  private state: PanelState | undefined;
  private hovered: number | undefined;
  private palette: Palette = readPalette();
  private readonly drawSoon = onNextFrame(() => {
    this.draw();
  });

  constructor(
    root: HTMLElement,
    private readonly host: PanelHost,
  ) {
    this.navigation = readNavigation(host.savedNavigation());
    const captionId = "layer-table-caption";
    const layerEvents = {
      onHover: (layer: number | undefined) => {
        this.hovered = layer;
        this.highlight();
      },
      onChoose: (layer: number | undefined) => {
        this.choose(layer);
      },
      onToggle: (layer: number | undefined) => {
        this.choose(layer === this.navigation.layer ? undefined : layer);
      },
    };
    this.runBar = new RunBar(host.kind === "editor", host.formats, (message) => {
      host.post(message);
    });
    this.charts = new Charts(
      {
        ...layerEvents,
        onChoice: (chart) => {
          this.navigate({ ...this.navigation, chart });
        },
      },
      captionId,
    );
    this.table = new LayerTable(
      {
        ...layerEvents,
        onChoice: (table) => {
          this.navigate({ ...this.navigation, table });
        },
      },
      captionId,
    );
    this.main = element("main", {
      class: "panel",
      children: [
        this.header.node,
        this.runBar.node,
        this.verdict.node,
        this.normLine.node,
        this.charts.node,
        this.table.node,
        this.measurement.node,
        this.announcer,
      ],
    });
    root.replaceChildren(this.main);
    onThemeChange(() => {
      this.palette = readPalette();
      this.drawSoon();
    });
    host.onMessage((message) => {
      this.receive(message);
    });
    host.post({ type: "ready" });
  }

  private receive(message: HostToPanel): void {
    switch (message.type) {
      case "state":
        if (message.source !== undefined) this.host.saveSource(message.source);
        this.announce(message.state);
        this.state = message.state;
        this.drawSoon();
        break;
      case "renderPng":
        this.sendPng(message.requestId);
        break;
      case "layer":
        this.keep(message.layer);
        break;
      case "norm":
        this.goToNorm(message.norm);
        break;
    }
  }

  private draw(): void {
    const { state, navigation } = this;
    if (!state) return;
    const view = viewOf(state);
    this.main.dataset["phase"] = state.phase;
    this.header.show(state.name, view.report);
    this.runBar.show(state);
    this.measurement.show(view.report, state.phase, state.notices);
    // Without a single figure the run's bar says all there is: no empty charts below it.
    const isNothing = state.phase !== "running" && view.report === undefined;
    for (const { node } of [this.verdict, this.charts, this.table]) node.hidden = isNothing;
    if (isNothing) this.normLine.show(undefined, undefined);
    this.measurement.node.hidden = isNothing && state.notices.length === 0;
    if (isNothing) return;
    this.verdict.show(state);
    this.normLine.show(navigation.norm, view.report);
    this.charts.show(view, navigation.chart, this.palette);
    this.table.show(view, navigation.table);
    this.highlight();
  }

  private highlight(): void {
    const layers = this.state ? viewOf(this.state).layers : 0;
    const layer = this.hovered ?? this.navigation.layer;
    const known = layer !== undefined && layer < layers ? layer : undefined;
    this.charts.highlight(known);
    this.table.highlight(known);
  }

  private choose(layer: number | undefined): void {
    this.keep(layer);
    this.host.post({ type: "layer", ...(layer !== undefined && { layer }) });
  }

  /** Holds on to a layer, wherever it was chosen. */
  private keep(layer: number | undefined): void {
    const { chart, table, norm } = this.navigation;
    this.navigate({ chart, table, ...(layer !== undefined && { layer }), ...(norm && { norm }) });
    // Keys may come faster than frames, and each starts from the layer that the last one chose.
    this.highlight();
    if (layer !== undefined) this.table.reveal(layer);
  }

  /** At once, since the reader waits for it: what is above the charts is drawn before it scrolls. */
  private goToNorm(norm: NormSummary): void {
    const report = this.state?.report;
    this.navigate(navigationAt(this.navigation, norm, report));
    const layer = report && layerOfNorm(norm, report);
    if (layer !== undefined) this.choose(layer);
    this.draw();
    this.normLine.reveal();
    setText(this.announcer, (report && normText(norm, report)) ?? "");
  }

  private dismissNorm(): void {
    const { chart, table, layer } = this.navigation;
    this.navigate({ chart, table, ...(layer !== undefined && { layer }) });
    this.charts.focus();
  }

  private navigate(navigation: Navigation): void {
    this.navigation = navigation;
    this.host.saveNavigation(navigation);
    this.drawSoon();
  }

  /** Stages, not layers: someone listening should hear that it goes on, not every step. */
  private announce(next: PanelState): void {
    const text = announcement(this.state, next);
    if (text !== undefined) setText(this.announcer, text);
  }

  private sendPng(requestId: number): void {
    try {
      const { state } = this;
      if (!state) throw new Error(t("There is nothing to draw yet."));
      const view = viewOf(state);
      const models = chartModels(view, this.navigation.chart);
      const introduction = verdictIntroduction(state);
      const picture = { name: state.name, report: view.report, introduction, models };
      const dataUrl = panelPng(picture, this.palette);
      this.host.post({ type: "png", requestId, dataUrl });
    } catch (error) {
      this.host.post({
        type: "png",
        requestId,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

function viewOf(state: PanelState): ReportView {
  const { report } = state;
  const announced = state.phase === "running" ? state.progress.layers : undefined;
  return {
    report,
    layers: report?.architecture.layers ?? announced ?? 0,
    isRunning: state.phase === "running",
  };
}

function announcement(before: PanelState | undefined, next: PanelState): string | undefined {
  switch (next.phase) {
    case "running": {
      const { stage, fraction } = next.progress;
      if (before?.phase !== "running" || before.progress.stage !== stage)
        return progressText({ stage, fraction });
      const quarter = Math.floor(fraction * 4);
      return quarter > Math.floor(before.progress.fraction * 4) && quarter < 4
        ? t("{0}% measured", quarter * 25)
        : undefined;
    }
    case "done":
      return before?.phase === "done" ? undefined : [t("Done."), verdictInWords(next)].join(" ");
    case "failed":
      return before?.phase === "failed"
        ? undefined
        : [failureHead(next) ?? "", failureText(next), verdictInWords(next)].join(" ").trim();
    case "empty":
      return next.reason;
  }
}

/** The verdict to be read out; not again when it is that of the run before. */
function verdictInWords(state: PanelState): string {
  if (state.phase === "failed" && state.isEarlier === true) return "";
  return [verdictIntroduction(state) ?? "", ...verdictSentences(state.report)].join(" ").trim();
}

readTexts();
const host = connectHost();
if (host.kind === "file") followSystemTheme();
const root = document.getElementById("root");
if (root) new Panel(root, host);
