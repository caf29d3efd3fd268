/** What the thread that reads Python has to be told of the open documents before it is asked. */
import type * as vscode from "vscode";
import { pathOf } from "./pathOf";
import type { News, TextEdit } from "./pythonMessages";

/** Beyond this many the text is sent anew. */
const mostEdits = 1000;

/** An open document as the thread will know it once the edits are sent. */
interface Told {
  document: vscode.TextDocument;
  version: number;
  /** Of the text, in UTF-16 code units. */
  length: number;
  edits: TextEdit[];
}

export class OpenDocuments {
  private readonly told = new Map<string, Told>();
  private readonly closed = new Set<string>();

  /** To be called for each event: what is not called for is told as a whole text. */
  changed({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const told = this.told.get(pathOf(document.uri));
    if (told?.document !== document || told.version === document.version) return;
    for (const { rangeOffset: offset, rangeLength: length, text } of contentChanges) {
      told.edits.push({ offset, length, text });
      told.length += text.length - length;
    }
    told.version = document.version;
  }

  close(document: vscode.TextDocument): void {
    const path = pathOf(document.uri);
    if (this.told.delete(path)) this.closed.add(path);
  }

  /** To be called when the thread has ended, and what it was told with it. */
  forget(): void {
    this.told.clear();
    this.closed.clear();
  }

  /** What has changed since the last time, if this is sent. */
  news(documents: Iterable<vscode.TextDocument>): News[] {
    const news: News[] = [...this.closed].map((path) => ({ kind: "closed", path }));
    this.closed.clear();
    for (const document of documents) {
      const [path, { version }] = [pathOf(document.uri), document];
      const told = this.told.get(path);
      if (told !== undefined && isWhole(told, document)) {
        const { edits } = told;
        if (edits.length > 0) news.push({ kind: "edited", path, version, edits });
        told.edits = [];
      } else {
        const text = document.getText();
        this.told.set(path, { document, version, length: text.length, edits: [] });
        news.push({ kind: "opened", path, version, text });
      }
    }
    return news;
  }
}

/** Whether the edits lead to the document as it stands: line ends may change without any. */
function isWhole({ document: known, version, length, edits }: Told, document: vscode.TextDocument) {
  if (known !== document || version !== document.version || edits.length > mostEdits) return false;
  const end = document.lineAt(document.lineCount - 1).range.end;
  return edits.length === 0 || document.offsetAt(end) === length;
}
