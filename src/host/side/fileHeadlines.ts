/** The headlines of report files, which are read in the background, a few files at a time. */
import type { ReportFileHeadline } from "../reading/reader";

/** Files of one call: a list fills as it is read, and one change of it is not one for each file. */
const batchSize = 16;

export class FileHeadlines {
  private readonly known = new Map<string, ReportFileHeadline>();
  /** What is to be read, each with a mark: a file that is forgotten and wanted again has another. */
  private readonly wanted = new Map<string, symbol>();
  private isReading = false;

  /**
   * @param read answers for each file, in their order
   * @param heard told of the files whose headlines have come
   */
  constructor(
    private readonly read: (files: readonly string[]) => Promise<ReportFileHeadline[]>,
    private readonly heard: (files: readonly string[]) => void,
  ) {}

  /** Undefined until it has been read. */
  of(file: string): ReportFileHeadline | undefined {
    return this.known.get(file);
  }

  /** Reads what is not known yet; does not wait for it. */
  want(files: readonly string[]): void {
    for (const file of files) {
      if (!this.known.has(file) && !this.wanted.has(file)) this.wanted.set(file, Symbol(file));
    }
    if (!this.isReading) void this.readWanted();
  }

  /** The file is another, or gone: it is read when it is wanted again. */
  forget(file: string): void {
    this.known.delete(file);
    this.wanted.delete(file);
  }

  forgetAll(): void {
    this.known.clear();
    this.wanted.clear();
  }

  /** What was said of checkpoints may not hold any more: it stands until it has been read anew. */
  reviseAll(): void {
    for (const file of [...this.known.keys(), ...this.wanted.keys()]) {
      this.wanted.set(file, Symbol(file));
    }
    if (!this.isReading) void this.readWanted();
  }

  private async readWanted(): Promise<void> {
    this.isReading = true;
    while (this.wanted.size > 0) {
      const batch = [...this.wanted].slice(0, batchSize);
      const headlines = await this.headlinesOf(batch.map(([file]) => file));
      const read = batch.filter(([file, mark]) => this.wanted.get(file) === mark);
      for (const [i, [file, mark]] of batch.entries()) {
        if (this.wanted.get(file) !== mark) continue;
        this.wanted.delete(file);
        this.known.set(file, headlines[i]!);
      }
      this.heard(read.map(([file]) => file));
    }
    this.isReading = false;
  }

  private async headlinesOf(files: readonly string[]): Promise<ReportFileHeadline[]> {
    try {
      return await this.read(files);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return files.map(() => ({ problem }));
    }
  }
}
