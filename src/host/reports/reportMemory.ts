/** Finds what an earlier run has measured already, and keeps what a new one measures. */
import { t } from "@vscode/l10n";
import type { Report } from "../../diagnosis/report";
import type { DiagnosisRequest } from "../../protocol/messages";
import type { TextSource } from "../../text/source";
import { stampsOf } from "../reading/fileStamps";
import type { Reader } from "../reading/reader";
import { reportKey } from "./reportKey";
import type { ReportStore } from "./reportStore";

/** What is known of a measurement before it is made. */
export interface Recalled {
  /**
   * Of the checkpoint's content; undefined once that has changed. A run may have had to wait its turn.
   * Absent where the checkpoint cannot be read.
   */
  fingerprint?: () => Promise<string | undefined>;
  /** The same measurement, made before. */
  stored?: StoredReport;
  /** Stores the report of this measurement; absent where it could not be told from others. */
  keep?: (name: string, report: Report) => Promise<Kept>;
}

export interface StoredReport {
  key: string;
  savedAt: string;
  report: Report;
}

/** Where a report was stored, or why it was not. */
export type Kept = { key: string } | { notice: string };

export class ReportMemory {
  constructor(
    private readonly store: ReportStore,
    private readonly reader: Pick<Reader, "contentOf">,
    /** The file in which fingerprints are kept; without it every recall reads the checkpoint. */
    private readonly fingerprints?: string,
  ) {}

  /**
   * Reads what the request would measure, up to half a gibibyte of each weight file and two of single
   * tensors, unless its files are as they were when they were last read.
   *
   * A checkpoint or text that cannot be read is no failure here: the engine will say what is wrong.
   *
   * @param isAnew a stored report is not wanted
   * @throws the reason of `signal` when it aborts
   */
  async recall(request: DiagnosisRequest, signal: AbortSignal, isAnew = false): Promise<Recalled> {
    try {
      const textFiles = filesOf(request.texts);
      const { path, files, stamps, partlyReadFrom, ...content } = await this.reader.contentOf(
        request.checkpoint,
        textFiles,
        signal,
        this.fingerprints,
      );
      const { fingerprint } = content;
      const key = reportKey(request, content);
      const stored = isAnew ? undefined : await this.find(key, path, partlyReadFrom);
      // Training may write over what is measured before that begins, and while it goes on.
      const isUnchanged = async (): Promise<boolean> => (await stampsOf(files)) === stamps;
      return {
        fingerprint: async () => ((await isUnchanged()) ? fingerprint : undefined),
        ...(stored !== undefined && { stored }),
        keep: async (name, report) => {
          if (!(await isUnchanged())) {
            return { notice: t("The checkpoint or the text changed during the run: not stored.") };
          }
          await this.store.save(key, name, report);
          return { key };
        },
      };
    } catch {
      signal.throwIfAborted();
      return {};
    }
  }

  /** A copy of what was measured elsewhere has the same figures, under its own path. */
  private async find(
    key: string,
    path: string,
    partlyReadFrom = -Infinity,
  ): Promise<StoredReport | undefined> {
    const headline = await this.store.find(key);
    if (headline === undefined) return undefined;
    // A fingerprint of parts may miss a change: what was written over since is measured anew.
    const isSamePlace = headline.checkpointPath === path;
    if (isSamePlace && partlyReadFrom > Date.parse(headline.savedAt)) return undefined;
    const report = await this.store.read(key);
    if (report === undefined) return undefined;
    const { savedAt } = headline;
    return { key, savedAt, report: { ...report, checkpoint: { ...report.checkpoint, path } } };
  }
}

function filesOf(texts: TextSource): readonly string[] {
  return texts.kind === "text" ? texts.files : [texts.file];
}
