/** What the charts over training show, free of how it is drawn. */
import { t } from "@vscode/l10n";
import { layerOf, type ReportView } from "../panel/chartModel";
import { linearAxis, logAxis, type ValueAxis } from "../shared/axis";
import {
  absent,
  figure,
  perplexityCost,
  signedWithInterval,
  withInterval,
  z95,
} from "../../src/report/format";
import { verdictName, verdictOf, type Verdict } from "../../src/report/verdict";
import { heatMapsOf, type HeatMap } from "../../src/trainingRun/heatMap";
import { thinned } from "../../src/trainingRun/lossSeries";
import {
  figureOf,
  layersOf,
  type NamedRun,
  type RunFigure,
  type RunStepReport,
} from "../../src/trainingRun/runReport";

export interface FigureWords {
  title: string;
  unit: string;
}

export const figureWords: Readonly<Record<RunFigure, () => FigureWords>> = {
  variance: () => ({
    title: t("Output variance"),
    unit: t("σ² of the residual stream after each layer, squared units, log scale"),
  }),
  jacobian: () => ({
    title: t("Jacobian-to-identity distance"),
    unit: t("‖J − I‖ / ‖I‖, a ratio, log scale"),
  }),
  pruning: () => ({
    title: t("Pruning sensitivity"),
    unit: t("ΔNLL without the layer, nats per token, log scale"),
  }),
};

/** One line over steps; its points have intervals where they were measured by us. */
export interface StepLine {
  label: string;
  /** Shorter, to stand before one of its figures. */
  name: string;
  /** `loss` and `heldOut` come from logs, `measured` from diagnoses, `layer` has a colour by depth. */
  role: "loss" | "heldOut" | "measured" | "layer";
  layer?: number;
  /** Place of its run among two; absent where there is one, or each has a chart of its own. */
  place?: number;
  hasMarkers: boolean;
  points: StepPoint[];
}

export interface StepPoint {
  step: number;
  value: number;
  low: number;
  high: number;
}

export interface LineModel {
  axis: ValueAxis;
  lines: StepLine[];
  /** How many figures the axis has no place for. */
  hidden: number;
}

/** Points of one line that a chart of any width can tell apart. */
const drawnPoints = 1500;

/**
 * The losses that training wrote down and the NLL that was measured, or what both are as perplexity;
 * those of two runs over each other.
 */
export function lossModel(runs: readonly NamedRun[], isPerplexity: boolean): LineModel {
  const lines = lossLines(runs, isPerplexity).map((line) => ({
    ...line,
    points: thinned(line.points, drawnPoints),
  }));
  const values = lines.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  return { axis: isPerplexity ? logAxis(values) : aroundAxis(values), lines, hidden: 0 };
}

/** The lines of the losses with all their points. */
export function lossLines(runs: readonly NamedRun[], isPerplexity: boolean): StepLine[] {
  if (runs.length === 1) return linesOfRun(runs[0]!, isPerplexity);
  return runs.flatMap((one, place) =>
    linesOfRun(one, isPerplexity).map((line) => ({
      ...line,
      label: `${one.name}: ${line.label}`,
      name: `${one.name} ${line.name}`,
      place,
    })),
  );
}

function linesOfRun({ run: { steps, losses } }: NamedRun, isPerplexity: boolean): StepLine[] {
  const shown = (nll: number): number => (isPerplexity ? Math.exp(nll) : nll);
  const logged = losses.map(({ name, source, kind, points }): StepLine => ({
    label: `${name} (${source})`,
    name,
    role: kind === "heldOut" ? "heldOut" : "loss",
    hasMarkers: points.length <= 40,
    points: points.map(({ step, value }) => {
      const at = shown(value);
      return { step, value: at, low: at, high: at };
    }),
  }));
  const measured = steps.flatMap(({ step, report }): StepPoint[] => {
    const baseline = report?.baseline;
    if (baseline === undefined) return [];
    const reach = z95 * (baseline.standardError ?? 0);
    const [low, high] = [shown(baseline.nll - reach), shown(baseline.nll + reach)];
    return [{ step, value: shown(baseline.nll), low, high }];
  });
  return [
    ...logged,
    {
      label: t("measured, 95% interval"),
      name: t("measured"),
      role: "measured",
      hasMarkers: true,
      points: measured,
    },
  ];
}

/** The steps of all runs, each once, in the order of training. */
export function stepNumbers(runs: readonly NamedRun[]): number[] {
  const all = new Set(runs.flatMap(({ run }) => run.steps.map(({ step }) => step)));
  return [...all].sort((a, b) => a - b);
}

/** Losses lie far from zero and close to each other: the axis need not begin at zero. */
function aroundAxis(values: readonly number[]): ValueAxis {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return linearAxis([0, 1]);
  const low = finite.reduce((a, b) => Math.min(a, b));
  const fromZero = linearAxis(finite.map((value) => value - low));
  const shift = Math.floor(low);
  const shifted = linearAxis(finite.map((value) => value - shift));
  if (low < fromZero.max / 2) return linearAxis(finite);
  return {
    kind: "linear",
    min: shifted.min + shift,
    max: shifted.max + shift,
    ticks: shifted.ticks.map((tick) => Number((tick + shift).toPrecision(12))),
  };
}

