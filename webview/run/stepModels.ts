/** What the charts over layers show at one step, and what stands above them. */
import { t } from "@vscode/l10n";
import { counted, figure, namedLayers, withInterval } from "../../src/report/format";
import {
  runFigures,
  verdictCounts,
  type NamedRun,
  type RunStepReport,
} from "../../src/trainingRun/runReport";
import type { ChartModel, CurveSeries, ReportView } from "../panel/chartModel";
import { jacobianModel } from "../panel/jacobianModel";
import { pruningModel } from "../panel/pruningModel";
import { varianceModel } from "../panel/varianceModel";
import { logAxis } from "../shared/axis";
import { nearestMeasured, type Behind } from "./behind";
import { cellText, viewOfStep } from "./runModel";

/** The step that is looked at, and what is laid behind it. */
export interface StepView {
  /** What the run is called. */
  name: string;
  steps: readonly RunStepReport[];
  /** Index of the step that is looked at. */
  step: number;
  /** The run beside it. */
  other?: NamedRun;
  behind: readonly Behind[];
  layers: number;
  isRunning: boolean;
}

/** The panel's three charts, with what stands behind in place of the fits and theories. */
export function stepModels({
  steps,
  step,
  name,
  other,
  layers,
  behind,
  isRunning,
}: StepView): ChartModel[] {
  const view = { ...viewOfStep(steps[step]?.report, layers), isRunning };
  const others = behind.map((one) => ({
    ...one,
    models: modelsOf({ ...view, report: one.report }),
  }));
  return modelsOf(view).map((model, i) => {
    const curves = others.map(({ label, role, models }): CurveSeries => ({
      label,
      role,
      points: models[i]?.measured.points ?? [],
    }));
    const points = [
      ...model.measured.points,
      ...others.flatMap((one) => one.models[i]!.measured.points),
    ];
    const values = points.flatMap(({ value, low, high }) => [Math.max(low, value / 2), high]);
    const measured = other ? { ...model.measured, label: name } : model.measured;
    const axis = model.axis.kind === "log" ? logAxis(values) : model.axis;
    const beside = others.filter(({ role }) => role === "otherRun");
    return {
      ...model,
      measured,
      curves,
      axis,
      notes: [
        ...model.notes,
        ...beside.flatMap(({ label, models }) => belowNote(label, models[i]!)),
      ],
      readout: (layer) =>
        [
          other ? `${name}: ${model.readout(layer)}` : model.readout(layer),
          ...beside.map((one) => `${one.label}: ${cellText(one, runFigures[i]!, layer)}`),
        ].join(" · "),
    };
  });
}

/** In the order of `runFigures`. */
function modelsOf(view: ReportView): ChartModel[] {
  return [
    varianceModel(view),
    jacobianModel(view, { isLog: true }),
    pruningModel(view, { part: "layer", isLog: true }),
  ];
}

/** What another run's line leaves out. */
function belowNote(label: string, { belowAxis }: ChartModel): string[] {
  const layers = belowAxis?.points.map(({ layer }) => layer) ?? [];
  if (layers.length === 0) return [];
  return [t("{0}: below the log scale at {1}", label, namedLayers(layers))];
}

/** One line for each run at the step that is looked at. */
export function sectionFacts({ name, steps, step, other }: StepView): string[] {
  const entry = steps[step];
  if (!entry) return [""];
  if (!other) return [stepFacts(entry)];
  const beside = nearestMeasured(other.run, entry.step);
  return [
    `${name}: ${stepFacts(entry)}`,
    ...(beside ? [`${other.name}: ${stepFacts(beside)}`] : []),
  ];
}

/** `perplexity 34.1 (NLL 3.53 ± 0.05) · 9 layers needed, 2 free, 1 uncertain` */
function stepFacts({ name, report, failure }: RunStepReport): string {
  if (failure !== undefined) return `${name} · ${t("not measured: {0}", failure)}`;
  if (report === undefined) return `${name} · ${t("not measured yet")}`;
  const { baseline } = report;
  const counts = verdictCounts(report);
  return [
    name,
    ...(baseline?.perplexity === undefined
      ? []
      : [
          t(
            "perplexity {0} (NLL {1})",
            figure(baseline.perplexity),
            withInterval(baseline.nll, baseline.standardError),
          ),
        ]),
    ...(counts
      ? [
          t(
            "{0} needed, {1} free, {2} uncertain",
            counted(counts.needed, "layer"),
            counts.free,
            counts.uncertain,
          ),
        ]
      : []),
  ].join(" · ");
}
