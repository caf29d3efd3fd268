/** Everything that the reading thread is asked for, its reports packed. A bundle of its own. */
import { workerData } from "node:worker_threads";
import { packReport, unpackReport } from "../../report/packedReport";
import { useTexts } from "../../report/texts";
import type { ThreadStart } from "../threads/threadMessages";
import { directReader } from "./directReader";
import type { PackedReader } from "./readerMessages";

// A bundle has its own texts.
useTexts((workerData as ThreadStart).texts);

export const packedReader = (signal: AbortSignal): PackedReader => ({
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
