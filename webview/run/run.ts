/** The panel of a training run: what every checkpoint's diagnosis found, over layers and steps. */
import { t } from "@vscode/l10n";
import type { ExportFormat, HostToRun, RunStatus } from "../../src/protocol/messages";
import { runFindings } from "../../src/trainingRun/runFindings";
import {
  layersOf,
  runFigures,
  type RunFigure,
  type RunReport,
  type RunStepReport,
} from "../../src/trainingRun/runReport";
import { element, setText, unbroken } from "../shared/dom";
import { exportButtons } from "../shared/exportButtons";
import { segments } from "../shared/segments";
import { followSystemTheme, onThemeChange, readPalette, type Palette } from "../shared/theme";
import { checkbox } from "../shared/toolkit";
import { readTexts } from "../shared/texts";
import { behindStep, type OtherRun } from "./behind";
import { runFacts } from "./facts";
import { LayerChoice } from "./layerChoice";
import { layerState } from "./layerState";
import { lossState } from "./lossState";
import { readRunNavigation, type RunNavigation } from "./navigation";
import type { PlotHighlight } from "./plotSurface";
import { runPng } from "./png";
import "./run.css";
import { connectRunHost, type RunHost } from "./runHost";
import { spreadLayers } from "./runModel";
import { RunStatusBar } from "./runStatusBar";
import { RunTable } from "./runTable";
import { isCrowded, stepAxis, type StepAxis } from "./stepAxis";
import { StepFigure, type StepFigureState } from "./stepFigure";
import type { PlotPlace } from "./stepPlot";
import { StepSection, type StepSectionState } from "./stepSection";

class RunPanel {
  private readonly name = element("h1");
  private readonly facts = element("p", { class: "facts" });
  private readonly statusBar: RunStatusBar;
  private readonly notices = element("ul", { class: "notices" });
  private readonly sentences = element("div", { class: "sentences" });
  private readonly viewChoice = segments(
    t("View"),
    { heat: t("Heat maps"), lines: t("Lines") },
    (view) => {
      this.navigate({ view });
    },
  );
  private readonly lossChoice = segments(
    t("Scale of the loss"),
    { loss: t("Loss"), perplexity: t("Perplexity") },
    (choice) => {
      this.navigate({ isPerplexity: choice === "perplexity" });
    },
  );
  private readonly logSteps = checkbox(t("Log steps"), (isLogSteps) => {
    this.navigate({ isLogSteps });
  });
  private readonly layerChoice = new LayerChoice((layers) => {
    this.navigate({ layers });
  });
  private readonly lossFigure: StepFigure;
  private readonly figures: Readonly<Record<RunFigure, StepFigure>>;
  private readonly stepSection: StepSection;
  private readonly table: RunTable;
  private navigation: RunNavigation;
  private palette: Palette = readPalette();
  private run: RunReport | undefined;
  private status: RunStatus | undefined;
  private other: OtherRun | undefined;
  private runName = "";
  private hovered: PlotHighlight = nowhere;
  private isDrawDue = false;

