/** The panel of a training run: what every checkpoint's diagnosis found, over layers and steps. */
import type { HostToRun, RunStatus } from "../../src/protocol/messages";
import {
  counted,
  familyName,
  figure,
  largeCount,
  schemeName,
  wholeNumber,
} from "../../src/report/format";
import type { ColourScale } from "../../src/trainingRun/heatMap";
import { runFindings } from "../../src/trainingRun/runFindings";
import {
  layersOf,
  runFigures,
  type RunFigure,
  type RunReport,
  type RunStepReport,
} from "../../src/trainingRun/runReport";
import { verdictGlyph } from "../panel/glyphs";
import { element, setText, svgElement } from "../shared/dom";
import { onThemeChange, readPalette, type Palette } from "../shared/theme";
import { checkbox } from "../shared/toolkit";
import { heatGradient } from "./colourScale";
import { readRunNavigation, type RunNavigation } from "./navigation";
import "./run.css";
import { connectRunHost, type RunHost } from "./runHost";
import {
  cellText,
  figureWords,
  heatModel,
  layerLines,
  lossModel,
  spreadLayers,
  type LineModel,
} from "./runModel";
import { RunStatusBar } from "./runStatusBar";
import { RunTable } from "./runTable";
import { isCrowded, stepAxis, type StepAxis } from "./stepAxis";
import { StepFigure } from "./stepFigure";
import { isLightPage, lineStyle, type PlotHighlight, type PlotPlace } from "./stepPlot";
import { StepSection, type Behind } from "./stepSection";

class RunPanel {
  private readonly name = element("h1");
  private readonly facts = element("p", { class: "facts" });
  private readonly statusBar: RunStatusBar;
  private readonly notices = element("ul", { class: "notices" });
  private readonly sentences = element("div", { class: "sentences" });
  private readonly viewChoice = segments("View", { heat: "Heat maps", lines: "Lines" }, (view) => {
    this.navigate({ view });
  });
  private readonly lossChoice = segments(
    "Scale of the loss",
    { loss: "Loss", perplexity: "Perplexity" },
    (choice) => {
      this.navigate({ isPerplexity: choice === "perplexity" });
    },
  );
  private readonly logSteps = checkbox("Log steps", (isLogSteps) => {
    this.navigate({ isLogSteps });
  });
  private readonly layerChoice = element("fieldset", { class: "layer-choice" });
  private readonly lossFigure: StepFigure;
  private readonly figures: Readonly<Record<RunFigure, StepFigure>>;
  private readonly stepSection: StepSection;
  private readonly table: RunTable;
  private navigation: RunNavigation;
  private palette: Palette = readPalette();
  private run: RunReport | undefined;
  private status: RunStatus | undefined;
  private other: { name: string; run: RunReport } | undefined;
  private hovered: PlotHighlight = nowhere;
  private isDrawDue = false;
  private shownLayers = "";

