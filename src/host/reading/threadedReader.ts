/**
 * Reads in a thread of its own, so that no file, however large, holds up the editor: the extension
 * host is one thread for all extensions.
 */
import { Worker } from "node:worker_threads";
import { t } from "@vscode/l10n";
import type { Report } from "../../diagnosis/report";
import type { NamedReport } from "../../report/comparison";
import { packReport, unpackReport } from "../../report/packedReport";
import { textsInUse } from "../../report/texts";
import type { TrainingRun } from "../../trainingRun/discover";
import type { LossLogs } from "../../trainingRun/lossLogs";
import type { ExportedRun } from "../../trainingRun/runReport";
import type { DirectoryRequest, PackedDirectory } from "../../protocol/directory";
import type { Outlook } from "../../diagnosis/outlook";
import type { ReportHeadline } from "../reports/reportStore";
import {
  ReadingError,
  type CheckpointContent,
  type FoundStatement,
  type Reader,
  type TextFormat,
} from "./reader";
import type { FromReader, PackedReader, ReaderMethod, ToReader } from "./readerMessages";

/** A thread that nobody has asked for this long is ended; its memory is given back. */
const idleMs = 60_000;

interface Call {
  resolve: (output: unknown) => void;
  reject: (error: Error) => void;
}

export class ThreadedReader implements Reader {
  private thread: Worker | undefined;
  private readonly calls = new Map<number, Call>();
  private lastId = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param script the bundled thread, `dist/reader.js`; it starts with the first call */
  constructor(private readonly script: string) {}

  async readReport(file: string): Promise<Report> {
    return unpackReport(await this.call("readReport", [file]));
  }

  async parseReport(bytes: Uint8Array): Promise<Report> {
    return unpackReport(await this.call("parseReport", [bytes]));
  }

  writeReport(file: string, report: Report): Promise<void> {
    return this.call("writeReport", [file, packReport(report)]);
  }

  readIndex(file: string): Promise<ReportHeadline[]> {
    return this.call("readIndex", [file]);
  }

  reportContent(report: Report, format: TextFormat, webview: string): Promise<Uint8Array> {
    return this.call("reportContent", [packReport(report), format, webview]);
  }

  comparisonContent(
    reports: readonly NamedReport[],
    reference: number,
    format: TextFormat,
    webview: string,
  ): Promise<Uint8Array> {
    const packed = reports.map(({ name, report }) => ({ name, report: packReport(report) }));
    return this.call("comparisonContent", [packed, reference, format, webview]);
  }

  runContent(run: ExportedRun, format: TextFormat, webview: string): Promise<Uint8Array> {
    return this.call("runContent", [run, format, webview]);
  }

  contentOf(
    checkpoint: string,
    textFiles: readonly string[],
    signal: AbortSignal,
    fingerprints?: string,
  ): Promise<CheckpointContent> {
    return this.call("contentOf", [checkpoint, textFiles, fingerprints], signal);
  }

  incompleteness(checkpoint: string): Promise<string | undefined> {
    return this.call("incompleteness", [checkpoint]);
  }

  directoryOf(checkpoint: string): Promise<PackedDirectory> {
    return this.call("directoryOf", [checkpoint]);
  }

  outlookOf(request: DirectoryRequest): Promise<Outlook> {
    return this.call("outlookOf", [request]);
  }

  statementOf(checkpoint: string): Promise<FoundStatement> {
    return this.call("statementOf", [checkpoint]);
  }

  readLossLogs(run: TrainingRun): Promise<LossLogs> {
    return this.call("readLossLogs", [run]);
  }

  dispose(): void {
    this.end(new Error(t("The window was closed.")));
  }

  private async call<Method extends ReaderMethod>(
    method: Method,
    input: Parameters<PackedReader[Method]>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<PackedReader[Method]>>> {
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const abort = (): void => {
      this.thread?.postMessage({ type: "abort", id } satisfies ToReader);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const output = await new Promise<unknown>((resolve, reject) => {
        this.calls.set(id, { resolve, reject });
        this.send({ type: "call", id, method, input });
      });
      return output as Awaited<ReturnType<PackedReader[Method]>>;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.calls.delete(id);
      this.endWhenIdle();
    }
  }

  private send(message: ToReader): void {
    clearTimeout(this.timer);
    this.thread ??= this.start();
    this.thread.postMessage(message);
  }

  private start(): Worker {
    // The thread is none of the editor's: what the editor was started with is not for it.
    const thread = new Worker(this.script, {
      execArgv: [],
      env: {},
      workerData: textsInUse(),
    });
    thread.unref();
    thread.on("message", (answer: FromReader) => {
      const call = this.calls.get(answer.id);
      if (answer.ok) call?.resolve(answer.output);
      else call?.reject(new ReadingError(answer.name, answer.message));
    });
    thread.on("error", (error: Error) => {
      // A file that takes more memory than there is costs its reader, and nothing else.
      if (this.thread === thread) this.end(error);
    });
    thread.on("exit", (code) => {
      if (this.thread === thread)
        this.end(new Error(t("The reading thread ended with code {0}.", code)));
    });
    return thread;
  }

  private endWhenIdle(): void {
    if (this.calls.size > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.end(new Error(t("The reading thread was ended.")));
    }, idleMs);
    this.timer.unref();
  }

  private end(reason: Error): void {
    clearTimeout(this.timer);
    void this.thread?.terminate();
    this.thread = undefined;
    for (const { reject } of this.calls.values()) reject(reason);
  }
}
