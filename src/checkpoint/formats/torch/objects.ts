/** What PyTorch's own classes and functions make of a pickle, as descriptions: no numbers are read. */
import type { Constructor } from "./pickle/machine";
import { Global, Inert, wordsOf } from "./pickle/values";
import { StorageReference, storageTypes, torchTypes } from "./storages";

type Charge = Parameters<Constructor>[1];

/** A tensor as a pickle describes it; nothing of it has been checked. */
export class TensorReference {
  constructor(
    readonly storage: unknown,
    /** First element in the storage. */
    readonly offset: unknown,
    readonly shape: unknown,
    readonly strides: unknown,
    /** Where it states an element type of its own. */
    readonly ownType?: unknown,
    /** Where what is stored is not its numbers. */
    readonly unusable?: Unusable,
  ) {}
}

/** Of a tensor that is no plain array by itself. */
export interface Unusable {
  /** Why, as the end of a message that has named it. */
  readonly reason: string;
  /** Its own shape, which what is stored may not have. */
  readonly shape: unknown;
}

/**
 * The functions that torch.save writes calls of (torch/_utils.py, torch/_tensor.py), and the classes
 * of Python that hold plain values.
 */
export const torchConstructors: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ["torch._utils._rebuild_tensor", strided],
  ["torch._utils._rebuild_tensor_v2", strided],
  [
    "torch._utils._rebuild_tensor_v3",
    ([storage, offset, shape, strides, , , type, metadata]) =>
      new TensorReference(storage, offset, shape, strides, type, negated(shape, metadata)),
  ],
  ["torch._utils._rebuild_parameter", first],
  // Of a device that has no storages of its own, the numbers as they were on the CPU.
  ["torch._utils._rebuild_device_tensor_from_cpu_tensor", first],
  ["torch._utils._rebuild_parameter_with_state", first],
  ["torch._tensor._rebuild_from_type", rebuilt],
  ["torch._tensor._rebuild_from_type_v2", rebuilt],
  ["torch.tensor._rebuild_from_type", rebuilt],
  ["torch.Size", list],
  ["torch.device", device],
  ["collections.OrderedDict", dictionary],
  // The function that makes missing values stands first.
  ["collections.defaultdict", ([, content], charge) => dictionary([content], charge)],
  ["collections.Counter", dictionary],
  ["builtins.dict", dictionary],
  ["builtins.list", list],
  ["builtins.tuple", list],
  ["builtins.set", list],
  ["builtins.frozenset", list],
  ["__builtin__.dict", dictionary],
  ["__builtin__.list", list],
  ["__builtin__.set", list],
  ["__builtin__.frozenset", list],
  ["_codecs.encode", encoded],
  ["copyreg._reconstructor", reconstructed],
  ["copy_reg._reconstructor", reconstructed],
  ["copyreg.__newobj__", newObject],
  ["copy_reg.__newobj__", newObject],
  ["numpy.core.multiarray.scalar", numpyScalar],
  ["numpy._core.multiarray.scalar", numpyScalar],
]);

function strided(args: readonly unknown[]): TensorReference {
  const [storage, offset, shape, strides, , , metadata] = args;
  return new TensorReference(storage, offset, shape, strides, undefined, negated(shape, metadata));
}

/** Of what a tensor states of itself last: that it is the negative of what is stored. */
function negated(shape: unknown, metadata: unknown): Unusable | undefined {
  const isNegated = metadata instanceof Map && metadata.get("neg") === true;
  const reason =
    "is kept as the negative of what is stored (Tensor.is_neg); save it after resolve_neg()";
  return isNegated ? { reason, shape } : undefined;
}

function first([value]: readonly unknown[]): unknown {
  return value;
}

/** A tensor of a subclass: the function that makes a plain one, the class, and its arguments. */
function rebuilt([callee, , args]: readonly unknown[], charge: Charge): unknown {
  return made(callee, args, charge);
}

function reconstructed([type, , content]: readonly unknown[], charge: Charge): unknown {
  return made(type, content === null || content === undefined ? [] : [content], charge);
}

function newObject(args: readonly unknown[], charge: Charge): unknown {
  charge(args.length);
  return made(args[0], args.slice(1), charge);
}

function made(callee: unknown, args: unknown, charge: Charge): unknown {
  const type = callee instanceof Global ? callee : new Global("", "");
  const values = Array.isArray(args) ? (args as unknown[]) : [args];
  // A call that calls this again by its arguments would go round: only plain ones are followed.
  const known = nested.has(type.toString()) ? undefined : torchConstructors.get(type.toString());
  return known ? known(values, charge) : new Inert(type, values);
}

