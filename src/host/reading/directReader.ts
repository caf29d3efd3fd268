/** Reads, checks and writes in the thread that calls it: the reading thread's work, and that of tests. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { isStack } from "../../architecture/description";
import { describeStatement } from "../../architecture/statement/describeStatement";
import { isSchemeName } from "../../architecture/schemes";
import { statementName } from "../../checkpoint/checkpoint";
import { contentFiles, fingerprintOf, isSampled } from "../../checkpoint/fingerprint";
import { openCheckpoint } from "../../checkpoint/open";
import { outlookOf } from "../../diagnosis/outlookOf";
import { withImplied } from "../../diagnosis/plan";
import { compareReports } from "../../report/comparison";
import { comparisonCsv } from "../../report/comparisonCsv";
import { comparisonHtml } from "../../report/comparisonHtml";
import { reportCsv } from "../../report/csv";
import { reportHtml, type PanelAssets } from "../../report/html";
import { checkSize, parseReport } from "../../report/readReport";
import { writeWholeFile } from "../../report/wholeFile";
import { incompleteness } from "../../trainingRun/complete";
import { readLossLogs } from "../../trainingRun/lossLogs";
import { thinnedTogether } from "../../trainingRun/lossSeries";
import { runCsv } from "../../trainingRun/runCsv";
import { runHtml } from "../../trainingRun/runHtml";
import { runJson } from "../../trainingRun/runJson";
import { parseReportIndex } from "../reports/reportIndex";
import { readDirectory } from "./directoryReader";
import { stampsOf } from "./fileStamps";
import { FingerprintMemory } from "./fingerprintMemory";
import { readHeadlines } from "./headlineReader";
import type { Reader } from "./reader";

export const directReader: Reader = {
  async readReport(file) {
    checkSize((await stat(file)).size);
    return parseReport(await readFile(file, "utf8"));
  },

  async parseReport(bytes) {
    checkSize(bytes.length);
    return Promise.resolve(parseReport(new TextDecoder().decode(bytes)));
  },

  async writeReport(file, report) {
    await writeWholeFile(file, JSON.stringify(report));
  },

  async readIndex(file) {
    return parseReportIndex(await readFile(file, "utf8"));
  },

  headlinesOf: readHeadlines,

  async reportContent(report, format, webview) {
    switch (format) {
      case "json":
        return encoded(`${JSON.stringify(report, null, 2)}\n`);
      case "csv":
        return encoded(reportCsv(report));
      case "html":
        return encoded(reportHtml(report, await assets(webview, "panel")));
    }
  },

  async comparisonContent(reports, reference, format, webview) {
    switch (format) {
      case "json":
        return encoded(`${JSON.stringify(compareReports(reports, reference), null, 2)}\n`);
      case "csv":
        return encoded(comparisonCsv(compareReports(reports, reference)));
      case "html":
        return encoded(comparisonHtml(reports, reference, await assets(webview, "compare")));
    }
  },

  async runContent(exported, format, webview) {
    switch (format) {
      case "json":
        return encoded(runJson(exported));
      case "csv":
        return encoded(runCsv(exported));
      case "html":
        return encoded(runHtml(exported, await assets(webview, "run")));
    }
  },

  async contentOf(file, textFiles, signal, fingerprints) {
    const checkpoint = await openCheckpoint(file);
    const files = [...contentFiles(checkpoint), ...textFiles];
    const stamps = await stampsOf(files);
    const memory = new FingerprintMemory(fingerprints);
    const fingerprint = await memory.hashOf(contentFiles(checkpoint), () =>
      fingerprintOf(checkpoint, signal),
    );
    const texts: string[] = [];
    for (const text of textFiles) {
      texts.push(await memory.hashOf([text], () => contentHash(text, signal)));
    }
    const times = await sampledTimes(contentFiles(checkpoint));
    return {
      path: checkpoint.path,
      files,
      stamps,
      fingerprint,
      ...(times.length > 0 && { partlyReadFrom: Math.max(...times) }),
      texts,
    };
  },

  incompleteness,

  directoryOf: readDirectory,

  async outlookOf(request) {
    const { checkpoint, scheme, stack, chosenReading, metrics, threads, memoryBytes, ...sizes } =
      request;
    return outlookOf(await openCheckpoint(checkpoint), {
      ...sizes,
      metrics: withImplied(metrics),
      scheme: scheme !== undefined && isSchemeName(scheme) ? scheme : undefined,
      stack: stack !== undefined && isStack(stack) ? stack : undefined,
      ...(chosenReading && { chosen: chosenReading }),
      threads: Math.min(threads ?? Infinity, availableParallelism()),
      memoryBytes: memoryBytes ?? process.availableMemory() / 2,
    });
  },

  async statementOf(checkpoint) {
    const opened = await openCheckpoint(checkpoint);
    const { text } = await describeStatement(opened);
    return {
      file: path.join(opened.folder, statementName),
      isThere: opened.statement !== undefined,
      text,
    };
  },

  async readLossLogs(run) {
    const { series, problems } = await readLossLogs(run);
    const count = Math.min(mostPointsOfASeries * series.length, mostPoints);
    return { series: thinnedTogether(series, count), problems };
  },
};

/** A chart is a thousand or two of pixels wide, and may be looked at closely. */
const mostPointsOfASeries = 5_000;
/** Of all series together: they pass to the page again whenever a step comes. */
const mostPoints = 20_000;

/** When each of the files was written that are read in part only. */
async function sampledTimes(files: readonly string[]): Promise<number[]> {
  const stats = await Promise.all(files.map((file) => stat(file)));
  return stats.filter(({ size }) => isSampled(size)).map(({ mtimeMs }) => mtimeMs);
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function assets(webview: string, name: string): Promise<PanelAssets> {
  const [script, style] = await Promise.all(
    ["js", "css"].map((extension) => readFile(path.join(webview, `${name}.${extension}`), "utf8")),
  );
  return { script: script!, style: style! };
}

async function contentHash(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest("hex");
}
