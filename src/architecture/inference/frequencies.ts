import type { Checkpoint } from "../../checkpoint/checkpoint";
import { readTensor } from "../../checkpoint/readTensor";
import type { Rotary } from "../description";
import type { RotaryTensors } from "./ends";
import { refusal } from "./stack";

/** What rotary tensors tell. */
export interface StoredRotary {
  /** The angle of each pair at the position after the first. */
  readonly frequencies: readonly number[];
  /** Told by the order of a table whose rows hold every angle twice. */
  readonly pairing: Rotary["pairing"] | undefined;
}

/**
 * Reads stored frequencies, or tables of their cosines and sines.
 *
 * @throws CheckpointError naming tables that are not of angles that grow by each position, or of others
 *   than the frequencies beside them
 */
export async function readRotary(
  checkpoint: Checkpoint,
  { frequencies: stored, tables }: RotaryTensors,
): Promise<StoredRotary> {
  const ofTables = tables && (await readTables(tables));
  const fail = (names: readonly string[], what: string): never => {
    throw refusal(checkpoint, names, what);
  };
  const tableNames = tables ? [tables.cosine.name, tables.sine.name] : [];
  if (tables && ofTables === undefined) {
    fail(tableNames, "has tables of rotary positions that are not read:");
  }
  if (stored === undefined) return ofTables!;
  const frequencies = exact([...(await readTensor(stored))]);
  if (ofTables && !areAlike(frequencies, ofTables.frequencies)) {
    fail(
      [stored.name, ...tableNames],
      "has rotary frequencies and tables that are not of one another:",
    );
  }
  return { frequencies, pairing: ofTables?.pairing };
}

/** Whether frequencies are the same, but for what low precision has rounded of their cosines and sines. */
function areAlike(ones: readonly number[], others: readonly number[]): boolean {
  return (
    ones.length === others.length &&
    ones.every((one, pair) => Math.abs(others[pair]! / one - 1) < 1e-2)
  );
}

async function readTables({
  cosine,
  sine,
}: NonNullable<RotaryTensors["tables"]>): Promise<StoredRotary | undefined> {
  const width = cosine.shape.at(-1) ?? 0;
  if (String(cosine.shape) !== String(sine.shape) || width === 0) return undefined;
  const [cosines, sines] = [await readTensor(cosine), await readTensor(sine)];
  if (cosines.length < 2 * width || cosines.subarray(0, width).some((value) => value !== 1)) {
    return undefined;
  }
  // At position 1 the angle is the frequency itself.
  const angles = Array.from({ length: width }, (_, at) =>
    Math.atan2(sines[width + at]!, cosines[width + at]!),
  );
  const half = width / 2;
  const isTwice = (other: (pair: number) => number, one: (pair: number) => number): boolean =>
    Number.isInteger(half) &&
    Array.from({ length: half }, (_, pair) => pair).every(
      (pair) => angles[other(pair)] === angles[one(pair)],
    );
  if (
    isTwice(
      (pair) => pair + half,
      (pair) => pair,
    )
  ) {
    return { frequencies: exact(angles.slice(0, half)), pairing: "halves" };
  }
  if (
    isTwice(
      (pair) => 2 * pair + 1,
      (pair) => 2 * pair,
    )
  ) {
    const frequencies = angles.filter((_, at) => at % 2 === 0);
    return { frequencies: exact(frequencies), pairing: "neighbours" };
  }
  return { frequencies: exact(angles), pairing: undefined };
}

/** θ^(−2i/size) in full precision, where float32 has been rounded from that. */
function exact(frequencies: readonly number[]): readonly number[] {
  const base = baseOf(frequencies);
  if (base === undefined) return frequencies;
  return frequencies.map((_, pair) => base ** (-pair / frequencies.length));
}

/** The base of a geometric row of frequencies that begins with 1; undefined where it is none. */
export function baseOf(frequencies: readonly number[]): number | undefined {
  const [first, second] = frequencies;
  if (first === undefined || second === undefined || Math.abs(first - 1) > 1e-6) return undefined;
  const found = second ** -frequencies.length;
  const base = Number(found.toPrecision(4));
  const isGeometric = frequencies.every(
    (frequency, pair) => Math.abs(frequency * base ** (pair / frequencies.length) - 1) < 1e-4,
  );
  return isGeometric ? base : undefined;
}
