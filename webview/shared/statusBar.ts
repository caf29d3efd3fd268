/** Where a run stands and what can be done about it: always one bar of the same height. */
import { t } from "@vscode/l10n";
import { element, setText } from "./dom";
import { progressRing } from "./toolkit";

export interface Standing {
  phase: string;
  /** A few words above the rest; absent where there are none. */
  head?: string;
  text: string;
  /** Read out when it changes, to those who do not see the bar. */
  spoken?: string;
  /** Share that is done, 0 … 1; absent while nothing runs. */
  fraction?: number;
}

export class StatusBar {
  readonly node: HTMLElement;
  private readonly ring = progressRing();
  private readonly head = element("p", { class: "run-head" });
  private readonly status = element("p", { class: "run-status" });
  private readonly announcer = element("p", {
    class: "sr-only",
    attributes: { role: "status" },
  });
  private readonly bar = element("div", { class: "progress-done" });
  private readonly track = element("div", {
    class: "progress",
    attributes: {
      role: "progressbar",
      "aria-label": t("Share of the run that is done"),
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    },
    children: [this.bar],
  });

  /** @param speaks it reads out what `spoken` says; where it does not, the page does */
  constructor(actions: readonly Node[], { speaks }: { speaks: boolean }) {
    this.node = element("section", {
      class: "run-bar",
      attributes: { "aria-label": t("Run") },
      children: [
        element("div", {
          class: "run-words",
          children: [this.ring, element("div", { children: [this.head, this.status] })],
        }),
        element("div", { class: "run-actions", children: actions }),
        this.track,
        ...(speaks ? [this.announcer] : []),
      ],
    });
  }

  show({ phase, head, text, spoken, fraction }: Standing): void {
    this.node.dataset["phase"] = phase;
    this.ring.hidden = fraction === undefined;
    this.track.hidden = fraction === undefined;
    this.head.hidden = head === undefined;
    setText(this.head, head ?? "");
    setText(this.status, text);
    setText(this.announcer, spoken ?? "");
    if (fraction === undefined) return;
    const percent = Math.round(100 * Math.min(1, Math.max(0, fraction)));
    this.bar.style.width = `${percent}%`;
    this.track.setAttribute("aria-valuenow", String(percent));
  }
}
