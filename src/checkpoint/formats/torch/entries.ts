import type { ArchiveMember, TensorEntry } from "../../checkpoint";
import { elementCount } from "../../checkpoint";
import type { DataType } from "../../dataType";
import { bytesOf } from "../../dataType";
import { CheckpointError, quote, written } from "../../errors";
import { limits } from "../../limits";
import { extent } from "../../readTensor";
import { isRowMajor } from "../../views";
import type { TensorReference } from "./objects";
import { torchType } from "./objects";
import { Global } from "./pickle/values";
import { StorageReference } from "./storages";

/** Where the bytes of a storage lie. */
export interface StoragePlace {
  readonly file: string;
  /** Byte offset in the file, or in what its member unpacks to. */
  readonly offset: number;
  readonly byteLength: number;
  readonly member?: ArchiveMember;
}

/**
 * The key of the storage that a tensor lies in; undefined where nothing of it is stored.
 *
 * @throws CheckpointError where it has none and should
 */
export function storageKey(
  file: string,
  name: string,
  tensor: TensorReference,
): string | undefined {
  if (tensor.unusable !== undefined && tensor.storage === undefined) return undefined;
  return storageOf(file, name, tensor).key;
}

/**
 * A tensor's place in its file.
 *
 * @param place where its storage lies
 * @throws CheckpointError where it reaches beyond its storage, or what it states of itself is no shape
 */
export function entryOf(
  file: string,
  name: string,
  tensor: TensorReference,
  place: StoragePlace | undefined,
): TensorEntry {
  const { unusable, ownType } = tensor;
  if (unusable === undefined) return storedEntry(file, name, tensor, place!);
  const shape = sizes(unusable.shape);
  if (
    shape === undefined ||
    shape.length > limits.tensorRank ||
    !Number.isSafeInteger(elementCount(shape))
  ) {
    return failed(file, name, `its shape is ${written(unusable.shape)}`);
  }
  const listed = { name, shape, unusable: unusable.reason };
  if (place === undefined) {
    return { ...listed, dataType: torchType(ownType)!, file, offset: 0, byteLength: 0 };
  }
  const { dataType, offset, byteLength } = storedEntry(file, name, tensor, place);
  return { ...listed, dataType, file: place.file, offset, byteLength };
}

function storedEntry(
  file: string,
  name: string,
  tensor: TensorReference,
  place: StoragePlace,
): TensorEntry {
  const fail = (what: string): never => failed(file, name, what);
  const storage = storageOf(file, name, tensor);
  const dataType = typeOf(file, name, tensor, storage);
  const shape = sizes(tensor.shape);
  const strides = sizes(tensor.strides);
  if (shape === undefined || strides?.length !== shape.length) {
    return fail("its shape and strides are not lists of as many whole numbers");
  }
  if (shape.length > limits.tensorRank) {
    return fail(`has ${shape.length} axes; the limit is ${limits.tensorRank}`);
  }
  const start = sizes([tensor.offset])?.[0];
  if (start === undefined) return fail("its place in its storage is not a whole number");
  const view = { shape, strides };
  const reach = extent(view);
  const last = (start + reach) * bytesOf(dataType, 1);
  const stated =
    storage.elements * (storage.dataType === undefined ? 1 : bytesOf(storage.dataType, 1));
  const first = storage.start * bytesOf(storage.dataType ?? dataType, 1);
  if (!(last <= stated) || !(first + stated <= place.byteLength)) {
    return fail(
      `shape [${shape.join(", ")}] of ${dataType} with strides [${strides.join(", ")}] from element ${start} ends at byte ${first + last} of its storage ${quote(storage.key)}, which has ${Math.min(place.byteLength, first + stated)}`,
    );
  }
  const count = elementCount(shape);
  if (count > reach && count > limits.repeatedElements) {
    return fail(
      `repeats its ${reach} stored elements to ${count}; the limit is ${limits.repeatedElements}`,
    );
  }
  const isPlain = count === 0 || isRowMajor(view);
  return {
    name,
    dataType,
    shape,
    file: place.file,
    offset: place.offset + first + start * bytesOf(dataType, 1),
    byteLength: bytesOf(dataType, reach),
    ...(!isPlain && { view }),
    ...(place.member && { member: place.member }),
  };
}

function storageOf(file: string, name: string, tensor: TensorReference): StorageReference {
  const { storage } = tensor;
  if (storage instanceof StorageReference) return storage;
  return failed(file, name, "its storage is of a kind that is not known");
}

function typeOf(
  file: string,
  name: string,
  { ownType }: TensorReference,
  { dataType }: StorageReference,
): DataType {
  const type = ownType === undefined ? dataType : torchType(ownType);
  if (type !== undefined) return type;
  const what = ownType instanceof Global ? ownType.toString() : written(ownType);
  return failed(file, name, `its element type ${what} is unknown`);
}

function failed(file: string, name: string, what: string): never {
  throw new CheckpointError("tensor", `${file}: tensor ${quote(name)}: ${what}.`);
}

/** Whole numbers of zero or more. */
function sizes(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  return value.every(isSize) ? (value as number[]) : undefined;
}
