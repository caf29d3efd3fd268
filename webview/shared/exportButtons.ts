/** The formats a page can be exported in, one button each. */
import { t } from "@vscode/l10n";
import type { ExportFormat } from "../../src/protocol/messages";
import { element } from "./dom";
import { button } from "./toolkit";

export function exportButtons(
  formats: readonly ExportFormat[],
  options: {
    /** What is exported, for those who do not see the page. */
    label: string;
    /** What each format holds. */
    meanings: Readonly<Record<ExportFormat, () => string>>;
    onExport: (format: ExportFormat) => void;
  },
): HTMLElement {
  return element("div", {
    class: "exports",
    attributes: { role: "group", "aria-label": options.label },
    children: [
      element("span", { class: "exports-name", text: t("Export") }),
      ...formats.map(
        (format) =>
          button(format.toUpperCase(), {
            appearance: "secondary",
            title: options.meanings[format](),
            onPress: () => {
              options.onExport(format);
            },
          }).node,
      ),
    ],
  });
}
