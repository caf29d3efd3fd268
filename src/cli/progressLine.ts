import type { EngineEvent } from "../protocol/messages";
import { progressText } from "../report/progress";
import { complain } from "./output";

/** One line on a terminal's standard error that tells where the run stands; nothing elsewhere. */
export class ProgressLine {
  private readonly isShown = process.stderr.isTTY;

  show(event: EngineEvent): void {
    if (event.type === "notice") {
      this.clear();
      complain(event.text);
    } else if (event.type === "progress" && this.isShown) {
      const text = progressText(event.progress).slice(0, process.stderr.columns - 1);
      process.stderr.write(`\r\u001b[K${text}`);
    }
  }

  clear(): void {
    if (this.isShown) process.stderr.write("\r\u001b[K");
  }
}
