/** The reading thread: answers the calls of `ThreadedReader` with what `directReader` says. */
import { parentPort, workerData } from "node:worker_threads";
import type { Texts } from "../../protocol/texts";
import { packReport, unpackReport } from "../../report/packedReport";
import { useTexts } from "../../report/texts";
import { directReader } from "./directReader";
import type { FromReader, PackedReader, ReaderMethod, ToReader } from "./readerMessages";

useTexts((workerData as Texts | null) ?? undefined);

const reader = (signal: AbortSignal): PackedReader => ({
  ...directReader,
  readReport: async (file) => packReport(await directReader.readReport(file)),
  parseReport: async (bytes) => packReport(await directReader.parseReport(bytes)),
  writeReport: (file, report) => directReader.writeReport(file, unpackReport(report)),
  reportContent: (report, ...how) => directReader.reportContent(unpackReport(report), ...how),
  comparisonContent: (reports, ...how) =>
    directReader.comparisonContent(
      reports.map(({ name, report }) => ({ name, report: unpackReport(report) })),
      ...how,
    ),
  contentOf: (checkpoint, textFiles, fingerprints) =>
    directReader.contentOf(checkpoint, textFiles, signal, fingerprints),
});

const underWay = new Map<number, AbortController>();

parentPort?.on("message", (message: ToReader) => {
  if (message.type === "abort") underWay.get(message.id)?.abort();
  else void answer(message);
});

async function answer({ id, method, input }: ToReader & { type: "call" }): Promise<void> {
  const aborting = new AbortController();
  underWay.set(id, aborting);
  const methods = reader(aborting.signal) as Record<ReaderMethod, (...input: unknown[]) => unknown>;
  try {
    tell({ id, ok: true, output: await methods[method](...input) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    tell({ id, ok: false, name, message });
  } finally {
    underWay.delete(id);
  }
}

function tell(message: FromReader): void {
  parentPort?.postMessage(message);
}
