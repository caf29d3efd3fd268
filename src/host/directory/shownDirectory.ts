/** Shows a checkpoint file as its tensor directory, and follows the file as it changes. */
import path from "node:path";
import * as vscode from "vscode";
import type {
  DirectoryRequest,
  DirectoryToHost,
  HostToDirectory,
  PackedDirectory,
} from "../../protocol/directory";
import { namedCheckpoint } from "../checkpointPicker";
import type { Guard } from "../guard";
import { commands, settingsSection } from "../ids";
import { PagePanel } from "../pagePanel";
import type { Reader } from "../reading/reader";
import type { Readings } from "../readings/readings";
import { useTexts } from "../../report/texts";
import { editorTexts } from "../texts";

// A bundle has its own.
useTexts(editorTexts());

export interface DirectoryServices {
  extensionUri: vscode.Uri;
  guard: Guard;
  log: vscode.LogOutputChannel;
  reader: Pick<Reader, "directoryOf" | "outlookOf">;
  readings: Pick<Readings, "requestFor">;
}

/** One checkpoint on show. */
export class ShownDirectory {
  private readonly page: PagePanel<HostToDirectory, DirectoryToHost>;
  private readonly subscriptions: vscode.Disposable[] = [];
  /** What a page that is drawn anew is told. */
  private readonly latest: {
    content?: HostToDirectory & { type: "directory" | "failed" };
    outlook?: HostToDirectory & { type: "outlook" };
  } = {};
  private packed: PackedDirectory | undefined;
  private watched: vscode.Disposable | undefined;
  private watchedFolder = "";
  /** Of the readings the last one counts. */
  private reading = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly uri: vscode.Uri,
    panel: vscode.WebviewPanel,
    private readonly services: DirectoryServices,
  ) {
    this.page = new PagePanel<HostToDirectory, DirectoryToHost>(
      panel,
      "directory",
      services,
      {
        messages: () => this.messages(),
        received: (message) => this.receive(message),
        closed: () => {
          this.close();
        },
      },
      "do what the directory asked",
    );
    this.subscriptions.push(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingsSection, uri)) this.refreshSoon();
      }),
    );
    // Also while the file is missing or broken, it may be put right.
    if (uri.scheme === "file") this.watch(path.dirname(uri.fsPath));
  }

  /** Reads the directory and shows it, or what is wrong with the file; then what a diagnosis takes. */
  async refresh(): Promise<void> {
    const reading = ++this.reading;
    const isOutdated = (): boolean => this.isClosed || reading !== this.reading;
    const content = await this.read();
    if (isOutdated()) return;
    this.latest.content = content;
    delete this.latest.outlook;
    this.page.post(content);
    if (content.type === "failed") return;
    const outlook = await this.outlook();
    if (isOutdated()) return;
    this.latest.outlook = outlook;
    this.page.post(outlook);
  }

  private async read(): Promise<HostToDirectory & { type: "directory" | "failed" }> {
    const { uri } = this;
    if (uri.scheme !== "file") {
      return {
        type: "failed",
        reason: vscode.l10n.t("{0} is not a file on this machine.", uri.toString()),
      };
    }
    const began = performance.now();
    try {
      this.packed = await this.services.reader.directoryOf(uri.fsPath);
    } catch (error) {
      return { type: "failed", reason: this.reasonOf(error) };
    }
    const taken = Math.round(performance.now() - began);
    this.services.log.debug(`Read the tensor directory of ${uri.fsPath} in ${taken} ms.`);
    this.watch(this.packed.folder);
    return { type: "directory", directory: this.packed.directory };
  }

  private async outlook(): Promise<HostToDirectory & { type: "outlook" }> {
    try {
      const outlook = await this.services.reader.outlookOf(this.request());
      return { type: "outlook", outlook };
    } catch (error) {
      return { type: "outlook", outlook: { kind: "failed", reason: this.reasonOf(error) } };
    }
  }

  private request(): DirectoryRequest {
    const whole = this.services.readings.requestFor(this.uri.fsPath);
    const { checkpoint, sequenceLength, maxTokens, metrics, probes } = whole;
    const { scheme, stack, chosenReading, threads, memoryBytes } = whole;
    return {
      ...{ checkpoint, sequenceLength, maxTokens, metrics, probes },
      ...(scheme === undefined ? {} : { scheme }),
      ...(stack === undefined ? {} : { stack }),
      ...(chosenReading === undefined ? {} : { chosenReading }),
      ...(threads === undefined ? {} : { threads }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    };
  }

  /** What is wrong in one line; what nobody expected is for the log too. */
  private reasonOf(error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    // By its name: the class is one of the bundle that the reader is in.
    const isExpected = error instanceof Error && error.name === "CheckpointError";
    if (!isExpected) this.services.log.error(`Could not read ${this.uri.toString()}.`, reason);
    return reason.split("\n")[0]!;
  }

  private messages(): HostToDirectory[] {
    const { name } = namedCheckpoint(this.uri.fsPath);
    const { content, outlook } = this.latest;
    return [
      { type: "reading", name, path: this.uri.fsPath },
      ...(content ? [content] : []),
      ...(outlook ? [outlook] : []),
    ];
  }

  private receive(message: Exclude<DirectoryToHost, { type: "ready" }>): unknown {
    switch (message.type) {
      case "diagnose":
        return vscode.commands.executeCommand(commands.diagnoseDepth, this.uri);
      case "copy":
        return vscode.env.clipboard.writeText(message.name);
      case "reveal": {
        const file = this.packed?.files[message.file];
        return file && vscode.commands.executeCommand("revealInExplorer", this.explorerUri(file));
      }
    }
  }

  /** The explorer knows a linked file by its name beside the index, not by where the link leads. */
  private explorerUri(file: string): vscode.Uri {
    const real = vscode.Uri.file(file);
    const isKnown = vscode.workspace.getWorkspaceFolder(real) !== undefined;
    return isKnown ? real : this.uri;
  }

  /** Follows what lies in this folder and was read, instead of another folder. */
  private watch(folder: string): void {
    if (this.watchedFolder === folder) return;
    this.watchedFolder = folder;
    this.watched?.dispose();
    // A pattern for the folder: a file's own name may hold what patterns are made of.
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.file(folder), "*"),
    );
    const changed = ({ fsPath }: vscode.Uri): void => {
      if (this.isRead(fsPath)) this.refreshSoon();
    };
    watcher.onDidChange(changed);
    watcher.onDidCreate(changed);
    watcher.onDidDelete(changed);
    this.watched = watcher;
  }

  private isRead(file: string): boolean {
    if (file === this.uri.fsPath || this.packed === undefined) return file === this.uri.fsPath;
    const { names, files } = this.packed;
    return names.includes(path.basename(file)) || files.includes(file);
  }

  private refreshSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      void this.services.guard.run("read the checkpoint again", () => this.refresh());
    }, settleMs);
  }

  private close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.watched?.dispose();
    for (const part of this.subscriptions) part.dispose();
  }
}

/** What writes a checkpoint does so in pieces. */
const settleMs = 300;
