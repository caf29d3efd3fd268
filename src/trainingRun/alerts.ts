/** Thresholds that a person wants to hear of while training goes on. */
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
      text: `the variance after layer ${last?.index ?? 0} is ${figure(variance!)}, above ${figure(rules.lastLayerVariance!)}`,
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
        text: `${counts.needed} of ${report.layers.length} layers are needed${counts.uncertain > 0 ? ` and ${counts.uncertain} uncertain` : ""}, fewer than ${figure(100 * rules.neededShare)}%`,
      });
    }
  }
  if (isAbove(rules.deepIdentityDistance, distance)) {
    alerts.push({
      rule: "deepIdentityDistance",
      value: distance!,
      threshold: rules.deepIdentityDistance!,
      text: `the Jacobian's distance from the identity averages ${figure(distance!)} in the deeper half, below ${figure(rules.deepIdentityDistance!)}`,
    });
  }
  return alerts;
}

function isAbove(value: number | undefined, threshold: number | undefined): boolean {
  return value !== undefined && threshold !== undefined && value > threshold;
}
