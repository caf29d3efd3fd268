/** Thresholds that a person wants to hear of while training goes on. */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import { figure } from "../report/format";
import { deepIdentityDistance, verdictCounts } from "./runReport";

/** Each is off where it is absent. */
export interface AlertRules {
  /** Warn when the variance after the last layer exceeds this. */
  lastLayerVariance?: number;
  /** Warn when the share of layers that are needed falls below this. */
  neededShare?: number;
  /** Warn when the Jacobian's mean distance from the identity in the deeper half falls below this. */
  deepIdentityDistance?: number;
}

export interface Alert {
  rule: keyof AlertRules;
  value: number;
  threshold: number;
  /** What was measured, and what had been asked for. */
  text: string;
}

/** The thresholds that a report is beyond; a figure that was not measured crosses none. */
export function alertsOf(report: Report, rules: AlertRules): Alert[] {
  const last = report.layers.at(-1);
  const variance = last?.outputVariance?.mean;
  const counts = verdictCounts(report);
  const distance = deepIdentityDistance(report);
  const alerts: Alert[] = [];
  if (isAbove(variance, rules.lastLayerVariance)) {
    alerts.push({
      rule: "lastLayerVariance",
      value: variance!,
      threshold: rules.lastLayerVariance!,
      text: t(
        "the variance after layer {0} is {1}, above {2}",
        last?.index ?? 0,
        figure(variance!),
        figure(rules.lastLayerVariance!),
      ),
    });
  }
  if (counts !== undefined && rules.neededShare !== undefined) {
    const share = counts.needed / report.layers.length;
    // A layer that may yet be needed is no ground for a warning.
    const mostShare = (counts.needed + counts.uncertain) / report.layers.length;
    if (mostShare < rules.neededShare) {
      alerts.push({
        rule: "neededShare",
        value: share,
        threshold: rules.neededShare,
        text:
          counts.uncertain > 0
            ? t(
                "{0} of {1} layers are needed and {2} uncertain, fewer than {3}%",
                counts.needed,
                report.layers.length,
                counts.uncertain,
                figure(100 * rules.neededShare),
              )
            : t(
                "{0} of {1} layers are needed, fewer than {2}%",
                counts.needed,
                report.layers.length,
                figure(100 * rules.neededShare),
              ),
      });
    }
  }
  if (isAbove(rules.deepIdentityDistance, distance)) {
    alerts.push({
      rule: "deepIdentityDistance",
      value: distance!,
      threshold: rules.deepIdentityDistance!,
      text: t(
        "the Jacobian's distance from the identity averages {0} in the deeper half, below {1}",
        figure(distance!),
        figure(rules.deepIdentityDistance!),
      ),
    });
  }
  return alerts;
}

function isAbove(value: number | undefined, threshold: number | undefined): boolean {
  return value !== undefined && threshold !== undefined && value > threshold;
}
