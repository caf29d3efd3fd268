import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TensorEntry } from "../../checkpoint";
import { CheckpointError, lineOf, quote } from "../../errors";
import { limits } from "../../limits";
import { isPlainName } from "../../plainName";
import type { FileContents, Format } from "../format";
import { readContainer, reading } from "./container";
import { entryOf, storageKey } from "./entries";
import type { FileRange } from "../fileRange";
import { withFile } from "../fileRange";
import { TensorReference } from "./objects";
import { readPickle } from "./pickle/pickle";
import { Inert } from "./pickle/values";
import { findModel } from "./stateDict";
import { together } from "./together";

const directoryName = ".metadata";

export const torchDistributed: Format = {
  name: "PyTorch distributed",
  usual: [directoryName],
  fillsFolder: true,
  recognises: (name) => name === directoryName || name.endsWith(".distcp"),
  read: (_, named) => readDistributed(dirname(named)),
};

/**
 * Reads a checkpoint of torch.distributed.checkpoint, as FSDP and others write it: `.metadata` is
 * a pickle that says in which `.distcp` file each part of each tensor lies, there by itself as
 * torch.save writes it (torch/distributed/checkpoint/metadata.py and filesystem.py).
 *
 * @throws CheckpointError where a part is missing, or the parts do not make up their tensor
 */
export async function readDistributed(folder: string): Promise<FileContents> {
  const file = join(folder, directoryName);
  const directory = await withFile(file, readDirectory);
  const { tensors } = findModel(directory, directory.root);
  const wanted = [...tensors].map(([name, { storage }]) => ({
    name,
    stored: storage as StoredTensor,
  }));
  const chunks = wanted.flatMap(({ name, stored }) =>
    stored.chunks.map((chunk) => placed(file, name, stored.path, chunk, directory.places)),
  );
  const read = new Map<Chunk, TensorEntry>();
  let bytes = 0;
  const byFile = new Map<string, PlacedChunk[]>();
  for (const chunk of chunks) {
    const some = byFile.get(chunk.place.path);
    if (some) some.push(chunk);
    else byFile.set(chunk.place.path, [chunk]);
  }
  for (const [name, some] of byFile) {
    bytes += await readPartFile(file, await partFile(folder, name), some, read);
  }
  return {
    tensors: wanted.map(({ name, stored }) => {
      const parts = stored.chunks.map((chunk) => ({
        offsets: chunk.offsets,
        tensor: read.get(chunk)!,
      }));
      const dataType = parts[0]?.tensor.dataType ?? "F32";
      return together(file, name, dataType, stored.shape, parts);
    }),
    bytes,
  };
}

interface Directory {
  readonly file: string;
  readonly bytes: number;
  /** What was saved, its tensors as references to `StoredTensor`. */
  readonly root: ReadonlyMap<unknown, unknown>;
  readonly places: ReadonlyMap<string, Place>;
}

