/** Where the diagnosis stands and what can be done about it. */
import { t } from "@vscode/l10n";
import type { Report } from "../../src/diagnosis/report";
import type { ExportFormat, Failure, PanelState, PanelToHost } from "../../src/protocol/messages";
import { dateTime, duration } from "../../src/report/format";
import { progressText } from "../../src/report/progress";
import { exportButtons } from "../shared/exportButtons";
import { StatusBar } from "../shared/statusBar";
import { button } from "../shared/toolkit";
import { plannedShare } from "./plannedShare";
import { measuredLayers } from "./verdictSection";

export class RunBar {
  private readonly bar: StatusBar;
  private readonly finish = this.action(t("Stop and keep what is measured"), "primary", {
    type: "finish",
  });
  private readonly cancel = this.action(t("Cancel"), "secondary", { type: "cancel" });
  private readonly runAgain = this.action(t("Run again"), "secondary", { type: "runAgain" });
  private readonly chooseTokens = this.action(t("Choose a file of token ids"), "primary", {
    type: "chooseTokens",
  });
  private readonly exports: HTMLElement;

  constructor(
    private readonly canRun: boolean,
    formats: readonly ExportFormat[],
    private readonly post: (message: PanelToHost) => void,
  ) {
    this.exports = exportButtons(formats, {
      label: t("Export the report"),
      meanings: exportMeanings,
      onExport: (format) => {
        this.post({ type: "export", format });
      },
    });
    const { finish, cancel, chooseTokens, runAgain } = this;
    const actions = [finish, cancel, chooseTokens, runAgain].map(({ node }) => node);
    this.bar = new StatusBar([this.exports, ...actions], { speaks: false });
  }

  get node(): HTMLElement {
    return this.bar.node;
  }

  show(state: PanelState): void {
    const isRunning = state.phase === "running";
    this.finish.setHidden(!isRunning);
    this.cancel.setHidden(!isRunning);
    this.chooseTokens.setHidden(!this.canRun || !lacksTokenizer(state));
    this.runAgain.setHidden(isRunning || !this.canRun || !isRunnable(state));
    this.exports.hidden = isRunning || state.report === undefined;
    const head = state.phase === "failed" ? failureHead(state) : undefined;
    this.bar.show({
      phase: state.phase,
      ...(head === undefined ? {} : { head }),
      text: statusText(state),
      ...(isRunning ? { fraction: state.progress.fraction } : {}),
    });
  }

  private action(label: string, appearance: "primary" | "secondary", message: PanelToHost) {
    return button(label, {
      appearance,
      onPress: () => {
        this.post(message);
      },
    });
  }
}

/** A report from a file may be of a checkpoint that was never on this machine. */
function isRunnable(state: PanelState): boolean {
  if (state.phase === "empty") return state.canRun;
  return state.phase !== "done" || state.origin?.kind !== "file";
}

function lacksTokenizer(state: PanelState): boolean {
  return state.phase === "failed" && state.failure.lacks === "tokenizer";
}

function statusText(state: PanelState): string {
  switch (state.phase) {
    case "running":
      return progressText(state.progress);
    case "done": {
      const { origin } = state;
      const measured = plannedShare(state.report.evaluation);
      const time = duration(state.report.runtime.seconds);
      if (origin?.kind === "stored") return storedText(origin.savedAt, time, origin.isUnchanged);
      if (origin?.kind === "file") {
        return measured.isWhole
          ? t("Report from a file, measured in {0}", time)
          : t("Report from a file, stopped after {0}, {1}", measured.text, time);
      }
      return measured.isWhole
        ? t("Measured in {0}", time)
        : t("Stopped after {0}, {1}", measured.text, time);
    }
    case "empty":
      return state.reason;
    case "failed":
      return failureText(state);
  }
}

function storedText(savedAt: string, time: string, isUnchanged: boolean): string {
  return isUnchanged
    ? t(
        "Measured on {0}, in {1}; checkpoint, text and settings are unchanged",
        dateTime(savedAt),
        time,
      )
    : t("Measured on {0}, in {1}", dateTime(savedAt), time);
}

type Failed = PanelState & { phase: "failed" };

/** What a person asked for is no failure, and takes no explanation. */
export function failureText(state: Failed): string {
  const { failure, report, isEarlier } = state;
  const earlier = isEarlier === true ? [t("The report of the earlier run stands below.")] : [];
  if (failure.reason === "interrupted")
    return [isEarlier === true ? t("Cancelled.") : cancelledText(report), ...earlier].join(" ");
  const sentence = /[.!?…]$/.test(failure.message) ? failure.message : `${failure.message}.`;
  const partial =
    report && isEarlier !== true ? [t("What was measured until then stands below.")] : [];
  return [sentence, ...earlier, ...partial].join(" ");
}

/** What went wrong, in a few words; undefined when a person ended the run. */
export function failureHead({ failure }: Failed): string | undefined {
  return failureHeads[failure.reason]?.();
}

/** When it was: after layer 13, or, once every layer was measured, after 2 of 8 documents. */
function cancelledText(report: Report | undefined): string {
  const measured = report ? measuredLayers(report) : [];
  if (!report || measured.length === 0) return t("Cancelled before a layer was measured.");
  const isFirstBatchDone = measured.length === report.architecture.layers && !awaitsHead(report);
  return isFirstBatchDone
    ? t("Cancelled after {0}.", plannedShare(report.evaluation).text)
    : t("Cancelled after layer {0}.", Math.max(...measured));
}

/** Removal costs come last: until the head has run there are none. */
function awaitsHead({ evaluation, baseline }: Report): boolean {
  return evaluation.metrics.includes("pruning") && baseline === undefined;
}

const failureHeads: Readonly<Record<Failure["reason"], (() => string) | undefined>> = {
  usage: () => t("The run could not start."),
  checkpoint: () => t("This checkpoint cannot be diagnosed."),
  run: () => t("The run failed."),
  device: () => t("The device failed."),
  interrupted: undefined,
  killed: () => t("The engine process ended before it was done."),
};

const exportMeanings: Readonly<Record<ExportFormat, () => string>> = {
  json: () => t("The whole report"),
  csv: () => t("One row per layer"),
  png: () => t("The charts as a picture"),
  html: () => t("This page as one file that opens anywhere"),
};
