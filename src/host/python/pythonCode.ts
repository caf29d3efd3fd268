/** The Python code of the workspace, read in a thread of its own: what the extension asks of it. */
import path from "node:path";
import type * as vscode from "vscode";
import { ThreadCalls } from "../threads/threadCalls";
import { OpenDocuments } from "./openDocuments";
import { pathOf } from "./pathOf";
import type {
  Fit,
  FitQuestion,
  News,
  PythonMethods,
  PythonThreadData,
  SitePlace,
} from "./pythonMessages";
import type { ScaledModel, ScalingRequest } from "./scaleModel";

/** Code that nobody has looked at for so long is forgotten, in milliseconds. */
const idleMs = 10 * 60_000;

interface Asked {
  version: number;
  sites: Promise<readonly SitePlace[] | undefined>;
}

export class PythonCode {
  private readonly thread: ThreadCalls<PythonMethods>;
  private readonly documents = new OpenDocuments();
  /** Of files on disk, as they come. */
  private readonly news = new Map<string, News>();
  private readonly asked = new WeakMap<vscode.TextDocument, Asked>();
  private readonly cutFolders = new Set<string>();

  /**
   * @param bundles the folder of the thread's script and of the parser's WebAssembly
   * @param openDocuments those of the editor
   */
  constructor(
    bundles: string,
    private readonly openDocuments: () => readonly vscode.TextDocument[],
    private readonly log: Pick<vscode.LogOutputChannel, "warn">,
  ) {
    this.thread = new ThreadCalls({
      script: path.join(bundles, "python.js"),
      idleMs,
      errorOf: (_name, message) => new Error(message),
      data: { folder: bundles } satisfies PythonThreadData,
    });
  }

  /** The norm sites of a document as it stands; undefined where it was edited meanwhile. */
  async sitesOf(document: vscode.TextDocument): Promise<readonly SitePlace[] | undefined> {
    const { version } = document;
    let asked = this.asked.get(document);
    if (asked?.version !== version) {
      const at = { path: pathOf(document.uri), version };
      asked = { version, sites: this.thread.call("sitesOf", [this.tell(document), at]) };
      this.asked.set(document, asked);
    }
    try {
      const sites = await asked.sites;
      return document.version === version ? sites : undefined;
    } catch (error) {
      this.asked.delete(document);
      throw error;
    }
  }

  /** Whether a document as it stands makes a checkpoint's norms; undefined where it was edited meanwhile. */
  async fitOf(
    document: vscode.TextDocument,
    question: Omit<FitQuestion, "at">,
  ): Promise<Fit | undefined> {
    const { version } = document;
    const at = { path: pathOf(document.uri), version };
    const fit = await this.thread.call("fitOf", [this.tell(document), { ...question, at }]);
    for (const [folder, count] of fit?.cut ?? []) this.warnOfCut(folder, count, at.path);
    return document.version === version ? fit : undefined;
  }

  /** LayerNorm Scaling of the model that a file is part of. */
  scale(request: ScalingRequest): Promise<ScaledModel> {
    return this.thread.call("scale", [this.tell(), request]);
  }

  /** A document was edited or its line ends were. */
  documentChanged(event: vscode.TextDocumentChangeEvent): void {
    this.documents.changed(event);
  }

  documentClosed(document: vscode.TextDocument): void {
    this.documents.close(document);
  }

  /** A file's text on disk is another. */
  fileChanged(uri: vscode.Uri): void {
    const file = pathOf(uri);
    if (file.endsWith(".py")) this.news.set(file, { kind: "changed", path: file });
  }

  /** Files or folders were made or deleted. */
  filesListed(): void {
    this.news.set("", { kind: "listed" });
  }

  dispose(): void {
    this.thread.dispose();
  }

  /** What the thread has not been told yet. @param document counts, whatever its name */
  private tell(document?: vscode.TextDocument): News[] {
    if (!this.thread.isRunning) this.documents.forget();
    const python = this.openDocuments().filter(
      ({ uri }) => uri.scheme === "file" && uri.path.endsWith(".py"),
    );
    // What is asked of a document may come after it was closed, and a closed one is told no more.
    const asked = document === undefined || document.isClosed ? [] : [document];
    const documents = new Set([...python, ...asked]);
    const news = [...this.news.values(), ...this.documents.news(documents)];
    this.news.clear();
    return news;
  }

  private warnOfCut(folder: string, count: number, near: string): void {
    if (this.cutFolders.has(folder)) return;
    this.cutFolders.add(folder);
    this.log.warn(
      `${folder} holds more Python files than are read: the ${count} nearest to ${near} are.`,
    );
  }
}
