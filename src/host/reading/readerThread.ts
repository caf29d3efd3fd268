/** The reading thread: answers the calls of `ThreadedReader` with what `directReader` says. */
import { parentPort } from "node:worker_threads";
import { readDirectory } from "./directoryReader";
import type { FromReader, ReaderMethod, ToReader } from "./readerMessages";

const underWay = new Map<number, AbortController>();

parentPort?.on("message", (message: ToReader) => {
  if (message.type === "abort") underWay.get(message.id)?.abort();
  else void answer(message);
});

async function answer({ id, method, input }: ToReader & { type: "call" }): Promise<void> {
  const aborting = new AbortController();
  underWay.set(id, aborting);
  try {
    tell({ id, ok: true, output: await answerTo(method, input, aborting.signal) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    tell({ id, ok: false, name, message });
  } finally {
    underWay.delete(id);
  }
}

/** All but the directory is loaded when it is first asked for: it takes longer to load than to read. */
async function answerTo(
  method: ReaderMethod,
  input: readonly unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  if (method === "directoryOf") return readDirectory(input[0] as string);
  const { packedReader } = await import("./packedReader");
  const methods = packedReader(signal) as Record<ReaderMethod, (...input: unknown[]) => unknown>;
  return methods[method](...input);
}

function tell(message: FromReader): void {
  parentPort?.postMessage(message);
}
