/** How far each layer's Jacobian is from the identity. */
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
    title: "Jacobian-to-identity distance",
    unit: `‖J − I‖ / ‖I‖, a ratio; ${isLog ? "log scale" : "0 is a layer that passes its input through"}`,
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis: isLog ? logAxis(ends) : linearAxis(ends),
    measured: { label: "measured", bars: false, band: false, points },
    curves: [],
    verdicts: verdictsOf(view),
    ...emptinessOf(view, "jacobian", points.length > 0),
    notes: unmeasuredNotes(view, "jacobian"),
    summary:
      first && last && first !== last
        ? `${figure(first.value)} at layer ${first.layer} → ${figure(last.value)} at layer ${last.layer}`
        : "",
    readout: (layer) => {
      const jacobian = layerOf(view, layer)?.jacobian;
      if (!jacobian) return reasonFor(view, layer, "jacobian");
      const { identityDistance, standardError, identityCosine, identityCosineStandardError } =
        jacobian;
      return [
        `‖J − I‖ / ‖I‖ ${withInterval(identityDistance, standardError)}`,
        `cosine of v and Jv ${withInterval(identityCosine, identityCosineStandardError)}`,
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
