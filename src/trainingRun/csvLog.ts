/** Losses in a CSV log, as Lightning, W&B and training scripts write them. */
import { t } from "@vscode/l10n";
import { lineOf } from "../checkpoint/errors";
import { readSmallFile } from "../checkpoint/smallFile";
import { TrainingRunError } from "./errors";
import { limits } from "./limits";
import { isLossName, stepKeyOf, type LossPoint } from "./lossSeries";

/**
 * Every column of losses with the steps of the step column. A file that lacks either is not a log
 * of losses, and has none.
 *
 * Numbers may have decimal commas, as a spreadsheet of most of Europe writes them between semicolons.
 *
 * @throws {TrainingRunError} when the file cannot be read, or its numbers can be read in two ways
 */
export async function readCsvLog(file: string): Promise<Map<string, LossPoint[]>> {
  const text = await readSmallFile(file, limits.csvBytes).catch((error: unknown) => {
    throw new TrainingRunError("unreadable", t("{0}: cannot be read: {1}.", file, lineOf(error)));
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
  const rows = lines.slice(1).map((line) => fieldsOf(line, separator));
  const broken = rows.find((row) => row.slice(names.length).some((field) => field !== ""));
  if (broken !== undefined && columns.length > 0) {
    refuse(file, t("a line has {0} fields and the first {1}", broken.length, names.length));
  }
  const decimal = decimalOf(file, rows, { stepAt, columns: columns.map(({ at }) => at) });
  for (const fields of rows) {
    const step = numberOf(fields[stepAt], decimal);
    if (step === undefined || step < 0) continue;
    for (const { name, at } of columns) {
      const value = numberOf(fields[at], decimal);
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

type Decimal = "." | ",";

/** What stands before the decimals: one thing for the whole file, or it is anybody's guess. */
function decimalOf(
  file: string,
  rows: readonly (readonly string[])[],
  { stepAt, columns }: { stepAt: number; columns: readonly number[] },
): Decimal {
  const steps = rows.map((row) => row[stepAt] ?? "").filter(isNumeric);
  const values = rows.flatMap((row) => columns.map((at) => row[at] ?? "")).filter(isNumeric);
  const grouped = steps.find((text) => text.includes(","));
  if (grouped !== undefined) refuse(file, t('the step is "{0}"', grouped.slice(0, 40)));
  const comma = values.find((text) => text.includes(","));
  if (comma === undefined) return ".";
  const point = [...steps, ...values].find((text) => text.includes("."));
  if (point !== undefined) {
    refuse(
      file,
      t(
        'numbers have both commas and points ("{0}", "{1}")',
        comma.slice(0, 40),
        point.slice(0, 40),
      ),
    );
  }
  const several = values.find((text) => text.split(",").length > 2);
  if (several !== undefined) refuse(file, t('a number is "{0}"', several.slice(0, 40)));
  return ",";
}

function isNumeric(field: string): boolean {
  return /^[-+]?[\d.,]*\d(?:e[-+]?\d+)?$/i.test(field);
}

function refuse(file: string, found: string): never {
  throw new TrainingRunError(
    "lossLog",
    t(
      "{0}: {1}; expected numbers with a decimal point, or with a decimal comma between semicolons or tabs.",
      file,
      found,
    ),
  );
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

function numberOf(field: string | undefined, decimal: Decimal): number | undefined {
  if (field === undefined || field === "") return undefined;
  const value = Number(decimal === "," ? field.replace(",", ".") : field);
  return Number.isFinite(value) ? value : undefined;
}
