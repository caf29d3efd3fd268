/** The marks of significance, for those who see them and for those who hear them. */
import { t } from "@vscode/l10n";
import type { Difference } from "../../src/report/comparison";
import { element } from "../shared/dom";

export function markNodes(significance: Difference["significance"]): Node[] {
  if (significance !== "significant" && significance !== "alone") return [];
  return [
    element("span", {
      class: "mark",
      text: marks[significance],
      attributes: { "aria-hidden": "true" },
    }),
    element("span", { class: "sr-only", text: `, ${significanceName(significance)}` }),
  ];
}

const marks = {
  significant: "*",
  alone: "°",
} as const;

/** The mark in words. */
export function significanceName(significance: keyof typeof marks): string {
  return significance === "significant" ? t("significant") : t("significant alone");
}
