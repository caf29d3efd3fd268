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
  const bytes = Buffer.alloc(8);
  const number = held as number;
  switch (kind) {
    case "u8":
    case "bool":
      bytes.writeUInt8(Number(held));
      return bytes.subarray(0, 1);
    case "i8":
      bytes.writeInt8(number);
      return bytes.subarray(0, 1);
    case "u16":
      bytes.writeUInt16LE(number);
      return bytes.subarray(0, 2);
    case "i16":
      bytes.writeInt16LE(number);
      return bytes.subarray(0, 2);
    case "u32":
      bytes.writeUInt32LE(number);
      return bytes.subarray(0, 4);
    case "i32":
      bytes.writeInt32LE(number);
      return bytes.subarray(0, 4);
    case "f32":
      bytes.writeFloatLE(number);
      return bytes.subarray(0, 4);
    case "u64":
      bytes.writeBigUInt64LE(BigInt(held as number | bigint));
      return bytes;
    case "i64":
      bytes.writeBigInt64LE(BigInt(held as number | bigint));
      return bytes;
    case "f64":
      bytes.writeDoubleLE(number);
      return bytes;
    default:
      throw new Error(`no GGUF type ${kind}`);
  }
}

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
