/** Writes GGUF files, valid or not, apart from the code under test. */

export interface GgufFixture {
  magic?: string;
  version?: number;
  /** Key, and a value with its type. */
  metadata?: readonly (readonly [key: string, value: TypedValue])[];
  tensors?: readonly TensorFixture[];
  alignment?: number;
  /** Stated in place of the true counts. */
  tensorCount?: bigint;
  keyCount?: bigint;
}

export interface TensorFixture {
  name: string;
  /** Innermost first, as in the file. */
  dimensions: readonly (number | bigint)[];
  type: number;
  data: Uint8Array;
  /** Stated in place of the true offset. */
  offset?: bigint;
}

export type TypedValue =
  | readonly ["array", item: string, items: readonly unknown[], statedLength?: bigint]
  | readonly ["raw", type: number, bytes: Uint8Array]
  | readonly [scalar: string, value: unknown];

export function encodeGguf({
  magic = "GGUF",
  version = 3,
  metadata = [],
  tensors = [],
  alignment = 32,
  tensorCount = BigInt(tensors.length),
  keyCount = BigInt(metadata.length),
}: GgufFixture): Buffer {
  const parts: Uint8Array[] = [Buffer.from(magic, "latin1"), u32(version), u64(tensorCount)];
  parts.push(u64(keyCount));
  for (const [key, value] of metadata) parts.push(text(key), typed(value));
  let offset = 0n;
  for (const { name, dimensions, type, data, offset: stated } of tensors) {
    parts.push(text(name), u32(dimensions.length));
    for (const size of dimensions) parts.push(u64(BigInt(size)));
    parts.push(u32(type), u64(stated ?? offset));
    offset += BigInt(padded(data.length, alignment));
  }
  const header = Buffer.concat(parts);
  const pad = (bytes: Uint8Array): Buffer =>
    Buffer.concat([bytes], padded(bytes.length, alignment));
  return Buffer.concat([pad(header), ...tensors.map(({ data }) => pad(data))]);
}

/** The numbers of the value types in the specification. */
const types = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
];

function typed(value: TypedValue): Buffer {
  if (value[0] === "raw") {
    const [, type, bytes] = value as readonly ["raw", number, Uint8Array];
    return Buffer.concat([u32(type), bytes]);
  }
  return Buffer.concat([u32(types.indexOf(value[0])), body(value)]);
}

function body(value: TypedValue): Buffer {
  if (value[0] === "array") {
    const [, item, items, length] = value as readonly ["array", string, unknown[], bigint?];
    return Buffer.concat([
      u32(types.indexOf(item)),
      u64(length ?? BigInt(items.length)),
      ...items.map((held) =>
        item === "array" ? body(held as TypedValue) : body([item, held] as TypedValue),
      ),
    ]);
  }
  const [kind, held] = value as readonly [string, unknown];
  if (kind === "string") return text(held as string);
  const scalar = scalars[kind];
  if (scalar === undefined) throw new Error(`no GGUF type ${kind}`);
  const [width, write] = scalar;
  const bytes = Buffer.alloc(width);
  write(bytes, held);
  return bytes;
}

/** Bytes of each type of fixed width, and how it is written. */
const scalars: Readonly<
  Record<string, readonly [width: number, write: (bytes: Buffer, value: unknown) => void]>
> = {
  u8: [1, (bytes, value) => bytes.writeUInt8(Number(value))],
  bool: [1, (bytes, value) => bytes.writeUInt8(Number(value))],
  i8: [1, (bytes, value) => bytes.writeInt8(Number(value))],
  u16: [2, (bytes, value) => bytes.writeUInt16LE(Number(value))],
  i16: [2, (bytes, value) => bytes.writeInt16LE(Number(value))],
  u32: [4, (bytes, value) => bytes.writeUInt32LE(Number(value))],
  i32: [4, (bytes, value) => bytes.writeInt32LE(Number(value))],
  f32: [4, (bytes, value) => bytes.writeFloatLE(Number(value))],
  u64: [8, (bytes, value) => bytes.writeBigUInt64LE(BigInt(value as number | bigint))],
  i64: [8, (bytes, value) => bytes.writeBigInt64LE(BigInt(value as number | bigint))],
  f64: [8, (bytes, value) => bytes.writeDoubleLE(Number(value))],
};

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(BigInt(bytes.length)), bytes]);
}

function padded(length: number, alignment: number): number {
  return Math.ceil(length / alignment) * alignment;
}
