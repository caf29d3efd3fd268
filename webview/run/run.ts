/**
 * The panel of a training run, or of two beside each other: what every checkpoint's diagnosis found,
 * over layers and steps.
 */
import { t } from "@vscode/l10n";
import type { ExportFormat, HostToRun, RunStatus } from "../../src/protocol/messages";
import { pairFindings } from "../../src/trainingRun/pairFindings";
import { runFindings } from "../../src/trainingRun/runFindings";
import {
  layersOf,
  runFigures,
  type NamedRun,
  type RunFigure,
  type RunStepReport,
} from "../../src/trainingRun/runReport";
import { element, setText } from "../shared/dom";
import { exportButtons } from "../shared/exportButtons";
import { onNextFrame } from "../shared/nextFrame";
import { segments } from "../shared/segments";
import { Sentences } from "../shared/sentences";
import { followSystemTheme, onThemeChange, readPalette, type Palette } from "../shared/theme";
import { checkbox } from "../shared/toolkit";
import { readTexts } from "../shared/texts";
import { behindStep } from "./behind";
import { runsFacts } from "./facts";
import { LayerChoice } from "./layerChoice";
import { layerState } from "./layerState";
import { lossState } from "./lossState";
import { readRunNavigation, type RunNavigation } from "./navigation";
import type { PlotHighlight } from "./plotSurface";
import { runPng } from "./png";
import "./run.css";
import { connectRunHost, type RunHost } from "./runHost";
import { spreadLayers, stepNumbers } from "./runModel";
import { RunStatusBar } from "./runStatusBar";
import { RunTable, type RunCaptions } from "./runTable";
import { isCrowded, stepAxis, type StepAxis } from "./stepAxis";
import { StepFigure, type StepFigureState } from "./stepFigure";
import type { PlotPlace } from "./stepPlot";
import { StepSection, type StepSectionState } from "./stepSection";

