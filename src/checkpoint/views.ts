/**
 * Other arrangements of a tensor's numbers: parts and permutations that name where the numbers lie,
 * without reading any. What comes out lying row by row is plain again, and read in place.
 */
import type { BlockScale, TensorEntry, View } from "./checkpoint";
import { elementCount } from "./checkpoint";
import { bytesOf, stored } from "./dataType";
import { CheckpointError, quote } from "./errors";
import { storedExtent } from "./readTensor";

/** Rows [start, end) of the outermost axis. */
export function rows(tensor: TensorEntry, start: number, end: number): TensorEntry {
  const gathered = gatheredRows(tensor, [[start, end]]);
  if (gathered) return gathered;
  const [, ...inner] = tensor.shape;
  const strides = stridesOf(tensor);
  return arrangement(
    tensor,
    [end - start, ...inner],
    { shape: [end - start, ...inner], strides },
    start * strides[0]!,
    rowsOfScale(
      tensor,
      start * elementCount(inner.slice(0, -1)),
      end * elementCount(inner.slice(0, -1)),
    ),
  );
}

/** One entry of the outermost axis, without that axis. */
export function entryOf(tensor: TensorEntry, index: number): TensorEntry {
  return reshaped(rows(tensor, index, index + 1), tensor.shape.slice(1));
}

/**
 * Tensors that differ in nothing but their rows, one after another along the outermost axis. Those that
 * follow each other in a file stay in one piece.
 */
export function concatenated(tensors: readonly TensorEntry[]): TensorEntry {
  const pieces: TensorEntry[] = [];
  for (const tensor of tensors) {
    const last = pieces.at(-1);
    if (last && follows(last, tensor)) pieces[pieces.length - 1] = joined(last, tensor);
    else pieces.push(tensor);
  }
  const [first] = pieces as [TensorEntry];
  if (pieces.length === 1) return first;
  const offsets = pieces.map(() => first.shape.map(() => 0));
  let height = 0;
  for (const [at, { shape }] of pieces.entries()) {
    offsets[at]![0] = height;
    height += shape[0]!;
  }
  const shape = [height, ...first.shape.slice(1)];
  return {
    name: first.name,
    dataType: first.dataType,
    shape,
    file: first.file,
    offset: 0,
    byteLength: bytesOf(first.dataType, elementCount(shape)),
    chunks: {
      shape,
      parts: pieces.map((tensor, at) => ({ offsets: offsets[at]!, tensor })),
    },
  };
}

function follows(before: TensorEntry, after: TensorEntry): boolean {
  const isPlain = ({ view, member, scale, chunks }: TensorEntry): boolean =>
    !(view ?? member ?? scale ?? chunks);
  return (
    isPlain(before) &&
    isPlain(after) &&
    before.name === after.name &&
    before.file === after.file &&
    before.dataType === after.dataType &&
    after.offset === before.offset + before.byteLength
  );
}

function joined(before: TensorEntry, after: TensorEntry): TensorEntry {
  return {
    ...before,
    shape: [before.shape[0]! + after.shape[0]!, ...before.shape.slice(1)],
    byteLength: before.byteLength + after.byteLength,
  };
}

/** A matrix with rows and columns exchanged. */
export function transposed(tensor: TensorEntry): TensorEntry {
  const [rows, columns] = tensor.shape as readonly [number, number];
  const [down, right] = stridesOf(tensor) as [number, number];
  const shape = [columns, rows];
  const { scale } = tensor;
  return arrangement(
    tensor,
    shape,
    { shape, strides: [right, down] },
    0,
    scale && {
      factors: transposed(scale.factors),
      block: [scale.block[1], scale.block[0]],
    },
  );
}

/** A tensor with its axes in another order: axis i is what axis `axes[i]` was. */
export function permuted(tensor: TensorEntry, axes: readonly number[]): TensorEntry {
  const strides = stridesOf(tensor);
  const shape = axes.map((axis) => tensor.shape[axis]!);
  return arrangement(
    tensor,
    shape,
    { shape, strides: axes.map((axis) => strides[axis]!) },
    0,
    tensor.scale,
  );
}

/** The same numbers under another shape of as many elements. */
export function reshaped(tensor: TensorEntry, shape: readonly number[]): TensorEntry {
  if (tensor.scale && !isOneFactor(tensor.scale) && shape.at(-1) !== tensor.shape.at(-1)) {
    throw unsuitedScale(tensor);
  }
  return { ...tensor, shape };
}

/**
 * One part of a tensor whose outermost axis is a row of groups, each the same parts one after another
 * (as GPT-NeoX keeps each head's query, key and value together).
 *
 * @param start first row of the part in its group, of `length` rows
 * @returns the part's rows of all groups, group by group [groups · length, …]
 */
export function partOfGroups(
  tensor: TensorEntry,
  groups: number,
  start: number,
  length: number,
): TensorEntry {
  const [outer, ...inner] = tensor.shape as readonly [number, ...number[]];
  const group = outer / groups;
  const gathered = gatheredRows(
    tensor,
    Array.from({ length: groups }, (_, at) => [at * group + start, at * group + start + length]),
  );
  if (gathered) return gathered;
  const [step, ...innerStrides] = stridesOf(tensor) as [number, ...number[]];
  return arrangement(
    tensor,
    [groups * length, ...inner],
    {
      shape: [groups, length, ...inner],
      strides: [group * step, step, ...innerStrides],
    },
    start * step,
    groupsOfScale(tensor, groups, start, length),
  );
}