  constructor(
    root: HTMLElement,
    private readonly host: RunHost,
  ) {
    this.navigation = readRunNavigation(host.savedNavigation());
    const exports = exportButtons(host.formats, {
      label: t("Export the run"),
      meanings: exportMeanings,
      onExport: (format) => {
        this.export(format);
      },
    });
    this.statusBar = new RunStatusBar(exports, host.kind === "editor", host.post);
    const captionId = "run-table-caption";
    const events = {
      onHover: (place: PlotPlace | undefined) => {
        this.hovered = place ?? nowhere;
        this.highlight();
      },
      onChoose: (place: PlotPlace) => {
        this.choose(place);
      },
    };
    this.lossFigure = new StepFigure(events, captionId, this.lossChoice.node);
    this.figures = {
      variance: new StepFigure(events, captionId),
      jacobian: new StepFigure(events, captionId),
      pruning: new StepFigure(events, captionId),
    };
    const chooseLayer = (layer: number | undefined): void => {
      this.navigate({ layer });
      this.highlight();
    };
    this.stepSection = new StepSection(
      {
        onStep: (step) => {
          this.choose({ step, layer: undefined });
        },
        onGhost: (ghost) => {
          this.navigate({ ghost });
        },
        onHoverLayer: (layer) => {
          this.hovered = { step: undefined, layer };
          this.highlight();
        },
        onChooseLayer: chooseLayer,
        onToggleLayer: (layer) => {
          chooseLayer(layer === this.navigation.layer ? undefined : layer);
        },
      },
      captionId,
    );
    this.table = new RunTable((table) => {
      this.navigate({ table });
    }, captionId);
    root.replaceChildren(
      element("main", {
        class: "panel run",
        children: [
          element("header", { class: "checkpoint", children: [this.name, this.facts] }),
          this.statusBar.node,
          this.notices,
          element("section", {
            class: "verdict",
            children: [element("h2", { class: "sr-only", text: t("Findings") }), this.sentences],
          }),
          element("section", {
            class: "charts",
            attributes: { "aria-label": t("Charts over training") },
            children: [
              element("div", {
                class: "layer-bar",
                children: [this.viewChoice.node, this.logSteps.node],
              }),
              this.lossFigure.node,
              this.layerChoice.node,
              ...runFigures.map((one) => this.figures[one].node),
              element("p", { class: "axis-name", text: t("step of training") }),
            ],
          }),
          this.stepSection.node,
          this.table.node,
        ],
      }),
    );
    onThemeChange(() => {
      this.palette = readPalette();
      this.drawSoon();
    });
    host.onMessage((message) => {
      this.receive(message);
    });
    host.post({ type: "ready" });
  }

  private receive(message: HostToRun): void {
    switch (message.type) {
      case "run":
        this.run = message.run;
        this.runName = message.name;
        setText(this.name, message.name);
        this.name.title = message.run.folder;
        this.status = message.status;
        break;
      case "step": {
        if (!this.run) return;
        const others = this.run.steps.filter(({ step }) => step !== message.step.step);
        const steps = [...others, message.step].sort((a, b) => a.step - b.step);
        this.run = { ...this.run, steps };
        this.status = message.status;
        break;
      }
      case "status":
        this.status = message.status;
        break;
      case "other": {
        const { name, run } = message;
        this.other = name === undefined || run === undefined ? undefined : { name, run };
        break;
      }
    }
    this.saveSource();
    this.drawSoon();
  }

  /** For a window that is opened again. */
  private saveSource(): void {
    const { run, other } = this;
    if (!run) return;
    this.host.saveSource({
      folder: run.folder,
      ...(other ? { other: other.run.folder } : {}),
    });
  }

  private drawSoon(): void {
    if (this.isDrawDue) return;
    this.isDrawDue = true;
    requestAnimationFrame(() => {
      this.isDrawDue = false;
      this.draw();
    });
  }

  private draw(): void {
    const { run, status, navigation, palette } = this;
    if (!run || !status) return;
    const { steps } = run;
    setText(this.facts, runFacts(steps));
    this.statusBar.show(
      status,
      this.other !== undefined,
      steps.some(({ report }) => report),
    );
    const notes = [...status.notices, ...run.problems];
    this.notices.replaceChildren(...notes.map((text) => element("li", { text })));
    this.showFindings(steps, status);
    this.viewChoice.set(navigation.view);
    this.lossChoice.set(navigation.isPerplexity ? "perplexity" : "loss");
    this.layerChoice.show(layersOf(steps), this.lineLayers(steps));
    const { axis, loss, figures } = this.states(run);
    this.logSteps.setChecked(axis.isLog);
    this.lossFigure.show(loss, palette);
    for (const one of runFigures) this.figures[one].show(figures[one], palette);
    this.stepSection.show(this.sectionState(run, status), palette);
    this.table.show(steps, navigation.table);
    this.highlight();
  }

  /** The charts over steps, on one axis. */
  private states(run: RunReport): {
    axis: StepAxis;
    loss: StepFigureState;
    figures: Record<RunFigure, StepFigureState>;
  } {
    const { navigation, palette } = this;
    const { steps } = run;
    const stepNumbers = steps.map(({ step }) => step);
    const losses = run.losses.flatMap(({ points }) =>
      [points.at(0)?.step, points.at(-1)?.step].filter((step) => step !== undefined),
    );
    const isLog = navigation.isLogSteps ?? isCrowded(stepNumbers);
    const axis = stepAxis({ steps: stepNumbers, losses }, isLog);
    const lines = this.lineLayers(steps);
    return {
      axis,
      loss: lossState(run, navigation.isPerplexity, axis, palette),
      figures: {
        variance: layerState("variance", steps, lines, axis),
        jacobian: layerState("jacobian", steps, lines, axis),
        pruning: layerState("pruning", steps, lines, axis),
      },
    };
  }

