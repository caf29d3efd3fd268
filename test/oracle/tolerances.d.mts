import type { Report } from "../../src/diagnosis/report";

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

export function compareWithReference(report: Report, reference: Reference): Comparison[];
