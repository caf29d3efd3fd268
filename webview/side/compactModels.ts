/** The panel's three charts for little room: the same figures without the fits, in fewer words. */
import { t } from "@vscode/l10n";
import { figure, perplexityCost, withInterval } from "../../src/report/format";
import { logAxis, type ValueAxis } from "../shared/axis";
import { layerOf, reasonFor, type ChartModel, type ReportView } from "../panel/chartModel";
import { jacobianModel } from "../panel/jacobianModel";
import { pruningModel } from "../panel/pruningModel";
import { varianceModel } from "../panel/varianceModel";

export interface CompactModel {
  id: ChartId;
  /** Short enough for a narrow side bar; the whole one is read out. */
  title: string;
  /** What is drawn, and what is read out in full. */
  chart: ChartModel;
  /** Beside the title while no layer is highlighted. */
  summary: string;
  /** Beside the title while this layer is: its figure with the 95% interval. */
  figureOf: (layer: number) => string;
  /** What stands before that figure. */
  symbol: string;
}

export const chartIds = ["variance", "jacobian", "pruning"] as const;
export type ChartId = (typeof chartIds)[number];

/** Which charts a person wants on a log scale; the variance always is. */
export interface ScaleChoice {
  isJacobianLog: boolean;
  isPruningLog: boolean;
}

export function compactModels(view: ReportView, scales: ScaleChoice): CompactModel[] {
  return [
    compactVariance(view),
    compactJacobian(view, scales.isJacobianLog),
    compactPruning(view, scales.isPruningLog),
  ];
}

/** At most three ticks, the first and the last among them: more do not fit. */
export function fewTicks({ kind, ticks }: ValueAxis): number[] {
  if (ticks.length <= 3) return ticks;
  const last = ticks.length - 1;
  const ends = [ticks[0]!, ticks[last]!];
  // On a linear axis a tick beside the middle would look like a mistake.
  if (kind === "linear" && last % 2 === 1) return ends;
  return ends.toSpliced(1, 0, ticks[Math.floor(last / 2)]!);
}

function compactVariance(view: ReportView): CompactModel {
  const model = varianceModel(view);
  const { points } = model.measured;
  const first = points[0];
  const last = points.at(-1);
  return {
    id: "variance",
    title: t("Output variance"),
    // Without the theory's curves the axis fits what was measured.
    chart: {
      ...model,
      curves: [],
      axis: logAxis(points.flatMap((point) => [point.low, point.high])),
    },
    summary: first && last ? `${figure(first.value)} → ${figure(last.value)}` : "",
    symbol: "σ²",
    figureOf: (layer) => {
      const variance = layerOf(view, layer)?.outputVariance;
      return variance
        ? withInterval(variance.mean, variance.standardError)
        : reasonFor(view, layer, "variance");
    },
  };
}

function compactJacobian(view: ReportView, isLog: boolean): CompactModel {
  const chart = jacobianModel(view, { isLog });
  const { points } = chart.measured;
  const first = points[0];
  const last = points.at(-1);
  return {
    id: "jacobian",
    title: t("Jacobian to identity"),
    chart,
    summary: first && last ? `${figure(first.value)} → ${figure(last.value)}` : "",
    symbol: "‖J−I‖",
    figureOf: (layer) => {
      const jacobian = layerOf(view, layer)?.jacobian;
      return jacobian
        ? withInterval(jacobian.identityDistance, jacobian.standardError)
        : reasonFor(view, layer, "jacobian");
    },
  };
}

function compactPruning(view: ReportView, isLog: boolean): CompactModel {
  const costs = (view.report?.layers ?? [])
    .flatMap(({ pruning }) => pruning ?? [])
    .sort((a, b) => a.deltaNll - b.deltaNll);
  const [least, most] = [costs.at(0), costs.at(-1)];
  return {
    id: "pruning",
    title: t("Pruning sensitivity"),
    chart: pruningModel(view, { part: "layer", isLog }),
    summary:
      least && most
        ? `${withoutInterval(perplexityCost(least))} … ${withoutInterval(perplexityCost(most))}`
        : "",
    symbol: t("ppl"),
    figureOf: (layer) => {
      const pruning = layerOf(view, layer)?.pruning;
      return pruning ? perplexityCost(pruning) : reasonFor(view, layer, "pruning");
    },
  };
}

/** `+0.3% (±0.1)` without what is in brackets. */
function withoutInterval(cost: string): string {
  return cost.replace(/ \(.*\)$/, "");
}
