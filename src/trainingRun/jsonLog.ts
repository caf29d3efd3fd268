/** Losses in trainer_state.json (Hugging Face) and training_state.json, of whatever layout. */
import { t } from "@vscode/l10n";
import { lineOf } from "../checkpoint/errors";
import { readSmallFile } from "../checkpoint/smallFile";
import { TrainingRunError } from "./errors";
import { limits } from "./limits";
import { isLossName, stepKeyOf, type LossPoint } from "./lossSeries";

/**
 * Every loss with its step: in the entries of `log_history` and other lists at the top, and at the
 * top itself, where a training state says what its last step was.
 *
 * @throws {TrainingRunError} when the file cannot be read or is not a JSON object
 */
export async function readJsonLog(file: string): Promise<Map<string, LossPoint[]>> {
  const text = await readSmallFile(file, limits.stateBytes).catch((error: unknown) => {
    throw new TrainingRunError("unreadable", t("{0}: cannot be read: {1}.", file, lineOf(error)));
  });
  return lossesOf(parse(file, text));
}

function parse(file: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.includes("NaN") || text.includes("Infinity") ? finite(text) : text);
  } catch (error) {
    throw new TrainingRunError("lossLog", t("{0}: is not JSON: {1}.", file, lineOf(error)));
  }
  if (isRecord(value)) return value;
  throw new TrainingRunError("lossLog", t("{0}: is not a JSON object.", file));
}

/** Python writes NaN and Infinity, which JSON does not know, for gradients that overflowed. */
function finite(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : "null",
  );
}

function lossesOf(state: Record<string, unknown>): Map<string, LossPoint[]> {
  const series = new Map<string, LossPoint[]>();
  const lists = Object.values(state).filter((value): value is unknown[] => Array.isArray(value));
  for (const entry of [...lists.flat(), state]) {
    if (!isRecord(entry)) continue;
    const key = stepKeyOf(Object.keys(entry));
    const step = key === undefined ? undefined : numberOf(entry[key]);
    if (step === undefined || step < 0) continue;
    for (const [name, field] of Object.entries(entry)) {
      // A whole run's mean, which says nothing of the step it stands at.
      if (name === "train_loss" && "train_runtime" in entry) continue;
      const value = isLossName(name) ? numberOf(field) : undefined;
      if (value === undefined) continue;
      const points = series.get(name) ?? [];
      if (points.length < limits.points) points.push({ step, value });
      if (series.size < limits.series) series.set(name, points);
    }
  }
  return series;
}

/** A finite number, also one that was written as text. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
