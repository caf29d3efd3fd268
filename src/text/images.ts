import { open, stat } from "node:fs/promises";
import { t } from "@vscode/l10n";
import type { Architecture, PatchEmbedding } from "../architecture/description";
import { tokensOfImage } from "../architecture/description";
import type { TensorEntry } from "../checkpoint/checkpoint";
import { elementCount } from "../checkpoint/checkpoint";
import type { DataType } from "../checkpoint/dataType";
import { bytesOf } from "../checkpoint/dataType";
import { lineOf, quote } from "../checkpoint/errors";
import { openCheckpoint } from "../checkpoint/open";
import { readTensor } from "../checkpoint/readTensor";
import type { Sequence } from "./documents";
import { TextError } from "./errors";

/**
 * Reads a batch of images [images, channels, height, width], floating point and normalised as in the
 * model's training, with their labels [images] if there are any: a safetensors file with `pixel_values`
 * and `labels`, or FILE.npy with FILE.labels.npy beside it. Each image is one document.
 *
 * @param classes how many the model tells apart; infinite where it tells none
 * @throws TextError when the file cannot be read, or does not fit the model
 */
export async function readImages(
  file: string,
  embedding: PatchEmbedding,
  classes: number,
): Promise<Sequence[]> {
  const { pixels, labels } = await readBatch(file).catch((error: unknown) => {
    throw error instanceof TextError
      ? error
      : new TextError(`${file}: cannot be read as images: ${lineOf(error)}.`);
  });
  const { channels, height, width } = embedding.image;
  const expected = [channels, height, width];
  const [count = 0, ...sizes] = pixels.shape;
  if (count === 0 || sizes.length !== 3 || sizes.some((size, axis) => size !== expected[axis])) {
    throw new TextError(
      `${file}: the images' shape is [${pixels.shape.join(", ")}]; the model reads [images, ${expected.join(", ")}].`,
    );
  }
  if (!["F32", "F16", "BF16", "F64"].includes(pixels.dataType)) {
    throw new TextError(
      `${file}: the images' type is ${pixels.dataType}; expected floating-point numbers, normalised as in the model's training.`,
    );
  }
  const numbers = await readTensor(pixels);
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1)
    throw new TextError(
      `${file}: image ${Math.floor(wrong / (numbers.length / count))} holds ${numbers[wrong]}.`,
    );
  const known = labels && (await readWholeNumbers(labels));
  if (known !== undefined && known.length !== count) {
    throw new TextError(`${labels!.file}: holds ${known.length} labels for ${count} images.`);
  }
  const beyond = known?.find((label) => label < 0 || label >= classes);
  if (beyond !== undefined) {
    throw new TextError(
      `${labels!.file}: holds the label ${beyond}; the model's classes are 0 to ${classes - 1}.`,
    );
  }
  const size = numbers.length / count;
  return Array.from({ length: count }, (_, document) => ({
    document,
    tokens: Array.from({ length: tokensOfImage(embedding) }, (_, place) => place),
    image: {
      pixels: numbers.subarray(document * size, (document + 1) * size),
      label: known?.[document],
    },
  }));
}

/** The architecture without a head to ask, where what it is evaluated on are images without labels. */
export function withoutLabels(
  architecture: Architecture,
  sequences: readonly Sequence[],
): Architecture {
  const isAsked = architecture.objective.kind !== "class" || architecture.head === undefined;
  return isAsked || sequences.every(({ image }) => image?.label !== undefined)
    ? architecture
    : { ...architecture, head: undefined, whyNoHead: t("the images have no labels") };
}

interface ImageBatch {
  readonly pixels: TensorEntry;
  readonly labels: TensorEntry | undefined;
}

