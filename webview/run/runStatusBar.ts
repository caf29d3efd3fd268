/** Where the run stands and what can be done about it. */
import { t } from "@vscode/l10n";
import type { RunStatus, RunToHost } from "../../src/protocol/messages";
import { counted, countedOf, wholeNumber } from "../../src/report/format";
import { progressText } from "../../src/report/progress";
import { StatusBar } from "../shared/statusBar";
import { button } from "../shared/toolkit";

export class RunStatusBar {
  private readonly bar: StatusBar;
  private readonly cancel = this.action(t("Cancel"), { type: "cancel" });
  private readonly resume = this.action(t("Measure what is missing"), { type: "resume" });
  private readonly watch = this.action(
    t("Watch"),
    { type: "watch" },
    t("Diagnose each new checkpoint"),
  );
  private readonly stopWatching = this.action(t("Stop watching"), { type: "stopWatching" });
  private readonly chooseOther = this.action(
    t("Compare with another run…"),
    { type: "chooseOther" },
    t("Show another run’s charts beside these, on the same scales"),
  );
  private readonly dropOther = this.action(t("Show this run alone"), { type: "dropOther" });

  /** @param exports stand here once there is something to export */
  constructor(
    private readonly exports: HTMLElement,
    private readonly canRun: boolean,
    private readonly post: (message: RunToHost) => void,
  ) {
    const { cancel, resume, watch, stopWatching, chooseOther, dropOther } = this;
    const actions = [cancel, resume, watch, stopWatching, chooseOther, dropOther];
    this.bar = new StatusBar([exports, ...actions.map(({ node }) => node)], { speaks: true });
  }

  get node(): HTMLElement {
    return this.bar.node;
  }

  /**
   * @param statuses of the run, and of the one beside it
   * @param names of the runs
   * @param hasFigures there is something to export
   */
  show(statuses: readonly RunStatus[], names: readonly string[], hasFigures: boolean): void {
    const { canRun } = this;
    const phase =
      (["running", "cancelled"] as const).find((one) => statuses.some((s) => s.phase === one)) ??
      "done";
    const isRunning = phase === "running";
    const isPair = statuses.length > 1;
    const isWatching = statuses[0]?.isWatching === true;
    const sum = (of: (status: RunStatus) => number): number =>
      statuses.reduce((total, status) => total + of(status), 0);
    const [finished, planned] = [sum((one) => one.finished), sum((one) => one.planned)];
    this.exports.hidden = !hasFigures;
    this.cancel.setHidden(!isRunning);
    this.resume.setHidden(!canRun || isRunning || sum(({ missing }) => missing) === 0);
    this.watch.setHidden(!canRun || isWatching);
    this.stopWatching.setHidden(!isWatching);
    this.chooseOther.setHidden(!canRun || isPair);
    this.dropOther.setHidden(!canRun || !isPair);
    const begun = sum(({ progress }) => progress?.fraction ?? 0);
    this.bar.show({
      phase,
      text: statuses
        .map((one, i) => (isPair ? `${names[i] ?? ""}: ${statusText(one)}` : statusText(one)))
        .join("\n"),
      spoken: t("{0} measured", countedOf(finished, planned, "checkpoint")),
      ...(isRunning ? { fraction: (finished + begun) / Math.max(1, planned) } : {}),
    });
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
  const watching = status.isWatching ? [t("watching for new checkpoints")] : [];
  switch (phase) {
    case "running": {
      const place = Math.min(planned, finished + 1);
      const which =
        measuring === undefined
          ? t("Checkpoint {0} of {1}", place, planned)
          : t("Checkpoint {0} of {1} (step {2})", place, planned, wholeNumber(measuring));
      const detail = progress === undefined ? [] : [progressText(progress)];
      return [which, ...detail, ...watching].join(" · ");
    }
    case "done":
      return [t("{0} measured", counted(finished, "checkpoint")), ...watching].join(" · ");
    case "cancelled":
      return [
        t("Cancelled: {0} measured", countedOf(finished, planned, "checkpoint")),
        ...watching,
      ].join(" · ");
  }
}
