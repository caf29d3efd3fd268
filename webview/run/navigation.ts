/** What a person chose to look at in a run; kept when the panel is hidden. */
import { readNavigation as readPanelNavigation, type ChartChoice } from "../panel/navigation";
import { runFigures, type RunFigure } from "../../src/trainingRun/runReport";

/** What stands behind the step that is looked at. */
export type Ghost = "first" | "previous" | "none" | number;

export interface RunNavigation {
  /** Figures over layer × step, or the lines of some layers over steps. */
  view: "heat" | "lines";
  isPerplexity: boolean;
  /** Undefined: as the steps are spread. */
  isLogSteps?: boolean;
  /** Layers that have a line; undefined: a few spread over depth. */
  layers?: number[];
  /** The step that is looked at; undefined: the last that has been measured. */
  step?: number;
  /** The step that stands behind it; undefined: the first, unless another run does. */
  ghost?: Ghost;
  /** The chosen layer. */
  layer?: number;
  table: RunFigure;
  chart: ChartChoice;
}

/** Takes what an older panel may have saved, field by field. */
export function readRunNavigation(saved: unknown): RunNavigation {
  const fields: Readonly<Record<string, unknown>> =
    typeof saved === "object" && saved !== null ? { ...saved } : {};
  const { view, isPerplexity, isLogSteps, layers, step, ghost, table } = fields;
  const { chart, layer } = readPanelNavigation(saved);
  return {
    view: view === "lines" ? "lines" : "heat",
    isPerplexity: isPerplexity === true,
    ...(typeof isLogSteps === "boolean" ? { isLogSteps } : {}),
    ...(Array.isArray(layers) && layers.every(isIndex) ? { layers } : {}),
    ...(isIndex(step) ? { step } : {}),
    ...(ghost === "first" || ghost === "previous" || ghost === "none" || isIndex(ghost)
      ? { ghost }
      : {}),
    ...(layer === undefined ? {} : { layer }),
    table: runFigures.find((one) => one === table) ?? "variance",
    chart,
  };
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
