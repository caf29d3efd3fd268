/** The marks of significance, for those who see them and for those who hear them. */
import type { Difference } from "../../src/report/comparison";
import { element } from "../shared/dom";

export function markNodes(significance: Difference["significance"]): Node[] {
  if (significance !== "significant" && significance !== "alone") return [];
  const [mark, words] = marks[significance];
  return [
    element("span", { class: "mark", text: mark, attributes: { "aria-hidden": "true" } }),
    element("span", { class: "sr-only", text: `, ${words}` }),
  ];
}

const marks = {
  significant: ["*", "significant"],
  alone: ["°", "significant alone"],
} as const;