/**
 * Runs of rows [start, end) of a tensor that is put together from parts by whole rows: the rows of those
 * parts, which may well lie in a file as they are asked for. Undefined where it is put together otherwise.
 */
function gatheredRows(
  tensor: TensorEntry,
  runs: readonly (readonly [start: number, end: number])[],
): TensorEntry | undefined {
  const { chunks, shape, view, offset } = tensor;
  const isByRows =
    chunks !== undefined &&
    view === undefined &&
    offset === 0 &&
    chunks.shape.length === shape.length &&
    chunks.shape.every((size, axis) => size === shape[axis]) &&
    chunks.parts.every(
      ({ tensor: part }) =>
        part.shape.length === shape.length &&
        part.shape.every((size, axis) => axis === 0 || size === shape[axis]),
    );
  if (!isByRows) return undefined;
  const parts = [...chunks.parts].sort((a, b) => a.offsets[0]! - b.offsets[0]!);
  const found = runs.flatMap(([start, end]) =>
    parts.flatMap(({ offsets: [top], tensor: part }) => {
      const from = Math.max(start - top!, 0);
      const to = Math.min(end - top!, part.shape[0]!);
      return from < to ? [rows(part, from, to)] : [];
    }),
  );
  return found.length === 0 ? undefined : concatenated(found);
}

/** The factors of some rows of the matrix that the tensor is, its inner axes but the last taken as rows. */
function rowsOfScale(tensor: TensorEntry, start: number, end: number): BlockScale | undefined {
  const { scale } = tensor;
  if (scale === undefined || isOneFactor(scale)) return scale;
  const { factors, block } = scale;
  const first = Math.floor(start / block[0]);
  const last = Math.ceil(end / block[0]);
  // Counted from their own first row, the blocks must begin where they did.
  if (start % block[0] !== 0 && last - first > 1) throw unsuitedScale(tensor);
  return { factors: rows(factors, first, last), block };
}

function groupsOfScale(
  tensor: TensorEntry,
  groups: number,
  start: number,
  length: number,
): BlockScale | undefined {
  const { scale, shape } = tensor;
  if (scale === undefined || isOneFactor(scale)) return scale;
  const { factors, block } = scale;
  const inner = elementCount(shape.slice(1, -1));
  const counts = [start, length, shape[0]! / groups].map((count) => (count * inner) / block[0]);
  if (!counts.every(Number.isInteger)) throw unsuitedScale(tensor);
  return { factors: partOfGroups(factors, groups, counts[0]!, counts[1]!), block };
}

function isOneFactor({ factors }: BlockScale): boolean {
  return elementCount(factors.shape) === 1;
}

function unsuitedScale({ file, name, scale }: TensorEntry): CheckpointError {
  return new CheckpointError(
    "unsupported",
    `${file}: tensor ${quote(name)} has a factor for each block of ${scale!.block.join(" × ")}, of which this part cannot be taken.`,
  );
}

/** Numbers of one piece, if rows are not longer. */
const pieceNumbers = 2 ** 20;

/** A tensor by some rows at a time; whole where its rows cannot be told apart without reading it. */
export function pieces(tensor: TensorEntry): TensorEntry[] {
  const [count = 1, ...inner] = tensor.shape;
  const isPlain = !(tensor.view ?? tensor.member ?? tensor.scale ?? tensor.chunks);
  if (!isPlain || tensor.shape.length === 0) return [tensor];
  const rowNumbers = inner.reduce((product, size) => product * size, 1);
  const atOnce = Math.max(1, Math.floor(pieceNumbers / Math.max(1, rowNumbers)));
  return Array.from({ length: Math.ceil(count / atOnce) }, (_, at) =>
    rows(tensor, at * atOnce, Math.min(count, (at + 1) * atOnce)),
  );
}

function arrangement(
  tensor: TensorEntry,
  shape: readonly number[],
  view: View,
  start: number,
  scale: BlockScale | undefined,
): TensorEntry {
  const whole = { ...tensor };
  delete whole.view;
  delete whole.scale;
  const isPlain = isRowMajor(view);
  const { block = 1 } = stored(tensor.dataType);
  if (start % block !== 0 || (isPlain && elementCount(shape) % block !== 0)) {
    throw new CheckpointError(
      "unsupported",
      `${tensor.file}: tensor ${quote(tensor.name)} is stored in blocks of ${tensor.dataType}, of which only whole ones can be taken.`,
    );
  }
  return {
    ...whole,
    shape,
    offset: tensor.offset + bytesOf(tensor.dataType, start),
    byteLength: bytesOf(
      tensor.dataType,
      isPlain ? elementCount(shape) : storedExtent(tensor, view),
    ),
    ...(!isPlain && { view }),
    ...(scale && { scale }),
  };
}

/** Steps along the axes of the tensor's own shape. @throws CheckpointError where it has none */
function stridesOf(tensor: TensorEntry): readonly number[] {
  const { view, shape } = tensor;
  if (view === undefined) return rowMajor(shape);
  if (
    view.shape.length === shape.length &&
    view.shape.every((size, axis) => size === shape[axis])
  ) {
    return view.strides;
  }
  throw new CheckpointError(
    "unsupported",
    `${tensor.file}: tensor ${quote(tensor.name)} is a regrouped view, of which no further part can be taken.`,
  );
}

export function rowMajor(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  }
  return strides;
}

/** Whether a view's elements lie in the order of its axes, without gaps. */
export function isRowMajor({ shape, strides }: View): boolean {
  const plain = rowMajor(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === plain[axis]);
}
