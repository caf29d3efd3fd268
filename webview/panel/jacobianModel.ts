/** How far each layer's Jacobian is from the identity. */
import { t } from "@vscode/l10n";
import { figure, withInterval } from "../../src/report/format";
import { linearAxis, logAxis } from "../shared/axis";
import {
  emptinessOf,
  inSight,
  layerOf,
  measuredPoint,
  reasonFor,
  unmeasuredNotes,
  verdictsOf,
  type ChartModel,
  type MeasuredPoint,
  type ReportView,
} from "./chartModel";

/** @param choice whether a log scale is wanted; a distance of 0, an exact identity, has no place on it */
export function jacobianModel(view: ReportView, choice: { isLog: boolean }): ChartModel {
  const points = jacobianPoints(view);
  const isLog = choice.isLog && points.every(({ value }) => value > 0);
  const first = points[0];
  const last = points.at(-1);
  const ends = inSight(points, view).flatMap((point) => [Math.max(0, point.low), point.high]);
  return {
    title: t("Jacobian-to-identity distance"),
    unit: isLog
      ? t("‖J − I‖ / ‖I‖, a ratio; log scale")
      : t("‖J − I‖ / ‖I‖, a ratio; 0 is a layer that passes its input through"),
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis: isLog ? logAxis(ends) : linearAxis(ends),
    measured: { label: t("measured, 95% interval"), bars: false, band: false, points },
    curves: [],
    verdicts: verdictsOf(view),
    ...emptinessOf(view, "jacobian", points.length > 0),
    notes: unmeasuredNotes(view, "jacobian"),
    summary:
      first && last && first !== last
        ? t(
            "{0} at layer {1} → {2} at layer {3}",
            figure(first.value),
            first.layer,
            figure(last.value),
            last.layer,
          )
        : "",
    readout: (layer) => {
      const jacobian = layerOf(view, layer)?.jacobian;
      if (!jacobian) return reasonFor(view, layer, "jacobian");
      const { identityDistance, standardError, identityCosine, identityCosineStandardError } =
        jacobian;
      return [
        `‖J − I‖ / ‖I‖ ${withInterval(identityDistance, standardError)}`,
        t("cosine of v and Jv {0}", withInterval(identityCosine, identityCosineStandardError)),
      ].join(" · ");
    },
  };
}

function jacobianPoints(view: ReportView): MeasuredPoint[] {
  return Array.from({ length: view.layers }, (_, index) => index).flatMap((index) => {
    const jacobian = layerOf(view, index)?.jacobian;
    return jacobian
      ? [measuredPoint(index, jacobian.identityDistance, jacobian.standardError)]
      : [];
  });
}