  constructor(
    root: HTMLElement,
    private readonly host: RunHost,
  ) {
    this.navigation = readRunNavigation(host.savedNavigation());
    this.statusBar = new RunStatusBar(host.post);
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
            children: [element("h2", { class: "sr-only", text: "Findings" }), this.sentences],
          }),
          element("section", {
            class: "charts",
            attributes: { "aria-label": "Charts over training" },
            children: [
              element("div", {
                class: "layer-bar",
                children: [this.viewChoice.node, this.logSteps.node],
              }),
              this.lossFigure.node,
              this.layerChoice,
              ...runFigures.map((one) => this.figures[one].node),
              element("p", { class: "axis-name", text: "step of training" }),
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
    this.drawSoon();
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
    const stepNumbers = steps.map(({ step }) => step);
    const isLog = navigation.isLogSteps ?? isCrowded(stepNumbers);
    const losses = run.losses.flatMap(({ points }) =>
      [points.at(0)?.step, points.at(-1)?.step].filter((step) => step !== undefined),
    );
    const axis = stepAxis({ steps: stepNumbers, losses }, isLog);
    setText(this.facts, runFacts(steps));
    this.statusBar.show(status, this.other !== undefined);
    const notes = [...status.notices, ...run.problems];
    this.notices.replaceChildren(...notes.map((text) => element("li", { text })));
    this.showFindings(steps, status);
    this.viewChoice.set(navigation.view);
    this.lossChoice.set(navigation.isPerplexity ? "perplexity" : "loss");
    this.logSteps.setChecked(isLog);
    this.showLoss(run, axis);
    this.showLayerChoice(layersOf(steps));
    for (const one of runFigures) this.showFigure(one, steps, axis);
    const at = this.stepIndex();
    this.stepSection.show(
      {
        steps,
        step: at,
        ghost: navigation.ghost,
        behind: this.behind(at),
        layers: layersOf(steps),
        isRunning: status.phase === "running",
      },
      palette,
    );
    this.table.show(steps, navigation.table);
    this.highlight();
  }

  private showFindings(steps: readonly RunStepReport[], status: RunStatus): void {
    const texts = runFindings(steps);
    const pending =
      status.phase === "running"
        ? "What changed over training is said once two steps have been measured."
        : "Too little was measured to say what changed over training.";
    const next = texts.length > 0 ? texts : [pending];
    const isSame =
      next.join("\n") === [...this.sentences.children].map((p) => p.textContent).join("\n");
    if (isSame) return;
    this.sentences.replaceChildren(
      ...next.map((text) => element("p", { text, class: texts.length > 0 ? "" : "pending" })),
    );
  }

  private showLoss(run: RunReport, axis: StepAxis): void {
    const { palette } = this;
    const { isPerplexity } = this.navigation;
    const model = lossModel(run.steps, run.losses, isPerplexity);
    this.lossFigure.show(
      {
        title: isPerplexity ? "Perplexity" : "Loss",
        unit: isPerplexity
          ? "exp of the loss in nats per token, log scale"
          : "nats per token; measured on the evaluated text, logged by the training",
        legend: model.lines
          .filter(({ points }) => points.length > 0)
          .map((line) => legendItem(line.label, lineStyle(line, 0, palette))),
        notes: run.losses.length === 0 ? ["No log of losses was found beside the checkpoints"] : [],
        content: { kind: "lines", model, steps: run.steps.map(({ step }) => step), layers: 0 },
        axis,
        height: 170,
        readout: ({ step }) => lossReadout(model, run.steps, step),
      },
      palette,
    );
  }

  private showFigure(name: RunFigure, steps: readonly RunStepReport[], axis: StepAxis): void {
    const { palette, navigation } = this;
    const { title, unit } = figureWords[name];
    const layers = layersOf(steps);
    const hasAny = steps.some(({ report }) => report !== undefined);
    const readout = ({ step, layer }: PlotHighlight): string => {
      const entry = step === undefined ? undefined : steps[step];
      if (entry === undefined || layer === undefined) return "";
      return `Step ${wholeNumber(entry.step)}, layer ${layer}: ${cellText(entry, name, layer)}`;
    };
    const shared = {
      title,
      unit,
      axis,
      readout,
      ...(hasAny ? {} : { emptiness: "Not measured yet" }),
    };
    if (navigation.view === "heat") {
      const model = heatModel(steps, name);
      const isEmpty = model.map.columns.every((column) => column.every((cell) => !cell));
      const height = Math.min(360, Math.max(120, layers * 15)) + 30;
      const verdicts = new Set(model.verdicts.flat());
      this.figures[name].show(
        {
          ...shared,
          legend: [
            ...(isEmpty ? [] : [scaleLegend(model.map.scale, palette)]),
            ...(["free", "uncertain"] as const)
              .filter((verdict) => verdicts.has(verdict))
              .map((verdict) => element("span", { children: [verdictGlyph(verdict), verdict] })),
          ],
          notes: [],
          content: { kind: "heat", model },
          height,
        },
        palette,
      );
      return;
    }
    const model = layerLines(steps, name, this.lineLayers(layers));
    this.figures[name].show(
      {
        ...shared,
        legend: [],
        notes: model.notes,
        content: { kind: "lines", model, steps: steps.map(({ step }) => step), layers },
        height: 220,
      },
      palette,
    );
  }

  /** One press for each layer, to give it a line or take it away. */
  private showLayerChoice(layers: number): void {
    this.layerChoice.hidden = this.navigation.view !== "lines" || layers === 0;
    const chosen = this.lineLayers(layers);
    const next = JSON.stringify([layers, chosen, isLightPage(this.palette)]);
    if (this.layerChoice.hidden || next === this.shownLayers) return;
    this.shownLayers = next;
    const focused = document.activeElement?.getAttribute("data-layer-choice");
    const press = (text: string, label: string, pressed: boolean | undefined, to: number[]) => {
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
        this.navigate({ layers: to });
      });
      return node;
    };
    const all = Array.from({ length: layers }, (_, layer) => layer);
    this.layerChoice.replaceChildren(
      element("legend", { text: "Layers with a line" }),
      ...all.map((layer) => {
        const has = chosen.includes(layer);
        const to = has
          ? chosen.filter((one) => one !== layer)
          : [...chosen, layer].sort((a, b) => a - b);
        return press(String(layer), `Layer ${layer}`, has, to);
      }),
      press("All", "All layers", undefined, all),
      press("Five", "Five layers spread over depth", undefined, spreadLayers(layers)),
    );
    if (focused)
      this.layerChoice
        .querySelector<HTMLElement>(`[data-layer-choice="${CSS.escape(focused)}"]`)
        ?.focus();
  }

  private lineLayers(layers: number): number[] {
    return (this.navigation.layers ?? spreadLayers(layers)).filter((layer) => layer < layers);
  }

  /** What stands behind the charts of a step: another step, and the other run at about that step. */
  private behind(at: number): Behind[] {
    const steps = this.run?.steps ?? [];
    const { ghost } = this.navigation;
    const index =
      ghost === "first"
        ? steps.findIndex(({ report }) => report)
        : ghost === "previous"
          ? at - 1
          : ghost === "none"
            ? -1
            : steps.findIndex(({ step }) => step === ghost);
    const entry = index === at ? undefined : steps[index];
    const behind: Behind[] = entry?.report
      ? [{ label: `step ${wholeNumber(entry.step)}`, role: "ghost", report: entry.report }]
      : [];
    const wanted = steps[at]?.step;
    const measured = (this.other?.run.steps ?? []).filter(({ report }) => report !== undefined);
    if (wanted === undefined || measured.length === 0) return behind;
    const nearest = measured.reduce((a, b) =>
      Math.abs(b.step - wanted) < Math.abs(a.step - wanted) ? b : a,
    );
    return [
      ...behind,
      {
        label: `${this.other?.name ?? ""}, step ${wholeNumber(nearest.step)}`,
        role: "otherRun",
        report: nearest.report!,
      },
    ];
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

/** `LLaMA · Pre-LN · 12 layers · 134 million parameters · 4 checkpoints, steps 250 to 2,600` */
function runFacts(steps: readonly RunStepReport[]): string {
  const report = steps.find((step) => step.report)?.report;
  const [first, last] = [steps.at(0), steps.at(-1)];
  return [
    ...(report
      ? [
          familyName(report.architecture.family),
          schemeName(report.architecture.normScheme),
          counted(report.architecture.layers, "layer"),
          `${largeCount(report.checkpoint.parameters)} parameters`,
        ]
      : []),
    ...(first && last
      ? [
          `${counted(steps.length, "checkpoint")}, steps ${wholeNumber(first.step)} to ${wholeNumber(last.step)}`,
        ]
      : []),
  ].join(" · ");
}

/** Every line's figure at the step, or the last one before it. */
function lossReadout(
  model: LineModel,
  steps: readonly RunStepReport[],
  index: number | undefined,
): string {
  const step = index === undefined ? undefined : steps[index]?.step;
  if (step === undefined) return "";
  const figures = model.lines.flatMap(({ label, role, points }) => {
    const point =
      role === "measured"
        ? points.find((one) => one.step === step)
        : points.findLast((one) => one.step <= step);
    if (!point) return [];
    const error = point.high > point.low ? ` (${figure(point.low)} – ${figure(point.high)})` : "";
    return [`${label.replace(/,.*| \(.*/, "")} ${figure(point.value)}${error}`];
  });
  return [`Step ${wholeNumber(step)}`, ...figures].join(" · ");
}

function legendItem(
  text: string,
  { colour, dash, width, marker }: ReturnType<typeof lineStyle>,
): HTMLElement {
  const line = svgElement("path", { d: "M1 7H25", "stroke-dasharray": dash.join(" ") });
  const mark =
    marker === "circle"
      ? [svgElement("circle", { cx: "13", cy: "7", r: "3" })]
      : marker === "square"
        ? [svgElement("rect", { x: "10.5", y: "4.5", width: "5", height: "5" })]
        : [];
  const sample = svgElement(
    "svg",
    { class: "sample", viewBox: "0 0 26 14", "aria-hidden": "true" },
    [line, ...mark],
  );
  sample.style.stroke = colour;
  sample.style.fill = marker === "circle" ? colour : "var(--fathom-background)";
  sample.style.strokeWidth = String(width);
  return element("span", { children: [sample, text] });
}

/** The colours from end to end, with the figures at its ends and in its middle. */
function scaleLegend(scale: ColourScale, palette: Palette): HTMLElement {
  const { kind, min, max, isOpenBelow, isOpenAbove } = scale;
  const strip = element("span", { class: "scale-strip", attributes: { "aria-hidden": "true" } });
  strip.style.background = heatGradient(isLightPage(palette));
  const middle = kind === "log" ? Math.sqrt(min * max) : (min + max) / 2;
  return element("span", {
    class: "scale",
    children: [
      element("span", { text: `${isOpenBelow ? "≤ " : ""}${short(min)}` }),
      element("span", {
        class: "scale-middle",
        children: [strip, element("span", { class: "scale-mid", text: short(middle) })],
      }),
      element("span", { text: `${isOpenAbove ? "≥ " : ""}${short(max)}` }),
    ],
  });
}

/** A figure without the zeros at its end. */
function short(value: number): string {
  return figure(value)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}

interface Segments<Choice extends string> {
  node: HTMLElement;
  set: (choice: Choice) => void;
}

/** One of a few, side by side. */
function segments<Choice extends string>(
  label: string,
  choices: Readonly<Record<Choice, string>>,
  onChoice: (choice: Choice) => void,
): Segments<Choice> {
  const name = label.replaceAll(" ", "-");
  const inputs = new Map<string, HTMLInputElement>();
  const labels = (Object.entries(choices) as [Choice, string][]).map(([choice, text]) => {
    const input = element("input", { attributes: { type: "radio", name } });
    input.addEventListener("change", () => {
      onChoice(choice);
    });
    inputs.set(choice, input);
    return element("label", { children: [input, element("span", { text })] });
  });
  return {
    node: element("fieldset", {
      class: "segments",
      children: [element("legend", { class: "sr-only", text: label }), ...labels],
    }),
    set: (choice) => {
      for (const [one, input] of inputs) input.checked = one === choice;
    },
  };
}

const root = document.getElementById("root");
if (root) new RunPanel(root, connectRunHost());
