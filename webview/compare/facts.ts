/** What stands below the title of a comparison. */
import type { Comparison } from "../../src/report/comparison";

/** `2 reports · paired over the same 8 documents`; nothing until there are two. */
export function comparisonFacts({ reports, contrasts }: Comparison): string {
  if (contrasts.length === 0) return "";
  const unpaired = contrasts.filter(({ pairing }) => !pairing.isPaired).length;
  const documents = contrasts
    .map(({ pairing }) => (pairing.isPaired ? pairing.documents : 0))
    .find((count) => count > 0);
  const pairing =
    unpaired === 0
      ? `paired over the same ${documents ?? 0} documents`
      : unpaired === contrasts.length
        ? "not measured on the same documents, so the errors are of independent reports"
        : `${unpaired} of ${contrasts.length} not measured on the same documents as the reference`;
  return `${reports.length} reports · ${pairing}`;
}
