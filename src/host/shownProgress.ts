/**
 * Tells how far a diagnosis is: in a notification where a person waits for it, in the status bar where
 * it goes on in the background or has to wait for its turn.
 */
import * as vscode from "vscode";
import type { Progress } from "../protocol/messages";
import { progressText } from "../report/progress";
import { ProgressNotification } from "./progressNotification";
import { StatusLine } from "./statusLine";

export interface ShownProgressOptions {
  /** Of the checkpoint. */
  name: string;
  /** Nobody waits for it. */
  isBackground: boolean;
  cancel: () => void;
  /** Shows the panel, which also cancels. */
  show: () => void;
}

export class ShownProgress {
  private notification: ProgressNotification | undefined;
  private readonly line = new StatusLine("diagnosis", vscode.l10n.t("Fathom: diagnosis"));

  constructor(private readonly options: ShownProgressOptions) {}

  /** @param waitingFor names the diagnosis that has to end first */
  tell(progress: Progress, waitingFor?: string): void {
    const { name, isBackground, cancel, show } = this.options;
    if (isBackground || waitingFor !== undefined) {
      this.closeNotification();
      const told = progressText(progress, waitingFor);
      const tooltip = vscode.l10n.t("Depth of {0}: {1}. Click to see it.", name, told);
      this.line.show({ text: progressLine(name, progress, waitingFor), tooltip, follow: show });
      return;
    }
    this.line.hide();
    this.notification ??= new ProgressNotification(vscode.l10n.t("Depth of {0}", name));
    this.notification.open(cancel);
    this.notification.show(progressText(progress), progress.fraction);
  }

  close(): void {
    this.line.dispose();
    this.closeNotification();
  }

  private closeNotification(): void {
    this.notification?.close();
    this.notification = undefined;
  }
}

/** What the status bar has room for: `Fathom: lns/step-2600, layer 3 of 12`. */
export function progressLine(name: string, progress?: Progress, waitingFor?: string): string {
  if (waitingFor !== undefined) return `$(clock) ${vscode.l10n.t("Fathom: {0} is waiting", name)}`;
  const { layer, layers } = progress ?? {};
  const words =
    layer === undefined || layers === undefined
      ? vscode.l10n.t("Fathom: {0}", name)
      : vscode.l10n.t("Fathom: {0}, layer {1} of {2}", name, layer + 1, layers);
  return `$(sync~spin) ${words}`;
}
