/** Finds and reads the logs of a training run, and puts what belongs together into one series. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { t } from "@vscode/l10n";
import { isWeightName } from "../checkpoint/weightFiles";
import { readCsvLog } from "./csvLog";
import type { TrainingRun } from "./discover";
import { TrainingRunError } from "./errors";
import { readEventFile } from "./eventFile";
import { readJsonLog } from "./jsonLog";
import { limits } from "./limits";
import { lossSeries, type LossPoint, type LossSeries } from "./lossSeries";

export interface LossLogs {
  series: LossSeries[];
  /** One sentence for each log that could not be read. */
  problems: string[];
}

/**
 * The losses in the run's folder, its checkpoints, and the folders `runs`, `logs` and the like in it
 * or beside the checkpoints; a log that cannot be read is a problem, never a failure.
 */
export async function readLossLogs(run: TrainingRun): Promise<LossLogs> {
  const files = await logFilesOf(run);
  const found = new Map<string, { name: string; source: string; points: LossPoint[] }>();
  const problems: string[] = [];
  for (const { file, format, source } of files) {
    try {
      for (const [name, points] of await readers[format](file)) {
        // States of one run repeat what the earlier ones said, and add to it.
        const key = JSON.stringify([format, source, name]);
        const known = found.get(key) ?? { name, source, points: [] };
        for (const point of points) known.points.push(point);
        found.set(key, known);
      }
    } catch (error) {
      if (!(error instanceof TrainingRunError)) throw error;
      problems.push(error.message);
    }
  }
  const series = [...found.values()].map(({ name, source, points }) =>
    lossSeries(name, source, points),
  );
  return { series: withoutCopies(series).slice(0, limits.series), problems };
}

type Format = "json" | "csv" | "events";

const readers: Record<Format, (file: string) => Promise<Map<string, LossPoint[]>>> = {
  json: readJsonLog,
  csv: readCsvLog,
  events: readEventFile,
};

interface LogFile {
  file: string;
  format: Format;
  /** What its series are said to come from. */
  source: string;
}

function formatOf(name: string): Format | undefined {
  if (name === "trainer_state.json" || name === "training_state.json") return "json";
  if (/\.(?:csv|tsv)$/i.test(name)) return "csv";
  return name.includes(".tfevents.") ? "events" : undefined;
}

/** In the order that later ones may correct earlier ones: by step, then by name, which tells time. */
async function logFilesOf({ folder, steps }: TrainingRun): Promise<LogFile[]> {
  const folders = [
    ...steps.filter((step) => !isWeightName(step.name)).map((step) => step.path),
    folder,
    ...(await logFoldersIn(folder)),
  ];
  const files: LogFile[] = [];
  for (const one of folders) {
    for (const entry of await entriesOf(one)) {
      const format = formatOf(entry.name);
      if (format === undefined || entry.isDirectory() || files.length >= limits.logFiles) continue;
      const file = path.join(one, entry.name);
      files.push({ file, format, source: sourceOf(folder, file, format) });
    }
  }
  return files;
}

/** A state goes by its name wherever it lies, events by their folder, which holds one run's. */
function sourceOf(folder: string, file: string, format: Format): string {
  if (format === "json") return path.basename(file);
  const relative = path.relative(folder, format === "events" ? path.dirname(file) : file);
  return relative === "" ? t("event files") : relative.split(path.sep).join("/");
}

const logFolderName =
  /^(?:runs|logs?|tensorboard|tb|tb_logs|lightning_logs|events|wandb|csv_logs)$/i;

/** Folders of logs in the run's folder, and those in them, three deep: `runs/Nov22_host/train`. */
async function logFoldersIn(folder: string): Promise<string[]> {
  const top = (await entriesOf(folder)).filter(
    (entry) => entry.isDirectory() && logFolderName.test(entry.name),
  );
  const found: string[] = [];
  let level = top.map((entry) => path.join(folder, entry.name));
  for (let depth = 0; depth < 3 && found.length < limits.logFiles; depth++) {
    found.push(...level);
    const inner = await Promise.all(
      level.map(async (one) =>
        (await entriesOf(one))
          .filter((entry) => entry.isDirectory())
          .map((entry) => path.join(one, entry.name)),
      ),
    );
    level = inner.flat().slice(0, limits.logFiles);
  }
  return found.slice(0, limits.logFiles);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries.slice(0, limits.folderEntries).sort((a, b) => byName(a.name, b.name));
}

/** `log-9` before `log-10`. Made once: to make it takes longer than to compare. */
const byName = new Intl.Collator(undefined, { numeric: true }).compare;

/** What one log says of the same name at every step, another need not say again. */
function withoutCopies(series: readonly LossSeries[]): LossSeries[] {
  const byLength = series.toSorted((a, b) => b.points.length - a.points.length);
  return byLength.filter((one, i) => !byLength.slice(0, i).some((longer) => holds(longer, one)));
}

function holds(longer: LossSeries, shorter: LossSeries): boolean {
  if (longer.name !== shorter.name) return false;
  const values = new Map(longer.points.map(({ step, value }) => [step, value]));
  return shorter.points.every(({ step, value }) => {
    const known = values.get(step);
    // Event files keep single precision.
    return known !== undefined && Math.abs(known - value) <= 1e-3 * Math.abs(value);
  });
}
