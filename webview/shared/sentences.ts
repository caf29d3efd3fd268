/** The sentences above the charts, which are set anew only where they say something else. */
import { element, unbroken } from "./dom";

export class Sentences {
  readonly node = element("div", { class: "sentences" });

  /** @param options.isLive they are read out when they change */
  constructor({ isLive }: { isLive: boolean }) {
    if (isLive) this.node.setAttribute("aria-live", "polite");
  }

  /** @param pending what is said while there is nothing to say */
  show(texts: readonly string[], pending: string): void {
    const next = texts.length > 0 ? texts.map(unbroken) : [pending];
    const shown = [...this.node.children].map(({ textContent }) => textContent);
    if (next.join("\n") === shown.join("\n")) return;
    this.node.replaceChildren(
      ...next.map((text) => element("p", { text, class: texts.length > 0 ? "" : "pending" })),
    );
  }
}
