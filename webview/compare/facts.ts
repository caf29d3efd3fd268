/** What stands below the title of a comparison. */
import { t } from "@vscode/l10n";
import type { Comparison } from "../../src/report/comparison";
import { counted } from "../../src/report/format";

/** `2 reports · paired over the same 8 documents`; nothing until there are two. */
export function comparisonFacts({ reports, contrasts }: Comparison): string {
  if (contrasts.length === 0) return "";
  const unpaired = contrasts.filter(({ pairing }) => !pairing.isPaired).length;
  const documents = contrasts
    .map(({ pairing }) => (pairing.isPaired ? pairing.documents : 0))
    .find((count) => count > 0);
  const pairing =
    unpaired === 0
      ? t("paired over the same {0} documents", documents ?? 0)
      : unpaired === contrasts.length
        ? t("not measured on the same documents, so the errors are of independent reports")
        : t(
            "{0} of {1} not measured on the same documents as the reference",
            unpaired,
            contrasts.length,
          );
  return `${counted(reports.length, "report")} · ${pairing}`;
}
