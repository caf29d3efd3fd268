/** The headline figures of a report as estimates that can be compared with those of another. */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import {
  combination,
  identityDistance,
  isAbsent,
  logVariance,
  removalCost,
  type Absent,
  type LinearEstimate,
} from "./linearEstimate";

/** log σ² after the last layer less that after the first. */
export function growthOf(report: Report): LinearEstimate | Absent {
  const last = report.architecture.layers - 1;
  if (last < 1) return { reason: t("there is only one layer") };
  const [from, to] = [logVariance(report, 0), logVariance(report, last)];
  if (isAbsent(from)) return { reason: t("layer {0}: {1}", 0, from.reason) };
  if (isAbsent(to)) return { reason: t("layer {0}: {1}", last, to.reason) };
  return combination([
    { weight: 1, estimate: to },
    { weight: -1, estimate: from },
  ]);
}

/** Mean ‖J − I‖ / ‖I‖ of the deep half. */
export function deepDistanceOf(report: Report): LinearEstimate | Absent {
  return deepMean(report, identityDistance);
}

/** Mean ΔNLL of the deep half, in nats per token. */
export function deepRemovalOf(report: Report): LinearEstimate | Absent {
  return deepMean(report, removalCost);
}

/** The mean over the layers of the deep half, if every one of them has the figure. */
function deepMean(
  report: Report,
  figure: (report: Report, index: number) => LinearEstimate | Absent,
): LinearEstimate | Absent {
  const start = deepStart(report);
  const count = report.architecture.layers - start;
  const layers = Array.from({ length: count }, (_, n) => figure(report, start + n));
  const missing = layers.findIndex(isAbsent);
  const reason = layers.find(isAbsent)?.reason;
  if (reason !== undefined) return { reason: t("layer {0}: {1}", start + missing, reason) };
  return combination(
    layers.flatMap((estimate) => (isAbsent(estimate) ? [] : [{ weight: 1 / count, estimate }])),
  );
}

/** First layer of the deep half, which is the larger where the number of layers is odd. */
function deepStart(report: Report): number {
  return Math.floor(report.architecture.layers / 2);
}
