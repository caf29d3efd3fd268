/**
 * The reading thread: answers the calls of `ThreadedReader`. All but the tensor directory is loaded when
 * it is first asked for, since that takes longer than reading a directory.
 */
import { answerCalls } from "../threads/answerCalls";
import { readDirectory } from "./directoryReader";
import type { PackedReader } from "./readerMessages";

type Method = keyof PackedReader;

answerCalls(() => (signal): PackedReader => {
  const loaded =
    <Name extends Method>(name: Name) =>
    async (...input: Parameters<PackedReader[Name]>): Promise<never> => {
      const { packedReader } = await import("./packedReader");
      const method = packedReader(signal)[name] as (...input: unknown[]) => Promise<never>;
      return method(...input);
    };
  return {
    directoryOf: readDirectory,
    readReport: loaded("readReport"),
    parseReport: loaded("parseReport"),
    writeReport: loaded("writeReport"),
    readIndex: loaded("readIndex"),
    reportContent: loaded("reportContent"),
    comparisonContent: loaded("comparisonContent"),
    runContent: loaded("runContent"),
    contentOf: loaded("contentOf"),
    incompleteness: loaded("incompleteness"),
    outlookOf: loaded("outlookOf"),
    statementOf: loaded("statementOf"),
    readLossLogs: loaded("readLossLogs"),
  };
});
