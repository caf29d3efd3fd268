/** The chart of one figure of the layers over the steps: as a heat map, or as lines of some layers. */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import { layersOf, type RunFigure, type RunStepReport } from "../../src/trainingRun/runReport";
import type { PlotHighlight } from "./plotSurface";
import { cellText, figureWords, heatModel, layerLines } from "./runModel";
import type { StepAxis } from "./stepAxis";
import type { StepFigureState } from "./stepFigure";
import type { StepLegendEntry } from "./stepLegend";

/** @param lines the layers that have a line; undefined for a heat map */
export function layerState(
  name: RunFigure,
  steps: readonly RunStepReport[],
  lines: readonly number[] | undefined,
  axis: StepAxis,
): StepFigureState {
  const hasAny = steps.some(({ report }) => report !== undefined);
  const readout = ({ step, layer }: PlotHighlight): string => {
    const entry = step === undefined ? undefined : steps[step];
    if (entry === undefined || layer === undefined) return "";
    return t(
      "Step {0}, layer {1}: {2}",
      wholeNumber(entry.step),
      layer,
      cellText(entry, name, layer),
    );
  };
  return {
    ...figureWords[name](),
    axis,
    readout,
    ...(hasAny ? {} : { emptiness: t("Not measured yet") }),
    ...(lines === undefined ? heatPart(name, steps) : linesPart(name, steps, lines)),
  };
}

type Part = Pick<StepFigureState, "legend" | "notes" | "content" | "height">;

function heatPart(name: RunFigure, steps: readonly RunStepReport[]): Part {
  const model = heatModel(steps, name);
  const isEmpty = model.map.columns.every((column) => column.every((cell) => !cell));
  const verdicts = new Set(model.verdicts.flat());
  const legend: StepLegendEntry[] = [
    ...(isEmpty ? [] : [{ kind: "scale", scale: model.map.scale } as const]),
    ...(["free", "uncertain"] as const)
      .filter((verdict) => verdicts.has(verdict))
      .map((verdict) => ({ kind: "verdict", verdict }) as const),
  ];
  return {
    legend,
    notes: [],
    content: { kind: "heat", model },
    height: Math.min(360, Math.max(120, model.map.layers * 15)) + 30,
  };
}

function linesPart(
  name: RunFigure,
  steps: readonly RunStepReport[],
  lines: readonly number[],
): Part {
  const model = layerLines(steps, name, lines);
  const content = {
    kind: "lines",
    model,
    steps: steps.map(({ step }) => step),
    layers: layersOf(steps),
  } as const;
  return { legend: [], notes: model.notes, content, height: 220 };
}
