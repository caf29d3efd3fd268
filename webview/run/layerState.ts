/**
 * The chart of one figure of the layers over the steps: as a heat map, or as lines of some layers. Two
 * runs have a plot each, on the same scale.
 */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import { layersOf, type NamedRun, type RunFigure } from "../../src/trainingRun/runReport";
import type { PlotHighlight } from "./plotSurface";
import { cellText, figureWords, heatModels, layerLines } from "./runModel";
import type { StepAxis } from "./stepAxis";
import type { StepFigureState, StepPaneState } from "./stepFigure";
import type { StepLegendEntry } from "./stepLegend";

/** @param lines the layers that have a line; undefined for a heat map */
export function layerState(
  figure: RunFigure,
  runs: readonly NamedRun[],
  lines: readonly number[] | undefined,
  axis: StepAxis,
): StepFigureState {
  const { panes, ...part } = lines === undefined ? heats(figure, runs) : plots(figure, runs, lines);
  return {
    ...figureWords[figure](),
    ...part,
    axis,
    panes: panes.map((pane, place) => {
      const { name, run } = runs[place]!;
      const hasAny = run.steps.some(({ report }) => report !== undefined);
      return {
        ...pane,
        ...(runs.length > 1 ? { name } : {}),
        ...(hasAny ? {} : { emptiness: t("Not measured yet") }),
      };
    }),
    readout: (place) => readoutOf(figure, runs, place),
  };
}

/** The figure of every run at a place: `Step 1,000, layer 3: σ² 12.7 ± 0.3`. */
function readoutOf(
  figure: RunFigure,
  runs: readonly NamedRun[],
  { step, layer }: PlotHighlight,
): string {
  if (step === undefined || layer === undefined) return "";
  const texts = runs.map(({ name, run }) => {
    const entry = run.steps.find((one) => one.step === step);
    const text = entry ? cellText(entry, figure, layer) : t("no checkpoint");
    return runs.length > 1 ? `${name} ${text}` : text;
  });
  return t("Step {0}, layer {1}: {2}", wholeNumber(step), layer, texts.join(" · "));
}

interface Part {
  legend: StepLegendEntry[];
  notes: string[];
  /** One for each run. */
  panes: StepPaneState[];
}

function heats(figure: RunFigure, runs: readonly NamedRun[]): Part {
  const models = heatModels(
    runs.map(({ run }) => run.steps),
    figure,
  );
  const cells = models.flatMap(({ map }) => map.columns.flat());
  const verdicts = new Set(models.flatMap((model) => model.verdicts.flat()));
  const scale = models[0]?.map.scale;
  const legend: StepLegendEntry[] = [
    ...(scale && cells.some((cell) => cell) ? [{ kind: "scale", scale } as const] : []),
    ...(["free", "uncertain"] as const)
      .filter((verdict) => verdicts.has(verdict))
      .map((verdict) => ({ kind: "verdict", verdict }) as const),
  ];
  const panes = models.map((model) => ({
    content: { kind: "heat", model } as const,
    height: Math.min(360, Math.max(120, model.map.layers * 15)) + 30,
  }));
  return { legend, notes: [], panes };
}

function plots(figure: RunFigure, runs: readonly NamedRun[], lines: readonly number[]): Part {
  const models = layerLines(
    runs.map(({ run }) => run.steps),
    figure,
    lines,
  );
  const hidden = models.reduce((sum, model) => sum + model.hidden, 0);
  const notes =
    hidden > 0
      ? [t("A log scale has no place for {0} costs at or below zero: see the table", hidden)]
      : [];
  const panes = models.map((model, place) => {
    const { steps } = runs[place]!.run;
    const numbers = steps.map(({ step }) => step);
    return {
      content: { kind: "lines", model, steps: numbers, layers: layersOf(steps) } as const,
      height: 220,
    };
  });
  return { legend: [], notes, panes };
}
