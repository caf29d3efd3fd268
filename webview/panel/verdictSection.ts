/** The verdict: the sentences that the report's findings are, and nothing added. */
import type { Report } from "../../src/diagnosis/report";
import { verdictSentences } from "../../src/report/verdict";
import { element } from "../shared/dom";

export class VerdictSection {
  readonly node: HTMLElement;
  private readonly sentences = element("div", { class: "sentences" });
  private shown: string | undefined;

  constructor() {
    this.node = element("section", {
      class: "verdict",
      children: [element("h2", { class: "sr-only", text: "Verdict" }), this.sentences],
    });
  }

  show(report: Report | undefined, isRunning: boolean): void {
    const texts = verdictSentences(report);
    const next = JSON.stringify([texts, isRunning]);
    if (next === this.shown) return;
    this.shown = next;
    this.node.classList.toggle("expected", isRunning);
    if (texts.length > 0)
      this.sentences.replaceChildren(...texts.map((text) => element("p", { text })));
    else
      this.sentences.replaceChildren(
        element("p", {
          class: "pending",
          text: isRunning
            ? "No verdict yet: it comes once every layer has been measured."
            : "No verdict: too little was measured.",
        }),
      );
  }
}
