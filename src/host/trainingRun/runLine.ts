/** What the status bar says of a run that is measured or watched. */
import * as vscode from "vscode";
import type { RunStatus } from "../../protocol/messages";
import { wholeNumber } from "../../report/format";
import { progressText } from "../../report/progress";
import { progressLine } from "../shownProgress";
import type { StatusText } from "../statusLine";

/** @returns undefined where nothing goes on */
export function runLine(
  status: RunStatus,
  { name, folder }: { name: string; folder: string },
): Omit<StatusText, "follow"> | undefined {
  if (status.phase === "running") {
    const { measuring, progress, waitingFor } = status;
    const what =
      measuring === undefined ? name : vscode.l10n.t("{0} step {1}", name, wholeNumber(measuring));
    const tooltip = vscode.l10n.t(
      "Measuring the checkpoints in {0}: {1}. Click to see the run.",
      folder,
      progressWords(status),
    );
    return { text: progressLine(what, progress, waitingFor), tooltip };
  }
  if (!status.isWatching) return undefined;
  const tooltip = vscode.l10n.t(
    "Fathom diagnoses each new checkpoint in {0}. Click to see the run.",
    folder,
  );
  return { text: `$(eye) ${vscode.l10n.t("Watching {0}", name)}`, tooltip };
}

/** `Step 3 of 8: Layer 6 (7 of 12) · about 12 s left` */
function progressWords({ finished, planned, progress, waitingFor }: RunStatus): string {
  const current = Math.min(planned, finished + 1);
  return progress === undefined
    ? vscode.l10n.t("step {0} of {1}", current, planned)
    : vscode.l10n.t("step {0} of {1}: {2}", current, planned, progressText(progress, waitingFor));
}