class RunPanel {
  private readonly page: HTMLElement;
  private readonly name = element("h1");
  private readonly facts = element("div");
  private readonly statusBar: RunStatusBar;
  private readonly notices = element("ul", { class: "notices" });
  private readonly sentences = new Sentences({ isLive: false });
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
  /** The run, and perhaps the one beside it; none before the host has told. */
  private runs: readonly NamedRun[] = [];
  private statuses: readonly RunStatus[] = [];
  private hovered: PlotHighlight = nowhere;
  private readonly drawSoon = onNextFrame(() => {
    this.draw();
  });

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
    const events = {
      onHover: (place: PlotPlace | undefined) => {
        this.hovered = place ?? nowhere;
        this.highlight();
      },
      onChoose: (place: PlotPlace) => {
        this.choose(place);
      },
    };
    this.lossFigure = new StepFigure(events, captions.losses, this.lossChoice.node);
    this.figures = {
      variance: new StepFigure(events, captions.steps),
      jacobian: new StepFigure(events, captions.steps),
      pruning: new StepFigure(events, captions.steps),
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
      captions.steps,
    );
    this.table = new RunTable((table) => {
      this.navigate({ table });
    }, captions);
    this.page = element("main", {
      class: "panel run",
      children: [
        element("header", { class: "checkpoint", children: [this.name, this.facts] }),
        this.statusBar.node,
        this.notices,
        element("section", {
          class: "verdict",
          children: [element("h2", { class: "sr-only", text: t("Findings") }), this.sentences.node],
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
    });
    root.replaceChildren(this.page);
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
    if (message.type === "runs") this.runs = message.runs;
    if (message.type === "step") {
      const { place, step } = message;
      this.runs = this.runs.map((one, i) => (i === place ? withStep(one, step) : one));
    }
    this.statuses = message.statuses;
    this.saveSource();
    this.drawSoon();
  }

  /** For a window that is opened again. */
  private saveSource(): void {
    const [shown, other] = this.runs;
    if (!shown) return;
    this.host.saveSource({
      folder: shown.run.folder,
      ...(other ? { other: other.run.folder } : {}),
    });
  }

  private draw(): void {
    const { runs, statuses, navigation, palette } = this;
    if (runs.length === 0) return;
    const names = runs.map(({ name }) => name);
    this.page.classList.toggle("pair", runs.length > 1);
    setText(this.name, names.join(" · "));
    this.name.title = runs.map(({ run }) => run.folder).join("\n");
    this.facts.replaceChildren(
      ...runsFacts(runs).map((text) => element("p", { class: "facts", text })),
    );
    const hasFigures = runs.some(({ run }) => run.steps.some(({ report }) => report));
    this.statusBar.show(statuses, names, hasFigures);
    this.showNotices();
    this.sentences.show(this.findings(), this.pendingFinding());
    this.viewChoice.set(navigation.view);
    this.lossChoice.set(navigation.isPerplexity ? "perplexity" : "loss");
    this.layerChoice.show(this.layers(), this.lineLayers());
    const { axis, loss, figures } = this.states();
    this.logSteps.setChecked(axis.isLog);
    // Without a log there is no table of losses, and what was measured stands with the steps.
    const isLogged = runs.some(({ run }) => run.losses.length > 0);
    this.lossFigure.describeBy(isLogged ? captions.losses : captions.steps);
    this.lossFigure.show(loss, palette);
    for (const one of runFigures) this.figures[one].show(figures[one], palette);
    this.stepSection.show(this.sectionState(), palette);
    this.table.show(runs, navigation);
    this.highlight();
  }

  /** The charts over steps, on one axis. */
  private states(): {
    axis: StepAxis;
    loss: StepFigureState;
    figures: Record<RunFigure, StepFigureState>;
  } {
    const { navigation, palette, runs } = this;
    const steps = stepNumbers(runs);
    const losses = runs
      .flatMap(({ run }) => run.losses)
      .flatMap(({ points }) =>
        [points.at(0)?.step, points.at(-1)?.step].filter((step) => step !== undefined),
      );
    const axis = stepAxis({ steps, losses }, navigation.isLogSteps ?? isCrowded(steps));
    const lines = this.lineLayers();
    return {
      axis,
      loss: lossState(runs, navigation.isPerplexity, axis, palette),
      figures: {
        variance: layerState("variance", runs, lines, axis),
        jacobian: layerState("jacobian", runs, lines, axis),
        pruning: layerState("pruning", runs, lines, axis),
      },
    };
  }

  private sectionState(): StepSectionState {
    const [shown, other] = this.runs as [NamedRun, NamedRun?];
    const { steps } = shown.run;
    const step = this.stepIndex();
    const ghost = this.navigation.ghost ?? (other ? "none" : "first");
    return {
      name: shown.name,
      steps,
      step,
      ...(other ? { other } : {}),
      ghost,
      behind: behindStep(steps, step, ghost, other),
      layers: this.layers(),
      isRunning: this.statuses.some(({ phase }) => phase === "running"),
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
    const { runs } = this;
    if (runs.length === 0) throw new Error(t("There is nothing to draw yet."));
    const { loss, figures } = this.states();
    const picture = {
      name: runs.map(({ name }) => name).join(" · "),
      facts: runsFacts(runs),
      sentences: this.findings(),
      figures: [loss, ...runFigures.map((one) => figures[one])],
      section: this.sectionState(),
    };
    return runPng(picture, this.palette);
  }

  /** What changed over training, or what tells two runs apart. */
  private findings(): string[] {
    const [shown, other] = this.runs;
    if (!shown) return [];
    return other ? pairFindings(shown, other) : runFindings(shown.run.steps);
  }

  private pendingFinding(): string {
    if (this.runs.length > 1) return t("What tells the runs apart is said once both are measured.");
    return this.statuses.some(({ phase }) => phase === "running")
      ? t("What changed over training is said once two steps have been measured.")
      : t("Too little was measured to say what changed over training.");
  }

  private showNotices(): void {
    const { runs, statuses } = this;
    const notes = runs.flatMap(({ name, run }, i) =>
      [...(statuses[i]?.notices ?? []), ...run.problems].map((text) =>
        runs.length > 1 ? `${name}: ${text}` : text,
      ),
    );
    this.notices.replaceChildren(...notes.map((text) => element("li", { text })));
  }

  /** Of the deepest run. */
  private layers(): number {
    return layersOf(this.runs.flatMap(({ run }) => run.steps));
  }

  /** The layers that have a line; undefined while there are heat maps. */
  private lineLayers(): number[] | undefined {
    const { view, layers } = this.navigation;
    const count = this.layers();
    return view === "lines"
      ? (layers ?? spreadLayers(count)).filter((layer) => layer < count)
      : undefined;
  }

  /** Of the run's own steps the chosen one, or the nearest to it; else the last that has been measured. */
  private stepIndex(): number {
    const steps = this.runs[0]?.run.steps ?? [];
    const { step } = this.navigation;
    if (step !== undefined && stepNumbers(this.runs).includes(step)) {
      const distances = steps.map((one) => Math.abs(one.step - step));
      return Math.max(0, distances.indexOf(Math.min(...distances)));
    }
    const measured = steps.findLastIndex(({ report }) => report !== undefined);
    return measured === -1 ? Math.max(0, steps.length - 1) : measured;
  }

  /** The step that is looked at: of either run. */
  private stepNow(): number | undefined {
    const { step } = this.navigation;
    if (step !== undefined && stepNumbers(this.runs).includes(step)) return step;
    return this.runs[0]?.run.steps[this.stepIndex()]?.step;
  }

  private highlight(): void {
    const step = this.hovered.step ?? this.stepNow();
    const layer = this.hovered.layer ?? this.navigation.layer;
    this.lossFigure.highlight({ step, layer: undefined });
    for (const one of runFigures) this.figures[one].highlight({ step, layer });
    this.stepSection.highlight(layer);
  }

  private choose({ step, layer }: PlotPlace): void {
    this.navigate({ step, ...(layer === undefined ? {} : { layer }) });
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

/** A step that came anew, or takes the place of the one of the same step. */
function withStep({ name, run }: NamedRun, step: RunStepReport): NamedRun {
  const others = run.steps.filter((one) => one.step !== step.step);
  return { name, run: { ...run, steps: [...others, step].sort((a, b) => a.step - b.step) } };
}

/** The ids of the headings of the tables. */
const captions: RunCaptions = { steps: "run-table-caption", losses: "run-losses-caption" };

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
