/** A comparison as one HTML file: the comparison's own script and style, and the reports themselves. */
import { compareReports, type NamedReport } from "./comparison";
import { comparisonSentences } from "./comparisonVerdict";
import { pageHtml, type PanelAssets } from "./html";

export function comparisonHtml(
  reports: readonly NamedReport[],
  reference: number,
  assets: PanelAssets,
): string {
  const comparison = compareReports(reports, reference);
  const content = {
    title: reports.map(({ name }) => name).join(" · "),
    sentences: comparisonSentences(comparison),
    dataId: "fathom-comparison",
    data: { reports, reference },
  };
  return pageHtml(content, assets);
}
