/**
 * The report of a training run: the reports of its checkpoints by step, and the losses that the
 * training wrote down. Plain JSON, as the report of one checkpoint is.
 */
import type { LayerReport, Report } from "../diagnosis/report";
import { verdictOf, type Verdict } from "../report/verdict";
import type { LossSeries } from "./lossSeries";

export interface RunReport {
  schemaVersion: 1;
  /** Absolute path of the run's folder. */
  folder: string;
  /** In the order of training. */
  steps: RunStepReport[];
  losses: LossSeries[];
  /** Logs of losses that could not be read, and why. */
  problems: string[];
}

export interface RunStepReport {
  step: number;
  /** Name of the checkpoint: `checkpoint-1000`. */
  name: string;
  /** Absent until it has been measured; without the figures of single documents. */
  report?: Report;
  /** True while it is being measured: the report holds what there is of it so far. */
  isPartial?: boolean;
  /** Why there is no report. */
  failure?: string;
}

/** A run, and what to call it. */
export interface NamedRun {
  name: string;
  run: RunReport;
}

/** What an exported page of a run holds. */
export interface ExportedRun extends NamedRun {
  /** The run that lay beside it. */
  other?: NamedRun;
}

export const runFigures = ["variance", "jacobian", "pruning"] as const;
/** What is followed over training: σ² after a layer, ‖J − I‖ / ‖I‖ of it, ΔNLL without it. */
export type RunFigure = (typeof runFigures)[number];

export interface Measured {
  value: number;
  standardError?: number;
}

/** One figure of one layer. */
export function figureOf(layer: LayerReport | undefined, figure: RunFigure): Measured | undefined {
  switch (figure) {
    case "variance":
      return measured(layer?.outputVariance?.mean, layer?.outputVariance?.standardError);
    case "jacobian":
      return measured(layer?.jacobian?.identityDistance, layer?.jacobian?.standardError);
    case "pruning":
      return measured(layer?.pruning?.deltaNll, layer?.pruning?.standardError);
  }
}

/** The layers of the deepest checkpoint; all of a run have the same, as a rule. */
export function layersOf(steps: readonly RunStepReport[]): number {
  return Math.max(0, ...steps.map(({ report }) => report?.architecture.layers ?? 0));
}

/** How many layers are judged as what; undefined until every layer can be judged. */
export function verdictCounts(report: Report): Readonly<Record<Verdict, number>> | undefined {
  const counts = { needed: 0, free: 0, uncertain: 0 };
  for (const layer of report.layers) {
    const verdict = verdictOf(layer, report.baseline);
    if (verdict === undefined) return undefined;
    counts[verdict]++;
  }
  return report.layers.length === 0 ? undefined : counts;
}

/** Mean distance of the Jacobian from the identity in the deeper half; undefined where one lacks. */
export function deepIdentityDistance({ layers }: Report): number | undefined {
  const deep = layers.slice(Math.floor(layers.length / 2));
  const distances = deep.flatMap((layer) => layer.jacobian?.identityDistance ?? []);
  if (deep.length === 0 || distances.length < deep.length) return undefined;
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

function measured(
  value: number | undefined,
  standardError: number | undefined,
): Measured | undefined {
  if (value === undefined) return undefined;
  return standardError === undefined ? { value } : { value, standardError };
}
