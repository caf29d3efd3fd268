/** Which checkpoint a person said that a Python file makes: kept for the workspace. */
import * as vscode from "vscode";

const memoryKey = "checkpointsOfCode";

export class ChosenCheckpoints implements vscode.Disposable {
  private readonly didChange = new vscode.EventEmitter<void>();
  readonly onDidChange = this.didChange.event;

  constructor(private readonly memory: vscode.Memento) {}

  /**
   * The checkpoint that was chosen for a file; undefined where none was.
   *
   * @param file as PythonFiles names it
   */
  of(file: string): string | undefined {
    return this.all.get(file);
  }

  /** By the files that they were chosen for. */
  get all(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.memory.get<Record<string, string>>(memoryKey) ?? {}));
  }

  /** @param checkpoint undefined forgets what was chosen */
  async choose(file: string, checkpoint: string | undefined): Promise<void> {
    const chosen = new Map(this.all);
    if (checkpoint === undefined) chosen.delete(file);
    else chosen.set(file, checkpoint);
    await this.memory.update(memoryKey, Object.fromEntries(chosen));
    this.didChange.fire();
  }

  dispose(): void {
    this.didChange.dispose();
  }
}
