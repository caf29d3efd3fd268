/** Gathers the changes to Python files: a norm's numbers may depend on other files than its own. */
import { pathOf } from "./pathOf";
import { skippedFolders } from "./skippedFolders";

/** How long the code rests before it is looked at again, in milliseconds: a checkout changes many files. */
const restMs = 300;

/** A file with Python, or what may be a folder of such: a folder that goes is told without its files. */
const codeOrFolder = /(\.py|^\.?[^.]+|\.\d[^.]*)$/;

interface Uri {
  readonly scheme: string;
  readonly fsPath: string;
}

interface Document {
  readonly uri: Uri;
  readonly isDirty: boolean;
}

export interface CodeChangesOptions {
  /** The files beside which something is shown that depends on the code. Asked of each change. */
  watching(): readonly Uri[];
  /** A document is read as it is edited, so that its file on disk does not count. */
  isOpen(path: string): boolean;
  /** The path of a file from its workspace folder on. */
  relative(uri: Uri): string;
  /** Called for each change, at once: what was found before counts no more. */
  changed(): void;
  /**
   * Called once changes rest, where anybody is watching.
   *
   * @param isElsewhere true where a file that is watched depends on another that has changed
   */
  settled(isElsewhere: boolean): void;
}

export class CodeChanges {
  private readonly unsaved = new Set<string>();
  private readonly paths = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: CodeChangesOptions) {}

  edited({ uri, isDirty }: Document): void {
    if (!isPython(uri)) return;
    if (isDirty) this.unsaved.add(pathOf(uri));
    this.note(uri);
  }

  saved({ uri }: Document): void {
    this.unsaved.delete(pathOf(uri));
  }

  /** Where edits go with it, the file on disk counts again. */
  closed({ uri }: Document): void {
    if (this.unsaved.delete(pathOf(uri))) this.note(uri);
  }

  /** A file's text on disk is another. */
  written(uri: Uri): void {
    if (isPython(uri) && !this.options.isOpen(pathOf(uri))) this.noteOnDisk(uri);
  }

  /** A file or folder was made or deleted. */
  listed(uri: Uri): void {
    if (codeOrFolder.test(pathOf(uri).split("/").at(-1)!)) this.noteOnDisk(uri);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private noteOnDisk(uri: Uri): void {
    const steps = pathOf({ fsPath: this.options.relative(uri) }).split("/");
    if (!steps.some((step) => skippedFolders.test(step))) this.note(uri);
  }

  private note(uri: Uri): void {
    this.options.changed();
    if (this.options.watching().length === 0) return;
    this.paths.add(pathOf(uri));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.settle();
    }, restMs);
  }

  private settle(): void {
    const watching = this.options.watching().map(pathOf);
    const isElsewhere = watching.some((path) => this.paths.size > 1 || !this.paths.has(path));
    this.paths.clear();
    if (watching.length > 0) this.options.settled(isElsewhere);
  }
}

function isPython({ scheme, fsPath }: Uri): boolean {
  return scheme === "file" && fsPath.endsWith(".py");
}
