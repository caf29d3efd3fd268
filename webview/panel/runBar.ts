/** Where the run stands and what can be done about it: always one bar of the same height. */
import type { ExportFormat, Failure, PanelState, PanelToHost } from "../../src/protocol/messages";
import { counted, dateTime, duration } from "../../src/report/format";
import { progressText } from "../../src/report/progress";
import { element, setText } from "../shared/dom";
import { button, progressRing } from "../shared/toolkit";

export class RunBar {
  readonly node: HTMLElement;
  private readonly ring = progressRing();
  private readonly status = element("p", { class: "run-status" });
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
  private readonly finish = this.action("Stop and keep what is measured", "primary", {
    type: "finish",
  });
  private readonly cancel = this.action("Cancel", "secondary", { type: "cancel" });
  private readonly runAgain = this.action("Run again", "secondary", { type: "runAgain" });
  private readonly exports: HTMLElement;

  constructor(
    private readonly canRun: boolean,
    formats: readonly ExportFormat[],
    private readonly post: (message: PanelToHost) => void,
  ) {
    this.exports = element("div", {
      class: "exports",
      attributes: { role: "group", "aria-label": "Export the report" },
      children: [
        element("span", { class: "exports-name", text: "Export" }),
        ...formats.map((format) => this.exportButton(format)),
      ],
    });
    this.node = element("section", {
      class: "run-bar",
      attributes: { "aria-label": "Run" },
      children: [
        element("div", { class: "run-words", children: [this.ring, this.status] }),
        element("div", {
          class: "run-actions",
          children: [this.exports, this.finish.node, this.cancel.node, this.runAgain.node],
        }),
        this.track,
      ],
    });
  }

  show(state: PanelState): void {
    const isRunning = state.phase === "running";
    this.node.dataset["phase"] = state.phase;
    this.ring.hidden = !isRunning;
    this.track.hidden = !isRunning;
    this.finish.setHidden(!isRunning);
    this.cancel.setHidden(!isRunning);
    this.runAgain.setHidden(isRunning || !this.canRun || !isRunnable(state));
    this.exports.hidden = isRunning || state.report === undefined;
    setText(this.status, statusText(state));
    if (isRunning) {
      const percent = Math.round(100 * Math.min(1, Math.max(0, state.progress.fraction)));
      this.bar.style.width = `${percent}%`;
      this.track.setAttribute("aria-valuenow", String(percent));
    }
  }

  private action(label: string, appearance: "primary" | "secondary", message: PanelToHost) {
    return button(label, {
      appearance,
      onPress: () => {
        this.post(message);
      },
    });
  }

  private exportButton(format: ExportFormat): HTMLElement {
    return button(format.toUpperCase(), {
      appearance: "secondary",
      title: exportMeanings[format],
      onPress: () => {
        this.post({ type: "export", format });
      },
    }).node;
  }
}

/** A report from a file may be of a checkpoint that was never on this machine. */
function isRunnable(state: PanelState): boolean {
  if (state.phase === "empty") return state.canRun;
  return state.phase !== "done" || state.origin?.kind !== "file";
}

function statusText(state: PanelState): string {
  switch (state.phase) {
    case "running":
      return progressText(state.progress);
    case "done": {
      const { origin } = state;
      const { documents, plannedDocuments } = state.report.evaluation;
      const time = duration(state.report.runtime.seconds);
      if (origin?.kind === "stored") return storedText(origin.savedAt, time, origin.isUnchanged);
      const ending =
        documents < plannedDocuments
          ? `stopped after ${documents} of ${counted(plannedDocuments, "document")}, ${time}`
          : `measured in ${time}`;
      return origin?.kind === "file" ? `Report from a file, ${ending}` : capitalised(ending);
    }
    case "empty":
      return state.reason;
    case "failed":
      return failureText(state.failure, state.report !== undefined);
  }
}

function storedText(savedAt: string, time: string, isUnchanged: boolean): string {
  const change = isUnchanged ? "; checkpoint, text and settings are unchanged" : "";
  return `Measured on ${dateTime(savedAt)}, in ${time}${change}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function failureText({ reason, message }: Failure, hasReport: boolean): string {
  const kept = hasReport ? " What was measured until then stands below." : "";
  const sentence = /[.!?…]$/.test(message) ? message : `${message}.`;
  return `${failureHeads[reason]} ${sentence}${kept}`;
}

const failureHeads: Readonly<Record<Failure["reason"], string>> = {
  usage: "The run could not start.",
  checkpoint: "The checkpoint could not be read.",
  run: "The run failed.",
  device: "The device failed.",
  interrupted: "The run was cancelled.",
  killed: "The engine process ended before it was done.",
};

const exportMeanings: Readonly<Record<ExportFormat, string>> = {
  json: "The whole report",
  csv: "One row per layer",
  png: "The charts as a picture",
  html: "This page as one file that opens anywhere",
};
