/** The Python files of the workspace as they are read: open ones as edited, the others from disk. */
import { readFile, stat } from "node:fs/promises";
import * as vscode from "vscode";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import { textsInUse } from "../../report/texts";
import { codeFiles, type CodeFiles } from "./codeFiles";
import { pathOf } from "./pathOf";

/** A longer file is data or generated. */
const longestFile = 1_000_000;
interface Read {
  /** Of the text that was read: the document's version, or the file's time. */
  stamp: string;
  file: ModuleFile;
}

export class PythonFiles implements vscode.Disposable {
  private readonly known = new Map<string, Read>();
  private readonly underWay = new Map<string, Promise<ModuleFile | undefined>>();
  /** What the workspace's folders hold and the times of its files, until something changes there. */
  private readonly listed = new Map<string, Promise<CodeFiles>>();
  private readonly stamps = new Map<string, string>();
  private readonly cutFolders = new Set<string>();
  private readonly subscriptions: vscode.Disposable[];
  private reader: Promise<PythonReader> | undefined;

  /** @param folder where the WebAssembly of the parser lies */
  constructor(
    private readonly folder: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    // Of a folder that goes, only the folder is told.
    const disk = vscode.workspace.createFileSystemWatcher("**/*");
    const listAnew = (): void => {
      this.listed.clear();
      this.stamps.clear();
    };
    this.subscriptions = [
      disk,
      disk.onDidCreate(listAnew),
      disk.onDidDelete(listAnew),
      disk.onDidChange(({ fsPath }) => {
        this.stamps.delete(fsPath);
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri: { fsPath } }) => {
        this.known.delete(fsPath);
        this.stamps.delete(fsPath);
      }),
    ];
  }

  /** The parser, loaded when it is first asked for. */
  load(): Promise<PythonReader> {
    this.reader ??= import("../../python/reader").then(({ PythonReader }) =>
      PythonReader.load(this.folder, textsInUse()),
    );
    return this.reader;
  }

  /** An open document as it stands; undefined where `signal` was aborted meanwhile. */
  async readDocument(
    document: vscode.TextDocument,
    signal?: AbortSignal,
  ): Promise<ModuleFile | undefined> {
    const { fsPath } = document.uri;
    const stamp = `version ${document.version}`;
    return this.read(fsPath, stamp, () => Promise.resolve(document.getText()), signal);
  }

  /**
   * The Python files in a folder and below it, up to a number: see codeFiles.
   *
   * @param near the file whose model is looked for
   */
  async readFolder(folder: string, near = folder): Promise<ModuleFile[]> {
    const open = new Map(
      vscode.workspace.textDocuments.map((document) => [document.uri.fsPath, document]),
    );
    const files: ModuleFile[] = [];
    for (const file of await this.list(folder, near)) {
      const document = open.get(file);
      const read = document ? await this.readDocument(document) : await this.readFile(file);
      if (read !== undefined) files.push(read);
    }
    return files;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async list(folder: string, near: string): Promise<readonly string[]> {
    const question = `${folder}\n${near}`;
    const listing = this.listed.get(question) ?? codeFiles(folder, near);
    if (isWatched(folder)) this.listed.set(question, listing);
    const { files, isCut } = await listing;
    if (isCut && !this.cutFolders.has(folder)) {
      this.cutFolders.add(folder);
      this.log.warn(
        `${folder} holds more Python files than are read: the ${files.length} nearest to ${near} are.`,
      );
    }
    return files;
  }

  private async readFile(file: string): Promise<ModuleFile | undefined> {
    const stamp = this.stamps.get(file) ?? (await stampOf(file));
    if (stamp === undefined) return undefined;
    if (isWatched(file)) this.stamps.set(file, stamp);
    return this.read(file, stamp, () => readFile(file, "utf8"));
  }

  /** One read of a file at a time: each takes over what the last one found unchanged. */
  private async read(
    file: string,
    stamp: string,
    text: () => Promise<string>,
    signal?: AbortSignal,
  ): Promise<ModuleFile | undefined> {
    await this.underWay.get(file)?.catch(() => undefined);
    const before = this.known.get(file);
    if (before?.stamp === stamp) return before.file;
    const reading = (async () => {
      const reader = await this.load();
      const name = pathOf(vscode.Uri.file(file));
      const read = await reader.read(name, await text(), before?.file, signal);
      if (read !== undefined) this.known.set(file, { stamp, file: read });
      return read;
    })();
    this.underWay.set(file, reading);
    try {
      return await reading;
    } finally {
      if (this.underWay.get(file) === reading) this.underWay.delete(file);
    }
  }
}

/** Of a file on disk; undefined where it is gone or is not read. */
async function stampOf(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch(() => undefined);
  return stats === undefined || stats.size > longestFile ? undefined : `time ${stats.mtimeMs}`;
}

/** Changes outside of the workspace's folders are not told. */
function isWatched(file: string): boolean {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file)) !== undefined;
}
