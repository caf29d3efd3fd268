/** Where the run stands and what can be done about it: always one bar of the same height. */
import type { RunStatus, RunToHost } from "../../src/protocol/messages";
import { counted, wholeNumber } from "../../src/report/format";
import { progressText } from "../../src/report/progress";
import { element, setText } from "../shared/dom";
import { button, progressRing } from "../shared/toolkit";

export class RunStatusBar {
  readonly node: HTMLElement;
  private readonly ring = progressRing();
  private readonly status = element("p", { class: "run-status", attributes: { role: "status" } });
  private readonly bar = element("div", { class: "progress-done" });
  private readonly track = element("div", {
    class: "progress",
    attributes: {
      role: "progressbar",
      "aria-label": "Share of the run that is done",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    },
    children: [this.bar],
  });
  private readonly cancel = this.action("Cancel", { type: "cancel" });
  private readonly resume = this.action("Measure what is missing", { type: "resume" });
  private readonly watch = this.action("Watch", { type: "watch" }, "Diagnose each new checkpoint");
  private readonly stopWatching = this.action("Stop watching", { type: "stopWatching" });
  private readonly chooseOther = this.action(
    "Lay another run beside…",
    { type: "chooseOther" },
    "Show another run’s figures at the same step",
  );
  private readonly dropOther = this.action("Take the other run away", { type: "dropOther" });

  constructor(private readonly post: (message: RunToHost) => void) {
    this.node = element("section", {
      class: "run-bar",
      attributes: { "aria-label": "Run" },
      children: [
        element("div", { class: "run-words", children: [this.ring, this.status] }),
        element("div", {
          class: "run-actions",
          children: [
            this.cancel.node,
            this.resume.node,
            this.watch.node,
            this.stopWatching.node,
            this.chooseOther.node,
            this.dropOther.node,
          ],
        }),
        this.track,
      ],
    });
  }

  show(status: RunStatus, hasOther: boolean): void {
    const isRunning = status.phase === "running";
    this.node.dataset["phase"] = status.phase;
    this.ring.hidden = !isRunning;
    this.track.hidden = !isRunning;
    this.cancel.setHidden(!isRunning);
    this.resume.setHidden(isRunning || status.missing === 0);
    this.watch.setHidden(status.isWatching);
    this.stopWatching.setHidden(!status.isWatching);
    this.chooseOther.setHidden(hasOther);
    this.dropOther.setHidden(!hasOther);
    setText(this.status, statusText(status));
    const { finished, planned, progress } = status;
    const share = (finished + (progress?.fraction ?? 0)) / Math.max(1, planned);
    const percent = Math.round(100 * Math.min(1, share));
    this.bar.style.width = `${percent}%`;
    this.track.setAttribute("aria-valuenow", String(percent));
  }

  private action(label: string, message: RunToHost, title?: string) {
    return button(label, {
      appearance: "secondary",
      ...(title === undefined ? {} : { title }),
      onPress: () => {
        this.post(message);
      },
    });
  }
}

function statusText(status: RunStatus): string {
  const { phase, finished, planned, measuring, progress } = status;
  const watching = status.isWatching ? " · watching for new checkpoints" : "";
  switch (phase) {
    case "running": {
      const which = measuring === undefined ? "" : ` (step ${wholeNumber(measuring)})`;
      const detail = progress === undefined ? "" : ` · ${progressText(progress)}`;
      return `Checkpoint ${Math.min(planned, finished + 1)} of ${planned}${which}${detail}${watching}`;
    }
    case "done":
      return `${counted(finished, "checkpoint")} measured${watching}`;
    case "cancelled":
      return `Cancelled: ${finished} of ${counted(planned, "checkpoint")} measured${watching}`;
  }
}
