/** The command "Diagnose Depth", from wherever it was invoked. */
import { stat } from "node:fs/promises";
import * as vscode from "vscode";
import { weightExtensions } from "../checkpoint/weightFiles";
import type { Report } from "../diagnosis/report";
import { isCheckpointFile, type Checkpoint } from "./checkpoint";
import { namedCheckpoint, type CheckpointPicker } from "./checkpointPicker";
import type { Diagnoses } from "./diagnoses";
import type { StartOptions } from "./diagnosis";

export class DiagnoseCommand {
  constructor(
    private readonly picker: CheckpointPicker,
    private readonly diagnoses: Diagnoses,
  ) {}

  /**
   * @param target a URI or path, or nothing: then the user is asked. The title of an editor whose
   *   file is still being opened passes an object that only names the editor group.
   * @param selection all that was selected in the explorer, `target` included
   * @param options for each run that this call begins
   * @returns the report of `target` once it is done
   */
  async run(
    target?: unknown,
    selection?: unknown,
    options: Pick<StartOptions, "isBackground" | "signal"> = {},
  ): Promise<Report | undefined> {
    const uris = Array.isArray(selection) ? selection.filter(isUri) : [];
    const targets = uris.length > 1 ? uris : [target];
    const runs = targets.map(async (one) => {
      const checkpoint = await pointedAt(one, this.picker);
      if (checkpoint === undefined) return undefined;
      await this.picker.remember(checkpoint);
      return this.diagnoses.start(checkpoint, options);
    });
    const [first] = await Promise.all(runs);
    return first;
  }
}

/**
 * The checkpoint that a command is about: what was pointed at, else what the user is asked for.
 *
 * @param target a URI or path, what a menu passes, or nothing
 * @param title of the question
 */
export async function pointedAt(
  target: unknown,
  picker: CheckpointPicker,
  title?: string,
): Promise<Checkpoint | undefined> {
  const one = isEditorGroup(target) ? openFile() : target;
  return one === undefined ? picker.pick(title) : checkpointOf(one);
}

async function checkpointOf(target: unknown): Promise<Checkpoint> {
  const uri = typeof target === "string" ? uriOf(target) : target;
  if (!isUri(uri)) {
    throw new Error(
      vscode.l10n.t("expected the URI or path of a checkpoint, not {0}.", JSON.stringify(target)),
    );
  }
  if (uri.scheme !== "file") {
    throw new Error(vscode.l10n.t("{0} is not a file on this machine.", uri.toString()));
  }
  const entry = await stat(uri.fsPath).catch(() => undefined);
  if (entry === undefined) throw new Error(vscode.l10n.t("{0} does not exist.", uri.fsPath));
  if (!entry.isDirectory() && !isCheckpointFile(uri.fsPath)) {
    throw new Error(
      vscode.l10n.t(
        "{0} is neither a weight file ({1}), the index of one in shards nor a folder.",
        uri.fsPath,
        weightExtensions.map((extension) => `.${extension}`).join(" "),
      ),
    );
  }
  return namedCheckpoint(uri.fsPath);
}

function isEditorGroup(target: unknown): boolean {
  return typeof target === "object" && target !== null && "groupId" in target;
}

/** The file of the active tab, if there is one. */
function openFile(): vscode.Uri | undefined {
  const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const hasUri = typeof input === "object" && input !== null && "uri" in input;
  return hasUri && isUri(input.uri) ? input.uri : undefined;
}

function isUri(value: unknown): value is vscode.Uri {
  return value instanceof vscode.Uri;
}

function uriOf(text: string): vscode.Uri {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(text)
    ? vscode.Uri.parse(text, true)
    : vscode.Uri.file(text);
}
