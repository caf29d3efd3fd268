/** Asks which checkpoint to diagnose: those of the workspace, the last one first, or any other. */
import path from "node:path";
import * as vscode from "vscode";
import { indexEndings, weightExtensions } from "../checkpoint/weightFiles";
import { checkpointAt, type Checkpoint } from "./checkpoint";
import type { CheckpointFolders } from "./checkpointFolders";

const lastCheckpointKey = "lastCheckpoint";

export class CheckpointPicker {
  constructor(
    private readonly folders: CheckpointFolders,
    private readonly memory: vscode.Memento,
  ) {}

  async pick(title = vscode.l10n.t("Diagnose Depth")): Promise<Checkpoint | undefined> {
    const choice = await vscode.window.showQuickPick(this.items(), {
      title,
      placeHolder: vscode.l10n.t("Which checkpoint?"),
      matchOnDescription: true,
    });
    return choice?.checkpoint ?? (await choice?.browse?.());
  }

  /** Puts `checkpoint` on top of the list from now on. */
  async remember(checkpoint: Checkpoint): Promise<void> {
    await this.memory.update(lastCheckpointKey, checkpoint.path);
  }

  private async items(): Promise<Item[]> {
    const last = this.memory.get<string>(lastCheckpointKey);
    const lastKey = last === undefined ? undefined : namedCheckpoint(last).key;
    const found = (await this.folders.search()).map(namedCheckpoint);
    found.sort((a, b) => Number(b.key === lastKey) - Number(a.key === lastKey));
    return [
      ...found.map((checkpoint) => ({
        label: checkpoint.name,
        description: checkpoint.key === lastKey ? vscode.l10n.t("diagnosed last") : "",
        iconPath: new vscode.ThemeIcon("layers"),
        checkpoint,
      })),
      { label: "", kind: vscode.QuickPickItemKind.Separator },
      {
        label: vscode.l10n.t("Browse for a checkpoint folder…"),
        iconPath: new vscode.ThemeIcon("folder-opened"),
        browse: () => browse({ canSelectFiles: false, canSelectFolders: true }),
      },
      {
        label: vscode.l10n.t("Browse for a weight file or shard index…"),
        iconPath: new vscode.ThemeIcon("file"),
        browse: () =>
          browse({
            filters: { [vscode.l10n.t("Weights")]: [...weightExtensions, ...indexEndings] },
          }),
      },
    ];
  }
}

/** Names a checkpoint by its path from the workspace folder that it lies in. */
export function namedCheckpoint(file: string): Checkpoint {
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
  return checkpointAt(file, folder?.uri.fsPath);
}

interface Item extends vscode.QuickPickItem {
  checkpoint?: Checkpoint;
  browse?: () => Promise<Checkpoint | undefined>;
}

async function browse(options: vscode.OpenDialogOptions): Promise<Checkpoint | undefined> {
  const start = vscode.workspace.workspaceFolders?.[0]?.uri;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t("Diagnose Depth"),
      openLabel: vscode.l10n.t("Diagnose"),
      ...(start === undefined ? {} : { defaultUri: start }),
      ...options,
    })) ?? [];
  return chosen === undefined ? undefined : namedCheckpoint(path.normalize(chosen.fsPath));
}
