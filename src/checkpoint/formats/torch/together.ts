import type { Chunks, TensorEntry } from "../../checkpoint";
import { elementCount } from "../../checkpoint";
import type { DataType } from "../../dataType";
import { bytesOf } from "../../dataType";
import { CheckpointError, quote } from "../../errors";

/**
 * A tensor put together from parts, plain where one part is all of it.
 *
 * @param file the one that says so, for messages
 * @throws CheckpointError where the parts do not cover it, each element once
 */
export function together(
  file: string,
  name: string,
  dataType: DataType,
  shape: readonly number[],
  parts: Chunks["parts"],
): TensorEntry {
  const [first] = parts;
  if (first === undefined) throw broken(file, name, "a part of it is in no file");
  if (parts.some(({ tensor }) => tensor.dataType !== dataType)) {
    throw broken(file, name, "its parts are of several element types");
  }
  const isInside = parts.every(({ offsets, tensor }) =>
    tensor.shape.every((size, axis) => offsets[axis]! + size <= shape[axis]!),
  );
  const sum = parts.reduce((count, { tensor }) => count + elementCount(tensor.shape), 0);
  if (!isInside || sum !== elementCount(shape) || overlap(parts)) {
    throw broken(
      file,
      name,
      `its ${parts.length} parts of ${sum} elements do not make up its shape [${shape.join(", ")}]`,
    );
  }
  if (parts.length === 1) return { ...first.tensor, name };
  return {
    name,
    dataType,
    shape,
    file: first.tensor.file,
    offset: 0,
    byteLength: bytesOf(dataType, elementCount(shape)),
    chunks: { shape, parts },
  };
}

/** Whether two of the blocks have an element in common. */
function overlap(parts: Chunks["parts"]): boolean {
  const filled = parts.filter(({ tensor }) => elementCount(tensor.shape) > 0);
  // Along the axis that divides them most: sorted there, each can only meet those that begin before it ends.
  const axis = mostDivided(filled);
  const start = ({ offsets }: Part): number => offsets[axis] ?? 0;
  const sorted = [...filled].sort((a, b) => start(a) - start(b));
  for (const [index, a] of sorted.entries()) {
    const end = start(a) + (a.tensor.shape[axis] ?? 1);
    for (let at = index + 1; at < sorted.length; at++) {
      const b = sorted[at]!;
      if (start(b) >= end) break;
      const isApart = a.offsets.some(
        (offset, axis) =>
          offset + a.tensor.shape[axis]! <= b.offsets[axis]! ||
          b.offsets[axis]! + b.tensor.shape[axis]! <= offset,
      );
      if (!isApart) return true;
    }
  }
  return false;
}

type Part = Chunks["parts"][number];

/** The axis on which the blocks begin at the most places. */
function mostDivided(parts: readonly Part[]): number {
  const places = (parts[0]?.offsets ?? []).map(
    (_, axis) => new Set(parts.map(({ offsets }) => offsets[axis])).size,
  );
  return places.reduce((most, count, axis) => (count > places[most]! ? axis : most), 0);
}

function broken(file: string, name: string, what: string): CheckpointError {
  return new CheckpointError("tensor", `${file}: tensor ${quote(name)}: ${what}.`);
}
