/** The reading thread: answers the calls of `ThreadedReader` with what `directReader` says. */
import { packReport, unpackReport } from "../../report/packedReport";
import { answerCalls } from "../threads/answerCalls";
import { directReader } from "./directReader";
import type { PackedReader } from "./readerMessages";

answerCalls(() => (signal): PackedReader => ({
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
}));
