import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import type { TensorEntry, View } from "./checkpoint";
import { elementCount } from "./checkpoint";
import { bytesOf, stored } from "./dataType";
import { decoders } from "./decode";
import { CheckpointError, lineOf, quote } from "./errors";

/** Elements decoded together: a whole number of blocks of every type. */
const pieceElements = 2 ** 20;

/** Whether the engine can take the tensor's bytes as they lie in the file. */
export function isReadInPlace(tensor: TensorEntry): boolean {
  const { dataType, view, member, scale, chunks, unusable } = tensor;
  return (
    stored(dataType).weight === "inPlace" && !view && !member && !scale && !chunks && !unusable
  );
}

/**
 * The numbers of a tensor as float32 in row-major order, however they are stored.
 *
 * @throws CheckpointError when its type holds no weights or the file does not hold what it should
 */
export async function readTensor(tensor: TensorEntry): Promise<Float32Array> {
  const lying = await (tensor.chunks ? readAssembled(tensor) : readStored(tensor));
  const numbers = tensor.view ? arranged(lying, tensor.view) : lying;
  if (tensor.scale) {
    multiply(numbers, tensor.shape, await readTensor(tensor.scale.factors), tensor.scale.block);
  }
  return numbers;
}

/** A tensor's bytes as the engine takes them: as stored where it could read them in place, else float32. */
export async function readWeight(tensor: TensorEntry): Promise<Uint8Array> {
  if (!isReadInPlace(tensor)) return new Uint8Array((await readTensor(tensor)).buffer);
  const handle = await open(tensor.file, "r");
  try {
    return await readWhole(tensor, handle, Buffer.alloc(tensor.byteLength), tensor.offset);
  } finally {
    await handle.close();
  }
}

/** The elements as they lie in the file, from the tensor's first to its last. */
async function readStored(tensor: TensorEntry): Promise<Float32Array> {
  const { dataType, member, file, view } = tensor;
  if (tensor.unusable !== undefined) throw broken(tensor, tensor.unusable);
  const decode = decoders[dataType];
  if (decode === undefined) throw broken(tensor, `${dataType} holds no weights that are read`);
  const count = view ? storedExtent(tensor, view) : elementCount(tensor.shape);
  const numbers = new Float32Array(count);
  const handle = await open(file, "r");
  try {
    const unpacked = member && (await unpack(tensor, handle));
    const step = bytesOf(dataType, pieceElements);
    const whole = bytesOf(dataType, count);
    const piece = Buffer.alloc(Math.min(step, whole));
    for (let at = 0, first = 0; at < whole; at += step, first += pieceElements) {
      const length = Math.min(step, whole - at);
      const bytes = unpacked
        ? unpacked.subarray(tensor.offset + at, tensor.offset + at + length)
        : await readWhole(tensor, handle, piece.subarray(0, length), tensor.offset + at);
      decode(
        new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        numbers.subarray(first, first + pieceElements),
      );
    }
  } finally {
    await handle.close();
  }
  return numbers;
}

/** The elements as they lie in what the chunks make, from the tensor's first to its last. */
async function readAssembled(tensor: TensorEntry): Promise<Float32Array> {
  const { shape, parts } = tensor.chunks!;
  const whole = new Float32Array(elementCount(shape));
  for (const part of parts) {
    insert(whole, shape, await readTensor(part.tensor), part.tensor.shape, part.offsets);
  }
  const start = tensor.offset / bytesOf(tensor.dataType, 1);
  const count = tensor.view ? extent(tensor.view) : elementCount(tensor.shape);
  return whole.subarray(start, start + count);
}

/** Puts a block into an array, both row-major, so that it begins at `offsets`. */
function insert(
  whole: Float32Array,
  shape: readonly number[],
  block: Float32Array,
  blockShape: readonly number[],
  offsets: readonly number[],
): void {
  const width = blockShape.at(-1) ?? 1;
  for (let row = 0; row * width < block.length; row++) {
    let place = 0;
    let rest = row * width;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (offsets[axis]! + (rest % blockShape[axis]!)) * step;
      rest = Math.floor(rest / blockShape[axis]!);
      step *= shape[axis]!;
    }
    whole.set(block.subarray(row * width, (row + 1) * width), place);
  }
}

async function unpack(tensor: TensorEntry, handle: FileHandle): Promise<Buffer> {
  const { offset, byteLength, unpackedBytes } = tensor.member!;
  const packed = await readWhole(tensor, handle, Buffer.alloc(byteLength), offset);
  const unpacked = await promisify(inflateRaw)(packed, { maxOutputLength: unpackedBytes }).catch(
    (error: unknown) => {
      throw broken(tensor, `its archive member cannot be unpacked: ${lineOf(error)}`);
    },
  );
  if (unpacked.length !== unpackedBytes) {
    throw broken(tensor, `its member unpacks to ${unpacked.length} bytes, not ${unpackedBytes}`);
  }
  return unpacked;
}

async function readWhole(
  tensor: TensorEntry,
  handle: FileHandle,
  target: Buffer,
  at: number,
): Promise<Buffer> {
  const { bytesRead } = await handle.read(target, 0, target.length, at);
  if (bytesRead !== target.length) {
    throw broken(tensor, `the file ends after ${bytesRead} of ${target.length} bytes`);
  }
  return target;
}

/** Elements that are stored from the first to the last that a view reaches: whole blocks of them. */
export function storedExtent({ dataType }: Pick<TensorEntry, "dataType">, view: View): number {
  const { block = 1 } = stored(dataType);
  return Math.ceil(extent(view) / block) * block;
}

/** Elements from the first to the last that a view reaches, both included. */
export function extent({ shape, strides }: View): number {
  if (shape.includes(0)) return 0;
  return 1 + shape.reduce((reach, size, axis) => reach + (size - 1) * strides[axis]!, 0);
}

/** A view's elements one after another, the innermost axis fastest. */
function arranged(lying: Float32Array, { shape, strides }: View): Float32Array {
  const numbers = new Float32Array(elementCount(shape));
  let written = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === shape.length) {
      numbers[written++] = lying[from]!;
      return;
    }
    for (let at = 0; at < shape[axis]!; at++) walk(axis + 1, from + at * strides[axis]!);
  };
  walk(0, 0);
  return numbers;
}

/** Multiplies a matrix, in place, by a factor for each block of it. */
function multiply(
  numbers: Float32Array,
  shape: readonly number[],
  factors: Float32Array,
  [blockRows, blockColumns]: readonly [number, number],
): void {
  const columns = shape.at(-1) ?? 1;
  const factorColumns = Math.ceil(columns / blockColumns);
  for (let at = 0; at < numbers.length; at++) {
    const row = Math.floor(at / columns / blockRows);
    const column = Math.floor((at % columns) / blockColumns);
    numbers[at]! *= factors[row * factorColumns + column]!;
  }
}

function broken({ file, name }: TensorEntry, what: string): CheckpointError {
  return new CheckpointError("tensor", `${file}: tensor ${quote(name)}: ${what}.`);
}
