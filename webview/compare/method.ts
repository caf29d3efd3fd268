/** How the reports were compared: pairing, errors, significance, and what each was measured on. */
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
      children: [element("h2", { text: "How they were compared" }), this.facts],
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
    ["Differences", "Figure less the reference’s; of variances, the ratio to the reference’s"],
    ...contrasts.map(({ report, pairing, caveats }): [string, string] => [
      reports[report]!.name,
      [
        pairing.isPaired
          ? `Paired over the same ${counted(pairing.documents, "document")}: what they have in common cancels.`
          : `Not paired, for ${pairing.reason}: the errors of both are added as squares.`,
        ...caveats,
      ].join(" "),
    ]),
    ["Intervals", "± is a 95% interval, 1.96 standard errors over documents"],
    [
      "Significance",
      `p values of Student’s t over documents; * by Benjamini and Hochberg at a false discovery rate of ` +
        `${falseDiscoveryRate * 100}% over the ${tests} differences of layers and loss, in the table of reports at 5% each`,
    ],
    ...(isBounded
      ? [
          [
            "Deep half",
            "Without each document’s figures, errors of sums over layers are upper bounds",
          ] satisfies [string, string],
        ]
      : []),
    ...reports.map(({ name, report }): [string, string] => [
      `Text of ${name}`,
      `${counted(report.evaluation.documents, "document")}, ${counted(report.evaluation.tokens, "token")} of ${report.evaluation.source}`,
    ]),
  ];
}
