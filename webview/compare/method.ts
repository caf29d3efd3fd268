/** How the reports were compared: pairing, errors, significance, and what each was measured on. */
import { t } from "@vscode/l10n";
import type { Comparison, NamedReport } from "../../src/report/comparison";
import { counted } from "../../src/report/format";
import { element } from "../shared/dom";

export class Method {
  readonly node: HTMLElement;
  private readonly facts = element("dl");
  private shown = "";

  constructor() {
    this.node = element("section", {
      class: "measurement",
      children: [element("h2", { text: t("How they were compared") }), this.facts],
    });
  }

  show(comparison: Comparison, reports: readonly NamedReport[]): void {
    const facts = methodFacts(comparison, reports);
    const next = JSON.stringify(facts);
    if (next === this.shown) return;
    this.shown = next;
    this.facts.replaceChildren(
      ...facts.map(([name, text]) =>
        element("div", { children: [element("dt", { text: name }), element("dd", { text })] }),
      ),
    );
  }
}

/** Names and sentences, in the order in which a reader asks. */
export function methodFacts(
  comparison: Comparison,
  reports: readonly NamedReport[],
): [name: string, text: string][] {
  const { contrasts, falseDiscoveryRate, tests } = comparison;
  const isBounded = contrasts.some((contrast) =>
    [contrast.growth, contrast.deepDistance, contrast.deepRemoval].some(
      (compared) => "errorIsBound" in compared,
    ),
  );
  return [
    [
      t("Differences"),
      t("Figure less the reference’s; of variances, the ratio to the reference’s"),
    ],
    ...contrasts.map(({ report, pairing, caveats }): [string, string] => [
      reports[report]!.name,
      [
        pairing.isPaired
          ? t(
              "Paired over the same {0}: what they have in common cancels.",
              counted(pairing.documents, "document"),
            )
          : t("Not paired, for {0}: the errors of both are added as squares.", pairing.reason),
        ...caveats,
      ].join(" "),
    ]),
    [t("Intervals"), t("± is a 95% interval, 1.96 standard errors over documents")],
    [
      t("Significance"),
      t(
        "p values of Student’s t over documents; * by Benjamini and Hochberg at a false discovery rate of {0}% over the {1} differences of layers and loss, in the table of reports at 5% each",
        falseDiscoveryRate * 100,
        tests,
      ),
    ],
    ...(isBounded
      ? [
          [
            t("Deep half"),
            t("Without each document’s figures, errors of sums over layers are upper bounds"),
          ] satisfies [string, string],
        ]
      : []),
    ...reports.map(({ name, report }): [string, string] => [
      t("Text of {0}", name),
      t(
        "{0}, {1} of {2}",
        counted(report.evaluation.documents, "document"),
        counted(report.evaluation.tokens, "token"),
        report.evaluation.source,
      ),
    ]),
  ];
}
