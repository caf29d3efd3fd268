/** Files of torch.save: the pickle in them, and where the storages it refers to lie. */
import type { ArchiveMember } from "../../checkpoint";
import { bytesOf } from "../../dataType";
import { CheckpointError, quote, written } from "../../errors";
import { exportedProgram } from "../../foreign";
import { limits, withinBytes } from "../../limits";
import type { StoragePlace } from "./entries";
import type { FileRange } from "../fileRange";
import { persistentObject, torchConstructors } from "./objects";
import type { PickleReading } from "./pickle/machine";
import { readPickle } from "./pickle/pickle";
import { PickleTruncated } from "./pickle/pickleBytes";
import { StorageReference } from "./storages";
import type { ZipMember } from "./zip";
import { memberOffsets, readMember, readZipDirectory } from "./zip";

/** What a file of torch.save holds. */
export interface Container {
  /** The object that was saved; tensors in it are `TensorReference`. */
  readonly root: unknown;
  /** @throws CheckpointError where a storage is missing or the file contradicts itself */
  readonly places: (keys: Iterable<string>) => Promise<ReadonlyMap<string, StoragePlace>>;
}

/** How zip archives begin. */
const zipHead = [0x50, 0x4b, 0x03, 0x04];
/** The first pickle of the older format, by itself: a number of 80 bits (torch/serialization.py). */
const legacyHead = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

export function isZip(head: Uint8Array): boolean {
  return zipHead.every((byte, at) => head[at] === byte);
}

/** Whether a file begins as torch.save began before PyTorch 1.6, in any pickle protocol from 2 on. */
export function isLegacy(head: Uint8Array): boolean {
  // Behind the protocol's number; from protocol 4 on also behind the size of a frame.
  return (
    head[0] === 0x80 &&
    [2, 11].some((start) => legacyHead.every((byte, at) => head[start + at] === byte))
  );
}

/**
 * Reads the pickle of a file of torch.save, of either format; reads no storages.
 *
 * @throws CheckpointError where it is neither or is damaged
 */
export async function readContainer(file: FileRange): Promise<Container> {
  const head = await file.read(0, Math.min(file.bytes, 512));
  if (isZip(head)) return readArchive(file);
  if (isLegacy(head)) return readLegacy(file);
  throw new CheckpointError("notACheckpoint", `${file.file}: ${otherKind(head)}.`);
}

function otherKind(head: Buffer): string {
  if (head.toString("latin1", 257, 262) === "ustar") {
    return "is a tar archive, as PyTorch wrote before version 0.2; torch.load(…, weights_only=False) and torch.save make a file that can be read";
  }
  if (head[0] === 0x80) {
    return "is a pickle, but not one that torch.save wrote; save the model's state_dict() with torch.save";
  }
  return "begins like no file of torch.save, which is a zip archive or a pickle";
}

/** How pickles of PyTorch are read, of a file with this name and size, which may ask for so much. */
export function reading(
  { file, bytes }: { file: string; bytes: number },
  most: { values: number; objects: number } = {
    values: limits.pickleValues,
    objects: limits.pickleObjects,
  },
): PickleReading {
  const ofBytes = Math.ceil(bytes / limits.distributedObjectBytes);
  return {
    file,
    most: {
      values: withinBytes(most.values, bytes),
      objects: Math.min(most.objects, Math.max(limits.pickleObjects, ofBytes)),
      largeObjects: limits.pickleLargeObjects,
    },
    constructors: torchConstructors,
    persistent: persistentObject,
  };
}

/** The format since PyTorch 1.6: a zip archive of `data.pkl`, `byteorder` and `data/<key>`. */
async function readArchive(file: FileRange): Promise<Container> {
  const members = await readZipDirectory(file);
  const pickles = [...members.keys()].filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    const isProgram = [...members.keys()].some((name) => programMember.test(name));
    const what = isProgram
      ? `is ${exportedProgram.what}, which is not read; ${exportedProgram.instead}`
      : `is a zip archive with ${pickles.length === 0 ? "no" : pickles.length} data.pkl; one that torch.save wrote has one`;
    throw new CheckpointError("notACheckpoint", `${file.file}: ${what}.`);
  }
  const folder = pickles[0]!.slice(0, -"data.pkl".length);
  const order = members.get(`${folder}byteorder`);
  if (order !== undefined) {
    const stated = (await readMember(file, order, limits.pickleIntegerBytes)).toString("latin1");
    if (stated !== "little") refuseOrder(file, stated);
  }
  const most = Math.min(limits.pickleBytes, limits.pickleRatio * file.bytes);
  const pickle = await readMember(file, members.get(pickles[0]!)!, most);
  const { value: root } = readPickle(pickle, 0, reading(file));
  return {
    root,
    places: async (keys) => {
      const named = [...keys].map((key) => {
        const member = members.get(`${folder}data/${key}`);
        if (member === undefined) throw missing(file, key);
        return [key, member] as const;
      });
      const offsets = await memberOffsets(
        file,
        named.map(([, member]) => member),
      );
      return new Map(
        named.map(([key, member], at) => [key, placeOf(file, member, file.start + offsets[at]!)]),
      );
    },
  };
}