const nested = new Set([
  "torch._tensor._rebuild_from_type",
  "torch._tensor._rebuild_from_type_v2",
  "torch.tensor._rebuild_from_type",
  "copyreg._reconstructor",
  "copy_reg._reconstructor",
  "copyreg.__newobj__",
  "copy_reg.__newobj__",
]);

function list([values]: readonly unknown[], charge: Charge): unknown[] {
  if (!Array.isArray(values)) return [];
  charge(values.length);
  return [...(values as unknown[])];
}

function dictionary([content]: readonly unknown[], charge: Charge): Map<unknown, unknown> {
  if (content instanceof Map) {
    charge(content.size);
    return new Map(content);
  }
  const pairs: readonly unknown[] = Array.isArray(content) ? content : [];
  charge(pairs.length);
  return new Map(
    pairs.filter((pair): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2),
  );
}

/** How bytes are written before protocol 3: as text of one byte a character. */
function encoded([value]: readonly unknown[], charge: Charge): unknown {
  if (typeof value !== "string") return value;
  charge(wordsOf(value.length));
  return new Uint8Array(Buffer.from(value, "latin1"));
}

function device([kind, index]: readonly unknown[], charge: Charge): unknown {
  if (index === undefined) return kind;
  const [name, number] = [text(kind), text(index)];
  charge(wordsOf(name.length + number.length));
  return `${name}:${number}`;
}

type Reader = (bytes: DataView, isLittle: boolean) => number | bigint | boolean;

const numpyTypes: Readonly<Record<string, Reader>> = {
  f8: (bytes, isLittle) => bytes.getFloat64(0, isLittle),
  f4: (bytes, isLittle) => bytes.getFloat32(0, isLittle),
  i8: (bytes, isLittle) => bytes.getBigInt64(0, isLittle),
  i4: (bytes, isLittle) => bytes.getInt32(0, isLittle),
  i2: (bytes, isLittle) => bytes.getInt16(0, isLittle),
  i1: (bytes) => bytes.getInt8(0),
  u8: (bytes, isLittle) => bytes.getBigUint64(0, isLittle),
  u4: (bytes, isLittle) => bytes.getUint32(0, isLittle),
  u2: (bytes, isLittle) => bytes.getUint16(0, isLittle),
  u1: (bytes) => bytes.getUint8(0),
  b1: (bytes) => bytes.getUint8(0) !== 0,
};

/** A single NumPy number: its dtype, whose state begins with a version and the order, and its bytes. */
function numpyScalar(args: readonly unknown[]): unknown {
  const [type, bytes] = args;
  const name = type instanceof Inert ? type.args[0] : undefined;
  const state: readonly unknown[] =
    type instanceof Inert && Array.isArray(type.state) ? type.state : [];
  const read =
    typeof name === "string" && Object.hasOwn(numpyTypes, name) ? numpyTypes[name] : undefined;
  if (
    read === undefined ||
    !(bytes instanceof Uint8Array) ||
    bytes.length !== Number((name as string)[1])
  ) {
    return new Inert(new Global("numpy", "scalar"), args);
  }
  const value = read(new DataView(bytes.buffer, bytes.byteOffset), state[1] !== ">");
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The element type that a global of torch such as `torch.bfloat16` names; undefined for others. */
export function torchType(value: unknown): ReturnType<typeof torchTypes.get> {
  return value instanceof Global && value.module === "torch"
    ? torchTypes.get(value.name)
    : undefined;
}

/**
 * What an identifier outside the pickle stands for: a storage (torch/serialization.py), or the class
 * of a module beside which its source is kept. Other things are returned as they are.
 */
export function persistentObject(identifier: unknown): unknown {
  if (!Array.isArray(identifier)) return identifier;
  const [kind, type, key, , elements, view] = identifier as unknown[];
  if (kind === "module") return type;
  const isKey = typeof key === "string" || typeof key === "number";
  if (kind !== "storage" || !(type instanceof Global) || !isKey || !isCount(elements)) {
    return identifier;
  }
  const name = type.name.replace(/Storage$/, "");
  const dataType = storageTypes.get(name);
  if (dataType === undefined && name !== "Untyped" && name !== "Typed") return identifier;
  // Old files name the part that a storage is of another: its key, first element and size.
  const part: readonly unknown[] = Array.isArray(view) ? view : [];
  const [, start, size] = part;
  return isCount(start) && isCount(size)
    ? new StorageReference(String(key), dataType, size, start)
    : new StorageReference(String(key), dataType, elements, 0);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
