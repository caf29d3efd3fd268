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
    return this.all[file];
  }

  /** @param checkpoint undefined forgets what was chosen */
  async choose(file: string, checkpoint: string | undefined): Promise<void> {
    const others = Object.entries(this.all).filter(([other]) => other !== file);
    const own = checkpoint === undefined ? [] : [[file, checkpoint] as const];
    const chosen = Object.fromEntries([...others, ...own]);
    await this.memory.update(memoryKey, chosen);
    this.didChange.fire();
  }

  dispose(): void {
    this.didChange.dispose();
  }

  private get all(): Readonly<Record<string, string>> {
    return this.memory.get<Record<string, string>>(memoryKey) ?? {};
  }
}