async function readBatch(file: string): Promise<ImageBatch> {
  if (file.endsWith(".npy")) {
    const beside = file.replace(/\.npy$/, ".labels.npy");
    const hasLabels = await stat(beside).then(
      () => true,
      () => false,
    );
    return {
      pixels: await npyTensor(file),
      labels: hasLabels ? await npyTensor(beside) : undefined,
    };
  }
  const { tensors } = await openCheckpoint(file);
  const pixels = tensors.get("pixel_values");
  if (pixels === undefined) throw new TextError(`${file}: holds no tensor "pixel_values".`);
  return { pixels, labels: tensors.get("labels") };
}

/** NumPy's names of little-endian types. */
const npyTypes: ReadonlyMap<string, DataType> = new Map([
  ["<f2", "F16"],
  ["<f4", "F32"],
  ["<f8", "F64"],
  ["|u1", "U8"],
  ["|i1", "I8"],
  ["<i2", "I16"],
  ["<i4", "I32"],
  ["<i8", "I64"],
]);

/** An .npy header is a Python dictionary of these keys, which no other text has the form of. */
const npyHeader =
  /^\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*$/;

/** The array of an .npy file (format 1.0 to 3.0 of numpy.lib.format). */
async function npyTensor(file: string): Promise<TensorEntry> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const start = Buffer.alloc(12);
    await handle.read(start, 0, 12, 0);
    if (start.toString("latin1", 0, 6) !== "\x93NUMPY") {
      throw new TextError(`${file}: is not an .npy file.`);
    }
    const version = start[6]!;
    if (version < 1 || version > 3) {
      throw new TextError(`${file}: is of .npy version ${version}; versions 1 to 3 are read.`);
    }
    const isFirst = version === 1;
    const begin = isFirst ? 10 : 12;
    const length = isFirst ? start.readUInt16LE(8) : start.readUInt32LE(8);
    if (begin + length > Math.min(size, 2 ** 16)) {
      throw new TextError(`${file}: its header of ${length} bytes does not fit in the file.`);
    }
    const header = Buffer.alloc(length);
    await handle.read(header, 0, length, begin);
    const [, descr = "", fortran, dims = ""] = npyHeader.exec(header.toString("latin1")) ?? [];
    const dataType = npyTypes.get(descr);
    if (dataType === undefined || fortran !== "False") {
      throw new TextError(
        `${file}: is an array of ${descr === "" ? "an unknown form" : quote(descr)}${fortran === "True" ? " in Fortran order" : ""}; supported are ${[...npyTypes.keys()].join(", ")} in C order.`,
      );
    }
    const shape = dims
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .map(Number);
    const byteLength = bytesOf(dataType, elementCount(shape));
    const offset = begin + length;
    if (offset + byteLength !== size) {
      throw new TextError(
        `${file}: an array [${shape.join(", ")}] of ${descr} takes ${byteLength} bytes; the file holds ${size - offset}.`,
      );
    }
    return { name: "", dataType, shape, file, offset, byteLength };
  } finally {
    await handle.close();
  }
}

const wholeNumberReaders: Partial<Record<DataType, (bytes: Buffer, at: number) => number>> = {
  I64: (bytes, at) => Number(bytes.readBigInt64LE(8 * at)),
  I32: (bytes, at) => bytes.readInt32LE(4 * at),
  I16: (bytes, at) => bytes.readInt16LE(2 * at),
  U8: (bytes, at) => bytes.readUInt8(at),
};

async function readWholeNumbers(labels: TensorEntry): Promise<number[]> {
  const { file, offset, byteLength, dataType, shape } = labels;
  const numberAt = wholeNumberReaders[dataType];
  if (numberAt === undefined || shape.length !== 1) {
    throw new TextError(
      `${file}: the labels are ${dataType} of shape [${shape.join(", ")}]; expected whole numbers [images].`,
    );
  }
  if (labels.view ?? labels.member ?? labels.chunks) {
    throw new TextError(
      `${file}: the labels do not lie one after another in the file; expected a plain array, as safetensors and .npy have.`,
    );
  }
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(byteLength);
    await handle.read(bytes, 0, byteLength, offset);
    return Array.from({ length: shape[0]! }, (_, at) => numberAt(bytes, at));
  } finally {
    await handle.close();
  }
}
