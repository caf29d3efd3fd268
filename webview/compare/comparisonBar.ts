/** Where the comparison stands and what can be done about it. */
import { t } from "@vscode/l10n";
import type { ComparisonStatus, ComparisonToHost } from "../../src/protocol/comparison";
import { counted, countedOf } from "../../src/report/format";
import { StatusBar } from "../shared/statusBar";
import { button } from "../shared/toolkit";

export class ComparisonBar {
  private readonly bar: StatusBar;
  private readonly cancel = this.action(t("Cancel"), "cancel");
  private readonly resume = this.action(t("Measure what is missing"), "resume");

  /** @param exports stand here once there is something to export */
  constructor(
    private readonly exports: HTMLElement,
    private readonly canRun: boolean,
    private readonly post: (message: ComparisonToHost) => void,
  ) {
    this.bar = new StatusBar([exports, this.cancel.node, this.resume.node], { speaks: true });
  }

  get node(): HTMLElement {
    return this.bar.node;
  }

  show(status: ComparisonStatus): void {
    const isRunning = status.phase === "running";
    const { ready, left } = counts(status);
    this.cancel.setHidden(!isRunning);
    this.resume.setHidden(isRunning || left === 0 || !this.canRun);
    this.exports.hidden = ready < 2;
    const text = statusText(status);
    this.bar.show({
      phase: status.phase,
      text,
      spoken: text,
      ...(isRunning ? { fraction: status.fraction } : {}),
    });
  }

  private action(label: string, type: "cancel" | "resume") {
    return button(label, {
      appearance: "secondary",
      onPress: () => {
        this.post({ type });
      },
    });
  }
}

/** `1 of 2 reports · 1 is being diagnosed` */
export function statusText(status: ComparisonStatus): string {
  const { ready, failed, left } = counts(status);
  const all = status.standings.length;
  if (ready === all) return t("{0}, all measured", counted(all, "report"));
  const have = countedOf(ready, all, "report");
  const also = failed === 0 ? [] : [t("{0} could not be measured", failed)];
  return [...standingParts(status.phase, have, left - failed), ...also].join(" · ");
}

function standingParts(phase: ComparisonStatus["phase"], have: string, missing: number): string[] {
  switch (phase) {
    case "running":
      return [have, t("diagnosing what has none yet")];
    case "cancelled":
      return [t("Cancelled"), have];
    case "done":
      return missing === 0 ? [have] : [have, t("{0} not measured", missing)];
  }
}

function counts({ standings }: ComparisonStatus): { ready: number; failed: number; left: number } {
  const of = (kind: string): number => standings.filter((one) => one.kind === kind).length;
  const ready = of("ready");
  return { ready, failed: of("failed"), left: standings.length - ready };
}
