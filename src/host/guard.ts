/** Runs what the editor or a webview asked for, so that no failure is lost. */
import * as vscode from "vscode";
import { couldNot, inBackground, type Doing } from "./doings";
import { openSetting } from "./openSetting";
import { SettingError } from "./requestOf";
import type { StatusLine } from "./statusLine";

export class Guard {
  /** @param told of what failed in the background */
  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly told: StatusLine,
  ) {}

  /**
   * @param doing what was being done; the log has these words, a person those of their language
   * @returns the result, or undefined after the failure was logged and shown
   */
  async run<Result>(
    doing: Doing,
    action: () => Result | PromiseLike<Result>,
  ): Promise<Result | undefined> {
    try {
      return await action();
    } catch (error) {
      this.show(doing, error);
      return undefined;
    }
  }

  private show(doing: Doing, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.log.error(
      `Could not ${doing}.`,
      error instanceof Error ? (error.stack ?? reason) : reason,
    );
    const offer =
      error instanceof SettingError
        ? {
            label: vscode.l10n.t("Open Settings"),
            accept: () => {
              openSetting(error.setting);
            },
          }
        : {
            label: vscode.l10n.t("Show Log"),
            accept: () => {
              this.log.show();
            },
          };
    const told = couldNot[doing](reason);
    if (inBackground.has(doing)) {
      this.told.tell({
        text: `$(warning) ${vscode.l10n.t("Fathom: see the log")}`,
        tooltip: told,
        follow: offer.accept,
      });
      return;
    }
    void vscode.window.showErrorMessage(told, offer.label).then((choice) => {
      if (choice === offer.label) offer.accept();
    });
  }
}