  private sectionState({ steps }: RunReport, status: RunStatus): StepSectionState {
    const step = this.stepIndex();
    const { ghost } = this.navigation;
    return {
      steps,
      step,
      ghost,
      behind: behindStep(steps, step, ghost, this.other),
      layers: layersOf(steps),
      isRunning: status.phase === "running",
    };
  }

  private export(format: ExportFormat): void {
    try {
      const png = format === "png" ? { png: this.png() } : {};
      this.host.post({ type: "export", format, ...png });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.host.post({ type: "failed", message });
    }
  }

  private png(): string {
    const { run, status } = this;
    if (!run || !status) throw new Error(t("There is nothing to draw yet."));
    const { loss, figures } = this.states(run);
    const picture = {
      name: this.runName,
      facts: runFacts(run.steps),
      sentences: runFindings(run.steps),
      figures: [loss, ...runFigures.map((one) => figures[one])],
      section: this.sectionState(run, status),
    };
    return runPng(picture, this.palette);
  }

  private showFindings(steps: readonly RunStepReport[], status: RunStatus): void {
    const texts = runFindings(steps).map(unbroken);
    const pending =
      status.phase === "running"
        ? t("What changed over training is said once two steps have been measured.")
        : t("Too little was measured to say what changed over training.");
    const next = texts.length > 0 ? texts : [pending];
    const isSame =
      next.join("\n") === [...this.sentences.children].map((p) => p.textContent).join("\n");
    if (isSame) return;
    this.sentences.replaceChildren(
      ...next.map((text) => element("p", { text, class: texts.length > 0 ? "" : "pending" })),
    );
  }

  /** The layers that have a line; undefined while there are heat maps. */
  private lineLayers(steps: readonly RunStepReport[]): number[] | undefined {
    const { view, layers } = this.navigation;
    const count = layersOf(steps);
    return view === "lines"
      ? (layers ?? spreadLayers(count)).filter((layer) => layer < count)
      : undefined;
  }

  /** The chosen step, else the last that has been measured. */
  private stepIndex(): number {
    const steps = this.run?.steps ?? [];
    const chosen = steps.findIndex(({ step }) => step === this.navigation.step);
    if (chosen !== -1) return chosen;
    const measured = steps.findLastIndex(({ report }) => report !== undefined);
    return measured === -1 ? Math.max(0, steps.length - 1) : measured;
  }

  private highlight(): void {
    const step = this.hovered.step ?? this.stepIndex();
    const layer = this.hovered.layer ?? this.navigation.layer;
    this.lossFigure.highlight({ step, layer: undefined });
    for (const one of runFigures) this.figures[one].highlight({ step, layer });
    this.stepSection.highlight(layer);
  }

  private choose({ step, layer }: PlotPlace): void {
    const entry = this.run?.steps[step];
    this.navigate({
      ...(entry ? { step: entry.step } : {}),
      ...(layer === undefined ? {} : { layer }),
    });
    // Keys may come faster than frames, and each starts from where the last one led.
    this.highlight();
  }

  private navigate(change: {
    [Key in keyof RunNavigation]?: RunNavigation[Key] | undefined;
  }): void {
    const next = Object.entries({ ...this.navigation, ...change }).filter(
      ([, value]) => value !== undefined,
    );
    this.navigation = readRunNavigation(Object.fromEntries(next));
    this.host.saveNavigation(this.navigation);
    this.drawSoon();
  }
}

const nowhere: PlotHighlight = { step: undefined, layer: undefined };

const exportMeanings: Readonly<Record<ExportFormat, () => string>> = {
  json: () => t("The reports of all steps, and the losses"),
  csv: () => t("One row per step and layer"),
  png: () => t("The charts as a picture"),
  html: () => t("This page as one file that opens anywhere"),
};

readTexts();
const host = connectRunHost();
if (host.kind === "file") followSystemTheme();
const root = document.getElementById("root");
if (root) new RunPanel(root, host);
