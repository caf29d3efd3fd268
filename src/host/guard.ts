/** Runs what the editor or a webview asked for, so that no failure is lost. */
import * as vscode from "vscode";
import { settingsSection } from "./ids";
import { SettingError } from "./requestOf";

export class Guard {
  constructor(private readonly log: vscode.LogOutputChannel) {}

  /**
   * @param doing what was being done, to follow "Fathom could not"
   * @returns the result, or undefined after the failure was logged and shown
   */
  async run<Result>(
    doing: string,
    action: () => Result | PromiseLike<Result>,
  ): Promise<Result | undefined> {
    try {
      return await action();
    } catch (error) {
      this.show(doing, error);
      return undefined;
    }
  }

  private show(doing: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.log.error(
      `Could not ${doing}.`,
      error instanceof Error ? (error.stack ?? reason) : reason,
    );
    const offer =
      error instanceof SettingError
        ? {
            label: "Open Settings",
            accept: () => {
              openSettings(`${settingsSection}.${error.setting}`);
            },
          }
        : {
            label: "Show Log",
            accept: () => {
              this.log.show();
            },
          };
    void vscode.window
      .showErrorMessage(`Fathom could not ${doing}: ${reason}`, offer.label)
      .then((choice) => {
        if (choice === offer.label) offer.accept();
      });
  }
}

function openSettings(query: string): void {
  void vscode.commands.executeCommand("workbench.action.openSettings", query);
}
