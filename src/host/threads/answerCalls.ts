/** The other side of `ThreadCalls`: what a thread answers them with. */
import { parentPort, workerData } from "node:worker_threads";
import { useTexts } from "../../report/texts";
import type { FromThread, ThreadStart, ToThread } from "./threadMessages";

/**
 * Answers the calls of this thread by methods.
 *
 * @param start is given what the thread was started with, once, and gives what has the method of each
 *   call, which it may load first; the signal of a call is aborted where nobody waits for it any more
 */
export function answerCalls(
  start: (data: unknown) => (signal: AbortSignal, method: string) => object | Promise<object>,
): void {
  const { texts, data } = workerData as ThreadStart;
  useTexts(texts);
  const methodsOf = start(data);
  const underWay = new Map<number, AbortController>();
  parentPort?.on("message", (message: ToThread) => {
    if (message.type === "abort") underWay.get(message.id)?.abort();
    else void answer(message);
  });

  async function answer({ id, method, input }: ToThread & { type: "call" }): Promise<void> {
    const aborting = new AbortController();
    underWay.set(id, aborting);
    try {
      const methods = (await methodsOf(aborting.signal, method)) as Methods;
      tell({ id, ok: true, output: await methods[method]!(...input) });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      tell({ id, ok: false, name, message });
    } finally {
      underWay.delete(id);
    }
  }
}

type Methods = Record<string, (...input: readonly unknown[]) => unknown>;

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}