/** One figure of chosen layers over the steps, for each run; all on one axis. */
export function layerLines(
  runs: readonly (readonly RunStepReport[])[],
  figure: RunFigure,
  layers: readonly number[],
): LineModel[] {
  // The axis is that of all layers, so that choosing layers moves nothing.
  const values = runs.flatMap((steps) =>
    Array.from({ length: layersOf(steps) }, (_, layer) => layer).flatMap((layer) =>
      layerPoints(steps, figure, layer).map(({ value }) => value),
    ),
  );
  const axis = logAxis(values);
  return runs.map((steps) => {
    const known = layers.filter((layer) => layer < layersOf(steps));
    const all = known.map((layer) => layerPoints(steps, figure, layer));
    const lines = known.map((layer, i): StepLine => ({
      label: t("layer {0}", layer),
      name: t("layer {0}", layer),
      role: "layer",
      layer,
      hasMarkers: true,
      points: all[i]!.filter(({ value }) => value > 0),
    }));
    const hidden = all.flat().filter(({ value }) => value <= 0).length;
    return { axis, lines, hidden };
  });
}

function layerPoints(
  steps: readonly RunStepReport[],
  figure: RunFigure,
  layer: number,
): StepPoint[] {
  return steps.flatMap(({ step, report }) => {
    const measured = figureOf(
      report?.layers.find(({ index }) => index === layer),
      figure,
    );
    if (measured === undefined) return [];
    const { value, standardError = 0 } = measured;
    const reach = z95 * standardError;
    return [{ step, value, low: value - reach, high: value + reach }];
  });
}

/** The layers that the lines begin with: the first, the last, and three between them. */
export function spreadLayers(layers: number): number[] {
  if (layers <= 5) return Array.from({ length: layers }, (_, i) => i);
  return [0, 1, 2, 3, 4].map((i) => Math.round((i * (layers - 1)) / 4));
}

export interface HeatModel {
  map: HeatMap;
  steps: number[];
  /** By step and layer. */
  verdicts: (Verdict | undefined)[][];
}

/** One for each run, on one scale. */
export function heatModels(
  runs: readonly (readonly RunStepReport[])[],
  figure: RunFigure,
): HeatModel[] {
  return heatMapsOf(runs, figure).map((map, place) => {
    const steps = runs[place] ?? [];
    return { map, steps: steps.map(({ step }) => step), verdicts: verdictsOf(steps, map) };
  });
}

function verdictsOf(
  steps: readonly RunStepReport[],
  { figure, layers }: HeatMap,
): HeatModel["verdicts"] {
  return steps.map(({ report }) =>
    Array.from({ length: layers }, (_, index) => {
      const layer = layerOf(viewOfStep(report, layers), index);
      return layer && figure === "pruning" ? verdictOf(layer, report?.baseline) : undefined;
    }),
  );
}

export function viewOfStep(report: RunStepReport["report"], layers: number): ReportView {
  return { report, layers: report?.architecture.layers ?? layers, isRunning: false };
}

/** The figure of one layer at one step in words, or why there is none. */
export function cellText(
  entry: Pick<RunStepReport, "report" | "failure"> | undefined,
  figure: RunFigure,
  layer: number,
): string {
  if (entry === undefined) return "";
  const { report, failure } = entry;
  if (failure !== undefined) return t("not measured: {0}", failure);
  if (report === undefined) return t("not measured yet");
  const layerReport = report.layers.find(({ index }) => index === layer);
  const measured = figureOf(layerReport, figure);
  if (measured === undefined) {
    const stated = layerReport?.unmeasured?.find(({ metric }) => metric === figure)?.reason;
    return stated ?? t("not measured");
  }
  const { value, standardError } = measured;
  switch (figure) {
    case "variance":
      return `σ² ${withInterval(value, standardError)}`;
    case "jacobian":
      return `‖J − I‖ / ‖I‖ ${withInterval(value, standardError)}`;
    case "pruning": {
      const verdict = layerReport && verdictOf(layerReport, report.baseline);
      const cost = t(
        "ΔNLL {0}, perplexity {1}",
        signedWithInterval(value, standardError),
        perplexityCost({
          deltaNll: value,
          ...(standardError === undefined ? {} : { standardError }),
        }),
      );
      return verdict === undefined ? cost : `${cost}, ${verdictName(verdict)}`;
    }
  }
}

/** As short as a table's cell. */
export function cellFigure(entry: RunStepReport, name: RunFigure, layer: number): string {
  const measured = figureOf(
    entry.report?.layers.find(({ index }) => index === layer),
    name,
  );
  return measured === undefined ? absent : figure(measured.value);
}
