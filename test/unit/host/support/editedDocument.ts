import type { OpenDocuments } from "../../../../src/host/python/openDocuments";
import { pathOf } from "../../../../src/host/python/pathOf";

/** The editor's own types, as what is tested names them. */
type TextDocument = Parameters<OpenDocuments["close"]>[0];
type ChangeEvent = Parameters<OpenDocuments["changed"]>[0];

/** An open document of the editor, as far as what reads Python looks at it. */
export class EditedDocument {
  version = 1;
  isClosed = false;

  constructor(
    readonly file: string,
    public text: string,
  ) {}

  /** As the editor hands it out. */
  get open(): TextDocument {
    return this as unknown as TextDocument;
  }

  get uri() {
    return { fsPath: this.file, path: pathOf({ fsPath: this.file }), scheme: "file" };
  }

  get lineCount(): number {
    return this.text.split("\n").length;
  }

  getText(): string {
    return this.text;
  }

  lineAt(line: number) {
    const lines = this.text.split("\n").slice(0, line + 1);
    return { range: { end: lines.join("\n").length } };
  }

  offsetAt(place: number): number {
    return place;
  }

  /** Edits the text, as the editor tells of it; each edit is of what those before it have left. */
  edit(...edits: { at: number; remove?: number; insert?: string }[]) {
    this.version++;
    const contentChanges = edits.map(({ at, remove = 0, insert = "" }) => {
      this.text = this.text.slice(0, at) + insert + this.text.slice(at + remove);
      return { rangeOffset: at, rangeLength: remove, text: insert };
    });
    return { document: this, contentChanges } as unknown as ChangeEvent;
  }
}
