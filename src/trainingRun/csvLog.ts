/** Losses in a CSV log, as Lightning, W&B and training scripts write them. */
import { lineOf } from "../checkpoint/errors";
import { readSmallFile } from "../checkpoint/smallFile";
import { TrainingRunError } from "./errors";
import { limits } from "./limits";
import { isLossName, stepKeyOf, type LossPoint } from "./lossSeries";

/**
 * Every column of losses with the steps of the step column. A file that lacks either is not a log
 * of losses, and has none.
 *
 * @throws {TrainingRunError} when the file cannot be read
 */
export async function readCsvLog(file: string): Promise<Map<string, LossPoint[]>> {
  const text = await readSmallFile(file, limits.csvBytes).catch((error: unknown) => {
    throw new TrainingRunError("unreadable", `${file}: cannot be read: ${lineOf(error)}.`);
  });
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const separator = separatorOf(lines[0] ?? "");
  const names = fieldsOf(lines[0] ?? "", separator);
  const stepName = stepKeyOf(names);
  const series = new Map<string, LossPoint[]>();
  if (stepName === undefined) return series;
  const stepAt = names.indexOf(stepName);
  const columns = names
    .map((name, at) => ({ name, at }))
    .filter(({ name, at }) => at !== stepAt && isLossName(name))
    .slice(0, limits.series);
  for (const line of lines.slice(1)) {
    const fields = fieldsOf(line, separator);
    const step = numberOf(fields[stepAt]);
    if (step === undefined || step < 0) continue;
    for (const { name, at } of columns) {
      const value = numberOf(fields[at]);
      if (value === undefined) continue;
      const points = series.get(name) ?? [];
      if (points.length < limits.points) points.push({ step, value });
      series.set(name, points);
    }
  }
  return series;
}

/** The one of `,`, `;` and tab that the header has most of. */
function separatorOf(header: string): string {
  const count = (separator: string): number => header.split(separator).length;
  return [",", ";", "\t"].reduce((a, b) => (count(b) > count(a) ? b : a));
}

/** Fields of one line; a quoted one may hold separators, and two quotes for one, but no line break. */
function fieldsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let field = "";
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (isQuoted && character === '"' && line[i + 1] === '"') field += line[++i]!;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      fields.push(field.trim());
      field = "";
    } else field += character;
  }
  return [...fields, field.trim()];
}

function numberOf(field: string | undefined): number | undefined {
  if (field === undefined || field === "") return undefined;
  const value = Number(field);
  return Number.isFinite(value) ? value : undefined;
}
