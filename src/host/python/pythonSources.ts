/** The Python files as they are read, in the thread: open ones as edited, the others from disk. */
import { readFile, stat } from "node:fs/promises";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import { codeFiles, type CodeFiles } from "./codeFiles";
import { slashed } from "./pathOf";
import type { DocumentAt, News, TextEdit } from "./pythonMessages";

/** A longer file is data or generated. */
const longestFile = 1_000_000;

interface OpenDocument {
  version: number;
  text: string;
  /** No other state of any document has the same. */
  stamp: string;
}

interface Read {
  /** Of the text that was read: the document's state, or the file's time. */
  stamp: string;
  file: ModuleFile;
}

interface Reading {
  result: Promise<ModuleFile | undefined>;
  stop: AbortController;
}

/** The Python files of a folder. */
export interface FolderCode {
  files: readonly ModuleFile[];
  /** True where the folder holds more than are read. */
  isCut: boolean;
}

export class PythonSources {
  private readonly open = new Map<string, OpenDocument>();
  private readonly known = new Map<string, Read>();
  private readonly underWay = new Map<string, Reading>();
  /** What watched folders hold and the times of their files, until something changes there. */
  private readonly listed = new Map<string, Promise<CodeFiles>>();
  private readonly stamps = new Map<string, string>();
  private states = 0;

  constructor(private readonly reader: Promise<Pick<PythonReader, "read">>) {}

  /** What is read of a document that has been edited is of no use any more, and stops. */
  hear(news: readonly News[]): void {
    for (const each of news) {
      switch (each.kind) {
        case "opened":
          this.become(each.path, each.version, each.text);
          break;
        case "edited": {
          const before = this.open.get(each.path)?.text ?? "";
          this.become(each.path, each.version, edited(before, each.edits));
          break;
        }
        case "closed":
          this.open.delete(each.path);
          this.known.delete(each.path);
          this.stamps.delete(each.path);
          break;
        case "changed":
          this.stamps.delete(each.path);
          break;
        case "listed":
          this.listed.clear();
          this.stamps.clear();
      }
    }
  }

  /** The texts of open Python documents by path. */
  openTexts(): Map<string, string> {
    return new Map([...this.open].map(([path, { text }]) => [path, text]));
  }

  /** An open document as it was; undefined where it has been edited since. */
  async readDocument({ path, version }: DocumentAt): Promise<ModuleFile | undefined> {
    const document = this.open.get(path);
    return document?.version === version ? this.readOpen(path, document) : undefined;
  }

  /**
   * The Python files in a folder and below it, up to a number: see codeFiles.
   *
   * @param near the file whose model is looked for
   * @param isWatched true where each change in the folder is told
   */
  async readFolder(folder: string, near: string, isWatched: boolean): Promise<FolderCode> {
    const { files: names, isCut } = await this.list(folder, near, isWatched);
    const files: ModuleFile[] = [];
    for (const name of names) {
      const read = await this.readLatest(slashed(name), isWatched);
      if (read !== undefined) files.push(read);
    }
    return { files, isCut };
  }

  private become(path: string, version: number, text: string): void {
    this.open.set(path, { version, text, stamp: `state ${++this.states}` });
    this.underWay.get(path)?.stop.abort();
  }

  private list(folder: string, near: string, isWatched: boolean): Promise<CodeFiles> {
    const question = `${folder}\n${near}`;
    const listing = this.listed.get(question) ?? codeFiles(folder, near);
    if (isWatched) this.listed.set(question, listing);
    return listing;
  }

  /** However often a document is edited meanwhile. */
  private async readLatest(path: string, isWatched: boolean): Promise<ModuleFile | undefined> {
    for (let document = this.open.get(path); document; document = this.open.get(path)) {
      const file = await this.readOpen(path, document);
      if (file !== undefined) return file;
    }
    const stamp = this.stamps.get(path) ?? (await stampOf(path));
    if (stamp === undefined) return undefined;
    if (isWatched) this.stamps.set(path, stamp);
    return this.read(path, stamp, () => readFile(path, "utf8"));
  }

  /** @returns undefined where the document has been edited since */
  private readOpen(path: string, document: OpenDocument): Promise<ModuleFile | undefined> {
    const isLatest = (): boolean => this.open.get(path) === document;
    return this.read(path, document.stamp, () => (isLatest() ? document.text : undefined));
  }

  /**
   * One read of a file at a time: each takes over what the last one found unchanged.
   *
   * @param text asked when it is the file's turn
   * @returns undefined where there is no text, or the document was edited meanwhile
   */
  private async read(
    path: string,
    stamp: string,
    text: () => string | undefined | Promise<string>,
  ): Promise<ModuleFile | undefined> {
    let reading = this.underWay.get(path);
    for (; reading !== undefined; reading = this.underWay.get(path)) {
      await reading.result.catch(() => undefined);
    }
    const before = this.known.get(path);
    if (before?.stamp === stamp) return before.file;
    const stop = new AbortController();
    const result = (async () => {
      const [reader, content] = [await this.reader, await text()];
      if (content === undefined) return undefined;
      const file = await reader.read(path, content, before?.file, stop.signal);
      if (file !== undefined) this.known.set(path, { stamp, file });
      return file;
    })();
    this.underWay.set(path, { result, stop });
    try {
      return await result;
    } finally {
      this.underWay.delete(path);
    }
  }
}

function edited(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce(
    (before, { offset, length, text: inserted }) =>
      before.slice(0, offset) + inserted + before.slice(offset + length),
    text,
  );
}

/** Of a file on disk; undefined where it is gone or is not read. */
async function stampOf(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch(() => undefined);
  return stats === undefined || stats.size > longestFile ? undefined : `time ${stats.mtimeMs}`;
}
