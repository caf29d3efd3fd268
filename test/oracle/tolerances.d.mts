import type { Metric, Report } from "../../src/diagnosis/report";

/** One figure: how far the report's value lies from the reference, and how far it may. */
export interface Comparison {
  name: string;
  expected: number;
  /** NaN where the report lacks the figure. */
  actual: number;
  deviation: number;
  limit: number;
  ok: boolean;
}

/** A fixture's reference.json; only `compareWithReference` reads inside it. */
export type Reference = Readonly<Record<string, unknown>>;

/** `metrics` are those the report was asked for: all four unless stated. */
export function compareWithReference(
  report: Report,
  reference: Reference,
  metrics?: readonly Metric[],
): Comparison[];
