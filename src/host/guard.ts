/** Runs what the editor or a webview asked for, so that no failure is lost. */
import * as vscode from "vscode";

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
    const showLog = "Show Log";
    void vscode.window
      .showErrorMessage(`Fathom could not ${doing}: ${reason}`, showLog)
      .then((choice) => {
        if (choice === showLog) this.log.show();
      });
  }
}
