import { t } from "@vscode/l10n";
import type { CurveSeries } from "./chartModel";

/** Fits are solid or long-dashed, theories short-dashed or dotted: told apart without colour. */
export const curveDashes: Readonly<Record<CurveSeries["role"], readonly number[]>> = {
  exponential: [],
  power: [8, 4],
  preLn: [4, 3],
  lns: [1.5, 3],
  ghost: [6, 3],
  otherRun: [],
};

/** A dash in words, so that a legend can be read without seeing its samples. */
export function dashName([length]: readonly number[]): string {
  if (length === undefined) return t("solid");
  if (length <= 2) return t("dotted");
  return length <= 5 ? t("short dashes") : t("long dashes");
}

/** The line at the cost that the verdict is about. */
export const referenceDash: readonly number[] = [2, 3];
