/** The chart of the losses: what training wrote down, and what was measured; of two runs over each other. */
import { t } from "@vscode/l10n";
import { figure, wholeNumber } from "../../src/report/format";
import type { NamedRun } from "../../src/trainingRun/runReport";
import type { Palette } from "../shared/theme";
import { lineStyle } from "./lineDrawing";
import { lossModel, stepNumbers, type LineModel } from "./runModel";
import type { StepAxis } from "./stepAxis";
import type { StepFigureState } from "./stepFigure";

export function lossState(
  runs: readonly NamedRun[],
  isPerplexity: boolean,
  axis: StepAxis,
  palette: Palette,
): StepFigureState {
  const model = lossModel(runs, isPerplexity);
  const unlogged = runs.filter(({ run }) => run.losses.length === 0);
  return {
    title: isPerplexity ? t("Perplexity") : t("Loss"),
    unit: isPerplexity
      ? t("exp of the loss in nats per token, log scale")
      : t("nats per token; measured on the evaluated text, logged by the training"),
    legend: model.lines
      .filter(({ points }) => points.length > 0)
      .map((line) => ({ kind: "line", text: line.label, style: lineStyle(line, 0, palette) })),
    notes: unlogged.map(({ name }) =>
      runs.length > 1
        ? t("No log of losses was found beside the checkpoints of {0}", name)
        : t("No log of losses was found beside the checkpoints"),
    ),
    panes: [
      {
        content: { kind: "lines", model, steps: stepNumbers(runs), layers: 0 },
        height: runs.length > 1 ? 220 : 170,
      },
    ],
    axis,
    readout: ({ step }) => lossReadout(model, step),
  };
}

/** Every line's figure at the step, or the last one before it. */
function lossReadout(model: LineModel, step: number | undefined): string {
  if (step === undefined) return "";
  const figures = model.lines.flatMap(({ name, role, points }) => {
    const point =
      role === "measured"
        ? points.find((one) => one.step === step)
        : points.findLast((one) => one.step <= step);
    if (!point) return [];
    const error = point.high > point.low ? ` (${figure(point.low)} – ${figure(point.high)})` : "";
    return [`${name} ${figure(point.value)}${error}`];
  });
  return [t("Step {0}", wholeNumber(step)), ...figures].join(" · ");
}
