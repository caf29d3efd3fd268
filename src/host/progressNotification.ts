/** A progress notification that is fed from outside and closed from outside. */
import * as vscode from "vscode";

export class ProgressNotification {
  private report: ((value: { message: string; increment: number }) => void) | undefined;
  private shownPercent = 0;
  private message = "";
  private percent = 0;
  private settle: (() => void) | undefined;

  constructor(private readonly title: string) {}

  /** Opens once; opened again, it stays as it is. */
  open(onCancel: () => void): void {
    if (this.settle !== undefined) return;
    const closed = new Promise<void>((resolve) => {
      this.settle = resolve;
    });
    void vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: this.title,
        cancellable: true,
      },
      (progress, token) => {
        token.onCancellationRequested(onCancel);
        this.report = (value) => {
          progress.report(value);
        };
        this.refresh();
        return closed;
      },
    );
  }

  /** @param fraction 0 … 1; the bar never goes back */
  show(message: string, fraction: number): void {
    this.message = message;
    this.percent = Math.max(this.percent, Math.min(100, fraction * 100));
    this.refresh();
  }

  close(): void {
    this.settle?.();
  }

  private refresh(): void {
    this.report?.({ message: this.message, increment: this.percent - this.shownPercent });
    if (this.report !== undefined) this.shownPercent = this.percent;
  }
}
