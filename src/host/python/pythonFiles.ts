/** The Python files of the workspace as they are read: open ones as edited, the others from disk. */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import { textsInUse } from "../../report/texts";
import { skippedFolders } from "./skippedFolders";

/** A longer file is data or generated. */
const longestFile = 1_000_000;
/** Files of one model: a package of training code, not all that was ever installed. */
const mostFiles = 200;
const deepestFolder = 4;

interface Read {
  /** Of the text that was read: the document's version, or the file's time. */
  stamp: string;
  file: ModuleFile;
}

/** The name of a file as it is read: its path, with slashes everywhere. */
export function pathOf({ fsPath }: vscode.Uri): string {
  return fsPath.replaceAll(path.sep, "/");
}

export class PythonFiles implements vscode.Disposable {
  private readonly known = new Map<string, Read>();
  private readonly underWay = new Map<string, Promise<ModuleFile | undefined>>();
  private readonly subscription: vscode.Disposable;
  private reader: Promise<PythonReader> | undefined;

  /** @param folder where the WebAssembly of the parser lies */
  constructor(private readonly folder: string) {
    this.subscription = vscode.workspace.onDidCloseTextDocument((document) => {
      this.known.delete(document.uri.fsPath);
    });
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
   * All Python files in a folder and below it, up to a number; hidden folders and those of
   * installed packages are left out.
   */
  async readFolder(folder: string): Promise<ModuleFile[]> {
    const open = new Map(
      vscode.workspace.textDocuments.map((document) => [document.uri.fsPath, document]),
    );
    const files: ModuleFile[] = [];
    for (const file of await pythonFilesIn(folder)) {
      const document = open.get(file);
      const read = document ? await this.readDocument(document) : await this.readFile(file);
      if (read !== undefined) files.push(read);
    }
    return files;
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private async readFile(file: string): Promise<ModuleFile | undefined> {
    const stats = await stat(file).catch(() => undefined);
    if (stats === undefined || stats.size > longestFile) return undefined;
    return this.read(file, `time ${stats.mtimeMs}`, () => readFile(file, "utf8"));
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

async function pythonFilesIn(folder: string, depth = 0): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".py"))
    .map((entry) => path.join(folder, entry.name))
    .sort();
  if (depth === deepestFolder) return files;
  for (const entry of entries) {
    if (files.length >= mostFiles) break;
    if (!entry.isDirectory() || skippedFolders.test(entry.name)) continue;
    files.push(...(await pythonFilesIn(path.join(folder, entry.name), depth + 1)));
  }
  return files.slice(0, mostFiles);
}