/** What torch.export.save puts into its archives: its program as JSON, before PyTorch 2.8 and since. */
const programMember = /^([^/]+\/)?(serialized_exported_program\.json|models\/[^/]+\.json)$/;

function missing(file: FileRange, key: string): CheckpointError {
  return new CheckpointError("tensor", `${file.file}: storage ${quote(key)} is missing.`);
}

function refuseOrder(file: FileRange, order: string): never {
  throw new CheckpointError(
    "unsupported",
    `${file.file}: its numbers have the byte order ${quote(order)}; expected "little". Load it and save it again on a little-endian machine.`,
  );
}

function placeOf(file: FileRange, member: ZipMember, offset: number): StoragePlace {
  const { isDeflated, packedBytes, unpackedBytes } = member;
  if (!isDeflated) return { file: file.file, offset, byteLength: unpackedBytes };
  const packed: ArchiveMember = { offset, byteLength: packedBytes, unpackedBytes };
  return { file: file.file, offset: 0, byteLength: unpackedBytes, member: packed };
}

/**
 * The format before PyTorch 1.6: one pickle after another (a magic number, the protocol's number, what
 * the machine was, the object, the keys of its storages), then each storage after its element count.
 */
async function readLegacy(file: FileRange): Promise<Container> {
  const storages = new Map<string, StorageReference>();
  const persistent = (identifier: unknown): unknown => {
    const object = persistentObject(identifier);
    if (object instanceof StorageReference && !storages.has(object.key)) {
      storages.set(object.key, whole(object, identifier as readonly unknown[]));
    }
    return object;
  };
  const pickles = await readPickles(file, 5, { ...reading(file), persistent });
  const [, protocol, machine, root, keys] = pickles.values;
  if (protocol !== legacyProtocol) {
    throw broken(file, `is of protocol ${written(protocol)}; expected ${legacyProtocol}`);
  }
  if (machine instanceof Map && machine.get("little_endian") === false) refuseOrder(file, "big");
  const isKeys =
    Array.isArray(keys) && keys.every((key) => ["string", "number"].includes(typeof key));
  if (!isKeys) throw broken(file, "has no list of its storages' keys");
  const places = new Map<string, StoragePlace>();
  let at = pickles.end;
  for (const key of (keys as unknown[]).map(String)) {
    const storage = storages.get(key);
    if (storage === undefined || places.has(key)) {
      throw broken(
        file,
        `lists storage ${quote(key)}, which its object has not, or lists it twice`,
      );
    }
    const elementBytes = storage.dataType === undefined ? 1 : bytesOf(storage.dataType, 1);
    const byteLength = storage.elements * elementBytes;
    const offset = at + countBytes;
    if (!(offset + byteLength <= file.bytes)) {
      throw broken(
        file,
        `storage ${quote(key)} of ${byteLength} bytes at byte ${offset} goes beyond its ${file.bytes} bytes`,
      );
    }
    places.set(key, { file: file.file, offset: file.start + offset, byteLength });
    at = offset + byteLength;
  }
  const lying = [...places];
  await file.readEach(
    lying.map(([, { offset }]) => ({
      offset: offset - file.start - countBytes,
      length: countBytes,
    })),
    (index, bytes, at) => {
      const count = bytes.readBigInt64LE(at);
      const [key] = lying[index]!;
      const { dataType, elements } = storages.get(key)!;
      if (count !== BigInt(elements)) {
        throw broken(
          file,
          `storage ${quote(key)} states ${count.toString()} elements of ${dataType ?? "bytes"}, but its object ${elements}`,
        );
      }
    },
  );
  return {
    root,
    places: (wanted) => {
      for (const key of wanted) if (!places.has(key)) return Promise.reject(missing(file, key));
      return Promise.resolve(places);
    },
  };
}

const legacyProtocol = 1001;
const countBytes = 8;

/** The storage that is stored, where what is named is a part of it. */
function whole(storage: StorageReference, identifier: readonly unknown[]): StorageReference {
  return new StorageReference(storage.key, storage.dataType, identifier[4] as number, 0);
}

/** The first bytes of a file that are read for its pickles; more where they are longer. */
const firstBytes = 2 ** 18;

async function readPickles(
  file: FileRange,
  count: number,
  reading: PickleReading,
): Promise<{ values: unknown[]; end: number }> {
  for (let size = firstBytes; ; size *= 4) {
    const length = Math.min(size, file.bytes, limits.pickleBytes);
    const bytes = await file.read(0, length);
    try {
      const values: unknown[] = [];
      let end = 0;
      while (values.length < count) {
        const pickle = readPickle(bytes, end, reading);
        values.push(pickle.value);
        end = pickle.end;
      }
      return { values, end };
    } catch (error) {
      const isAll = length === file.bytes || length === limits.pickleBytes;
      if (isAll || !(error instanceof PickleTruncated)) throw error;
    }
  }
}

function broken({ file }: FileRange, what: string): CheckpointError {
  return new CheckpointError("header", `${file}: ${what}.`);
}
