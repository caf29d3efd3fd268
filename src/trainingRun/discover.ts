/** Finds the checkpoints of a training run: a folder that holds one for each of several steps. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { t } from "@vscode/l10n";
import { holdsCheckpoint, isSelfContained, isWeightName } from "../checkpoint/weightFiles";
import { TrainingRunError } from "./errors";
import { limits } from "./limits";
import { stepOfName } from "./stepName";

export interface TrainingRun {
  /** Absolute. */
  folder: string;
  /** In the order of training; no two of one step. */
  steps: RunStep[];
}

export interface RunStep {
  step: number;
  /** Of the checkpoint's folder or weight file: `checkpoint-1000`. */
  name: string;
  /** Absolute. */
  path: string;
}

/**
 * @param atLeast how many steps there have to be; none where a run is known before its first
 * @throws {TrainingRunError} when the folder cannot be read or holds fewer steps
 */
export async function discoverRun(folder: string, atLeast: 0 | 2 = 2): Promise<TrainingRun> {
  const absolute = path.resolve(folder);
  const steps = await stepsIn(absolute);
  if (steps.length >= atLeast) return { folder: absolute, steps };
  const [only] = steps;
  throw new TrainingRunError(
    "notARun",
    only === undefined
      ? t(
          "{0}: expected the checkpoints of at least two steps, such as checkpoint-1000 and checkpoint-2000; it holds no checkpoint with a step in its name.",
          absolute,
        )
      : t(
          "{0}: expected the checkpoints of at least two steps, such as checkpoint-1000 and checkpoint-2000; it holds only one, {1}.",
          absolute,
          only.name,
        ),
  );
}

/**
 * The steps that a folder holds, none or one among the answers: subfolders that hold a checkpoint,
 * and weight files; safetensors, which state no settings, beside a config.json. Says nothing of
 * whether they are complete.
 */
export async function stepsIn(folder: string): Promise<RunStep[]> {
  const entries = await entriesOf(folder);
  const hasConfig = entries.some((entry) => entry.name === "config.json");
  const candidates = entries.flatMap((entry): RunStep[] => {
    const step = stepOfName(entry.name);
    if (step === undefined) return [];
    const isWeights = isWeightName(entry.name);
    // A link may lead to either; what it is not is found out when it is looked into.
    const isPossible = entry.isSymbolicLink() || entry.isDirectory() !== isWeights;
    if (!isPossible || (isWeights && !hasConfig && !isSelfContained(entry.name))) return [];
    return [{ step, name: entry.name, path: path.join(folder, entry.name) }];
  });
  if (candidates.length > limits.steps) {
    throw new TrainingRunError(
      "tooLarge",
      t(
        "{0}: holds {1} entries with a step in their name; the limit is {2}.",
        folder,
        candidates.length,
        limits.steps,
      ),
    );
  }
  const checked = await Promise.all(
    candidates.map(async (candidate) =>
      isWeightName(candidate.name) || holdsCheckpoint(await namesIn(candidate.path))
        ? [candidate]
        : [],
    ),
  );
  return inOrder(checked.flat());
}

/** One for each step: the first in the order of names, which prefers `step-10` to `step-10_ema`. */
function inOrder(steps: readonly RunStep[]): RunStep[] {
  const sorted = steps.toSorted(
    (a, b) => a.step - b.step || a.name.length - b.name.length || (a.name < b.name ? -1 : 1),
  );
  return sorted.filter((one, i) => one.step !== sorted[i - 1]?.step);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrainingRunError("unreadable", t("{0}: cannot be read: {1}.", folder, reason));
  });
  if (entries.length > limits.folderEntries) {
    throw new TrainingRunError(
      "tooLarge",
      t("{0}: holds {1} entries; the limit is {2}.", folder, entries.length, limits.folderEntries),
    );
  }
  return entries;
}

/**
 * How many steps the folders of runs hold, from the folders that are known to hold a checkpoint;
 * without those that hold none.
 */
export function stepCountsOf(checkpointFolders: readonly string[]): Map<string, number> {
  const stepsOf = new Map<string, Set<number>>();
  for (const folder of checkpointFolders) {
    const step = stepOfName(path.basename(folder));
    if (step === undefined) continue;
    const parent = path.dirname(folder);
    const steps = stepsOf.get(parent) ?? new Set();
    stepsOf.set(parent, steps.add(step));
  }
  return new Map([...stepsOf].map(([folder, steps]) => [folder, steps.size]));
}
