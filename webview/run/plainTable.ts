/** Tables of figures whose rows begin with what they are of. */
import { absent } from "../../src/report/format";
import { element } from "../shared/dom";

export interface Cell {
  text: string;
  title?: string;
  /** A class beside that of its kind. */
  role?: string;
}

export function headRow(heads: readonly Cell[]): HTMLElement {
  return element("tr", {
    children: heads.map(({ text, role = "" }, i) =>
      element("th", {
        text,
        class: `plain-head ${i === 0 ? "text" : "number"} ${role}`,
        attributes: { scope: "col" },
      }),
    ),
  });
}

export function rowOf(name: string, cells: readonly Cell[]): HTMLElement {
  return element("tr", {
    children: [
      element("th", { text: name, attributes: { scope: "row" } }),
      ...cells.map(({ text, title = "", role = "" }) =>
        element("td", {
          text,
          class: `number ${text === absent ? "absent" : ""} ${role}`,
          ...(title === "" ? {} : { attributes: { title } }),
        }),
      ),
    ],
  });
}

export function scroller(table: HTMLElement, label: string): HTMLElement {
  return element("div", {
    class: "table-scroller",
    attributes: { tabindex: "0", role: "region", "aria-label": label },
    children: [table],
  });
}