interface StoredTensor {
  /** Its full name in the directory. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly chunks: readonly Chunk[];
}

interface Chunk {
  readonly offsets: readonly number[];
  readonly shape: readonly number[];
}

/** Where a chunk lies. */
interface Place {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly isPacked: boolean;
}

async function readDirectory(whole: FileRange): Promise<Directory> {
  const { file } = whole;
  if (whole.bytes > limits.distributedBytes) {
    throw broken(file, `takes ${whole.bytes} bytes; the limit is ${limits.distributedBytes}`);
  }
  const most = { values: limits.distributedValues, objects: limits.distributedObjects };
  const { value } = readPickle(await whole.read(0, whole.bytes), 0, reading(whole, most));
  const stored = attribute(value, "state_dict_metadata");
  const storage = attribute(value, "storage_data");
  if (!(stored instanceof Map) || !(storage instanceof Map)) {
    throw broken(file, "lists no tensors and where they lie, as torch.distributed.checkpoint does");
  }
  const ways = attribute(value, "planner_data");
  const root = new Map<unknown, unknown>();
  for (const [path, metadata] of stored) {
    const shape = sizes(attribute(metadata, "size"));
    const chunks = attribute(metadata, "chunks");
    // What is no tensor was pickled by itself: a step, a schedule.
    if (typeof path !== "string" || shape === undefined || !Array.isArray(chunks)) continue;
    const tensor: StoredTensor = {
      path,
      shape,
      chunks: chunks.map((chunk) => {
        const [offsets, size] = [attribute(chunk, "offsets"), attribute(chunk, "sizes")].map(sizes);
        if (offsets?.length !== shape.length || size?.length !== shape.length) {
          throw broken(file, `tensor ${quote(path)} has a part without offsets and sizes`);
        }
        return { offsets, shape: size };
      }),
    };
    const way: unknown = ways instanceof Map ? ways.get(path) : undefined;
    put(file, root, Array.isArray(way) && way.length > 0 ? (way as unknown[]) : [path], tensor);
  }
  const places = new Map<string, Place>();
  for (const [index, info] of storage) {
    const [path, offset] = [attribute(index, "fqn"), sizes(attribute(index, "offset"))];
    const name = attribute(info, "relative_path");
    const [start, bytes] = sizes([attribute(info, "offset"), attribute(info, "length")]) ?? [];
    const transforms = attribute(info, "transform_descriptors") ?? [];
    if (offset === undefined) continue;
    if (
      typeof path !== "string" ||
      typeof name !== "string" ||
      start === undefined ||
      bytes === undefined
    ) {
      throw broken(file, "has a part without a file, an offset and a length");
    }
    const isPacked = !Array.isArray(transforms) || transforms.length > 0;
    places.set(keyOf(path, offset), { path: name, offset: start, bytes, isPacked });
  }
  return { file, bytes: whole.bytes, root, places };
}

/** Puts a tensor where it was in what was saved: dictionaries in each other by these keys. */
function put(
  file: string,
  root: Map<unknown, unknown>,
  way: readonly unknown[],
  tensor: StoredTensor,
): void {
  if (way.length > limits.pickleDepth) {
    throw broken(file, `tensor ${quote(tensor.path)} lies deeper than ${limits.pickleDepth}`);
  }
  let inner = root;
  for (const key of way.slice(0, -1)) {
    const next: unknown = inner.get(key) ?? new Map();
    if (!(next instanceof Map)) throw broken(file, `${quote(tensor.path)} lies inside a tensor`);
    inner.set(key, next);
    inner = next;
  }
  inner.set(way.at(-1), new TensorReference(tensor, 0, tensor.shape, []));
}

interface PlacedChunk {
  readonly name: string;
  readonly chunk: Chunk;
  readonly place: Place;
}

function placed(
  file: string,
  name: string,
  path: string,
  chunk: Chunk,
  places: ReadonlyMap<string, Place>,
): PlacedChunk {
  const place = places.get(keyOf(path, chunk.offsets));
  const where = `tensor ${quote(name)} from [${chunk.offsets.join(", ")}]`;
  if (place === undefined) throw broken(file, `the part of ${where} is in no file`);
  if (place.isPacked) {
    throw new CheckpointError(
      "unsupported",
      `${file}: the part of ${where} is compressed; make one file of it with \`python -m torch.distributed.checkpoint.format_utils dcp_to_torch\`.`,
    );
  }
  if (!isPlainName(place.path)) {
    throw broken(
      file,
      `the part of ${where} is said to lie in ${quote(place.path)}, which is no plain file name`,
    );
  }
  return { name, chunk, place };
}

async function partFile(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere)
    throw new CheckpointError("missingShard", `${path}: is missing; .metadata names it.`);
  return realpath(path).catch((error: unknown) => {
    throw new CheckpointError("unreadable", `${path}: cannot be read: ${lineOf(error)}.`);
  });
}

/** A tensor of torch.save begins with its pickle and ends with the directory of its archive. */
const [pickleEnd, directoryEnd] = [2048, 1024];
const chunksAtOnce = 64;

/** Reads the directories of the chunks in one file. Returns the file's size. */
async function readPartFile(
  directory: string,
  file: string,
  chunks: readonly PlacedChunk[],
  read: Map<Chunk, TensorEntry>,
): Promise<number> {
  return withFile(file, async (whole) => {
    for (let at = 0; at < chunks.length; at += chunksAtOnce) {
      const some = chunks.slice(at, at + chunksAtOnce).map(async (placed) => {
        read.set(placed.chunk, await readChunk(directory, whole, placed));
      });
      await Promise.all(some);
    }
    return whole.bytes;
  });
}

async function readChunk(
  directory: string,
  whole: FileRange,
  { name, chunk, place }: PlacedChunk,
): Promise<TensorEntry> {
  const part = whole.part(place.offset, place.bytes);
  const { root, places } = await readContainer(await part.withEnds(pickleEnd, directoryEnd));
  if (!(root instanceof TensorReference)) {
    throw broken(
      whole.file,
      `has no tensor at byte ${place.offset}, where .metadata says a part of ${quote(name)} is`,
    );
  }
  const key = storageKey(whole.file, name, root);
  const stored = key === undefined ? undefined : (await places([key])).get(key);
  const entry = entryOf(whole.file, name, root, stored);
  if (entry.shape.join() !== chunk.shape.join()) {
    throw broken(
      directory,
      `states the part of tensor ${quote(name)} from [${chunk.offsets.join(", ")}] as [${chunk.shape.join(", ")}], but it is [${entry.shape.join(", ")}]`,
    );
  }
  return entry;
}

function keyOf(path: string, offsets: readonly number[]): string {
  return `${path}\0${offsets.join()}`;
}

function attribute(object: unknown, name: string): unknown {
  return object instanceof Inert ? object.attributes.get(name) : undefined;
}

function sizes(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > limits.tensorRank) return undefined;
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  return value.every(isSize) ? (value as number[]) : undefined;
}

function broken(file: string, what: string): CheckpointError {
  return new CheckpointError("tensor", `${file}: ${what}.`);
}
