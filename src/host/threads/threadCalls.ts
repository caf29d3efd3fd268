/**
 * Calls of a thread by messages, and the thread itself: the extension host is one thread for all
 * extensions, so what takes long is done in another, which starts with the first call.
 */
import { Worker } from "node:worker_threads";
import { t } from "@vscode/l10n";
import { textsInUse } from "../../report/texts";
import type { FromThread, Method, ThreadStart, ToThread } from "./threadMessages";

interface Call {
  resolve: (output: unknown) => void;
  reject: (error: Error) => void;
}

export interface ThreadOptions {
  /** The bundled thread, which hands what it answers to `answerCalls`. */
  readonly script: string;
  /** A thread that nobody has asked for this long is ended; its memory is given back. */
  readonly idleMs: number;
  /** What an error in the thread is here; it has lost all but these on the way. */
  readonly errorOf: (name: string, message: string) => Error;
  /** What the thread finds in its `ThreadStart`. */
  readonly data?: unknown;
}

/** @template Methods what the thread answers */
export class ThreadCalls<Methods extends object> {
  private thread: Worker | undefined;
  private readonly calls = new Map<number, Call>();
  private lastId = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ThreadOptions) {}

  /** False before the first call and after the thread was ended: then it knows nothing. */
  get isRunning(): boolean {
    return this.thread !== undefined;
  }

  async call<Name extends keyof Methods & string>(
    method: Name,
    input: Parameters<Method<Methods, Name>>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Method<Methods, Name>>>> {
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const abort = (): void => {
      this.thread?.postMessage({ type: "abort", id } satisfies ToThread);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const output = await new Promise<unknown>((resolve, reject) => {
        this.calls.set(id, { resolve, reject });
        this.send({ type: "call", id, method, input });
      });
      return output as Awaited<ReturnType<Method<Methods, Name>>>;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.calls.delete(id);
      this.endWhenIdle();
    }
  }

  dispose(): void {
    this.end(new Error(t("The window was closed.")));
  }

  private send(message: ToThread): void {
    clearTimeout(this.timer);
    this.thread ??= this.start();
    this.thread.postMessage(message);
  }

  private start(): Worker {
    const { script, data, errorOf } = this.options;
    const workerData: ThreadStart = { texts: textsInUse(), data };
    // The thread is none of the editor's: what the editor was started with is not for it.
    const thread = new Worker(script, { execArgv: [], env: {}, workerData });
    thread.unref();
    thread.on("message", (answer: FromThread) => {
      const call = this.calls.get(answer.id);
      if (answer.ok) call?.resolve(answer.output);
      else call?.reject(errorOf(answer.name, answer.message));
    });
    thread.on("error", (error: Error) => {
      // What takes more memory than there is costs its thread, and nothing else.
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
    }, this.options.idleMs);
    this.timer.unref();
  }

  private end(reason: Error): void {
    clearTimeout(this.timer);
    void this.thread?.terminate();
    this.thread = undefined;
    for (const { reject } of this.calls.values()) reject(reason);
  }
}
