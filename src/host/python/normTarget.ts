/** What a click on a norm asks to see: passed through the editor's commands, which know only JSON. */
import type { NormSummary } from "../../diagnosis/report";

const readers: readonly unknown[] = [
  "attention",
  "crossAttention",
  "feedForward",
  "head",
] satisfies NormSummary["feeds"][];

export interface NormTarget extends NormSummary {
  /** Of the stored report. */
  key: string;
}

export function targetOf({ key, norm }: { key: string; norm: NormSummary }): NormTarget {
  return { key, path: norm.path, feeds: norm.feeds };
}

export function normOf({ path, feeds }: NormTarget): NormSummary {
  return { path, feeds };
}

/** What a command was given, if that is a target; anyone may call a command with anything. */
export function readTarget(given: unknown): NormTarget | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { key, path, feeds }: Partial<Record<keyof NormTarget, unknown>> = given;
  if (typeof key !== "string" || typeof path !== "string") return undefined;
  if (!readers.includes(feeds)) return undefined;
  return { key, path, feeds: feeds as NormSummary["feeds"] };
}
