/** Writes files as torch.save does, and pickles that no Python would write; apart from the code under test. */
import { crc32, deflateRawSync } from "node:zlib";

/** Opcodes that leave one value on the stack. */
export type Code = Buffer;

const text = (value: string): Buffer => Buffer.from(value, "latin1");

/** Opcodes of protocol 2, by what they make. */
export const pickled = {
  none: text("N"),
  text: (value: string): Code => {
    const bytes = Buffer.from(value);
    return Buffer.concat([text("X"), uint32(bytes.length), bytes]);
  },
  int: (value: number): Code => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return Buffer.concat([Buffer.of(0x8a, 8), bytes]);
  },
  tuple: (...values: Code[]): Code => Buffer.concat([text("("), ...values, text("t")]),
  list: (...values: Code[]): Code => Buffer.concat([text("]("), ...values, text("e")]),
  dict: (entries: Readonly<Record<string, Code>>): Code =>
    Buffer.concat([
      text("}("),
      ...Object.entries(entries).flatMap(([key, value]) => [pickled.text(key), value]),
      text("u"),
    ]),
  global: (module: string, name: string): Code => text(`c${module}\n${name}\n`),
  call: (callee: Code, ...args: Code[]): Code =>
    Buffer.concat([callee, pickled.tuple(...args), text("R")]),
  built: (object: Code, state: Code): Code => Buffer.concat([object, state, text("b")]),
  persistent: (identifier: Code): Code => Buffer.concat([identifier, text("Q")]),
  stored: (value: Code, index: number): Code => Buffer.concat([value, text("r"), uint32(index)]),
  recalled: (index: number): Code => Buffer.concat([text("j"), uint32(index)]),
  /** A whole pickle. */
  whole: (value: Code): Buffer => Buffer.concat([Buffer.of(0x80, 2), value, text(".")]),
};

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export interface TensorOptions {
  strides?: readonly number[];
  offset?: number;
  /** The storage's class, without `Storage`. */
  type?: string;
  elements?: number;
}

/** A tensor in the storage of this key. */
export function tensorCode(
  key: string,
  shape: readonly number[],
  { strides, offset = 0, type = "Float", elements }: TensorOptions = {},
): Code {
  const { text, int, tuple, global, call, persistent, none } = pickled;
  const count = shape.reduce((product, size) => product * size, 1);
  const plain = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const storage = persistent(
    tuple(
      text("storage"),
      global("torch", `${type}Storage`),
      text(key),
      text("cpu"),
      int(elements ?? count),
    ),
  );
  return call(
    global("torch._utils", "_rebuild_tensor_v2"),
    storage,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...(strides ?? plain).map(int)),
    Buffer.from([0x89]),
    none,
  );
}

export interface Member {
  name: string;
  data: Uint8Array;
  isDeflated?: boolean;
  /** What the archive's directory says, where it lies. */
  directory?: Partial<{
    name: string;
    flags: number;
    method: number;
    packed: number;
    unpacked: number;
    header: number;
  }>;
  /** Bytes of padding in its own header. */
  padding?: number;
}

/** A zip archive; with `isWide`, one whose sizes and places are in its zip64 records. */
export function zipFile(members: readonly Member[], { isWide = false, comment = "" } = {}): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, data, isDeflated = false, directory = {}, padding = 0 } of members) {
    const packed = isDeflated ? deflateRawSync(data) : Buffer.from(data);
    const method = isDeflated ? 8 : 0;
    const stated = {
      name,
      flags: 0,
      method,
      packed: packed.length,
      unpacked: data.length,
      header: at,
      ...directory,
    };
    const header = Buffer.alloc(30 + Buffer.byteLength(name) + padding);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt16LE(method, 8);
    header.writeUInt32LE(typeof crc32 === "function" ? crc32(data) : 0, 14);
    header.writeUInt32LE(packed.length, 18);
    header.writeUInt32LE(data.length, 22);
    header.writeUInt16LE(Buffer.byteLength(name), 26);
    header.writeUInt16LE(padding, 28);
    header.write(name, 30);
    parts.push(header, packed);
    at += header.length + packed.length;

    const nameBytes = Buffer.from(stated.name);
    const entry = Buffer.alloc(46 + nameBytes.length + (isWide ? 28 : 0));
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(stated.flags, 8);
    entry.writeUInt16LE(stated.method, 10);
    entry.writeUInt32LE(isWide ? 0xffffffff : stated.packed, 20);
    entry.writeUInt32LE(isWide ? 0xffffffff : stated.unpacked, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt16LE(isWide ? 28 : 0, 30);
    entry.writeUInt32LE(isWide ? 0xffffffff : stated.header, 42);
    nameBytes.copy(entry, 46);
    if (isWide) {
      const extra = 46 + nameBytes.length;
      entry.writeUInt16LE(1, extra);
      entry.writeUInt16LE(24, extra + 2);
      entry.writeBigUInt64LE(BigInt(stated.unpacked), extra + 4);
      entry.writeBigUInt64LE(BigInt(stated.packed), extra + 12);
      entry.writeBigUInt64LE(BigInt(stated.header), extra + 20);
    }
    entries.push(entry);
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22 + comment.length);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(isWide ? 0xffff : members.length, 10);
  end.writeUInt32LE(isWide ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(isWide ? 0xffffffff : at, 16);
  end.writeUInt16LE(comment.length, 20);
  end.write(comment, 22);
  const wide: Buffer[] = [];
  if (isWide) {
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50);
    end64.writeBigUInt64LE(BigInt(members.length), 32);
    end64.writeBigUInt64LE(BigInt(directory.length), 40);
    end64.writeBigUInt64LE(BigInt(at), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50);
    locator.writeBigUInt64LE(BigInt(at + directory.length), 8);
    wide.push(end64, locator);
  }
  return Buffer.concat([...parts, directory, ...wide, end]);
}

/** The members of a file of torch.save. */
export function torchMembers(
  root: Code,
  storages: Readonly<Record<string, Uint8Array>>,
  byteOrder = "little",
): Member[] {
  return [
    { name: "archive/data.pkl", data: pickled.whole(root) },
    { name: "archive/byteorder", data: Buffer.from(byteOrder) },
    ...Object.entries(storages).map(([key, data]) => ({
      name: `archive/data/${key}`,
      data,
      padding: 13,
    })),
  ];
}

/** A file of torch.save. */
export function torchZip(root: Code, storages: Readonly<Record<string, Uint8Array>>): Buffer {
  return zipFile(torchMembers(root, storages));
}

/** A file of torch.save before PyTorch 1.6, its storages of float32. */
export function torchLegacy(
  root: Code,
  storages: Readonly<Record<string, Uint8Array>>,
  { isLittle = true, protocol = 1001 } = {},
): Buffer {
  const { whole, int, list, text: string } = pickled;
  const magic = Buffer.from("8a0a6cfc9c46f9206aa85019", "hex");
  const machine = Buffer.concat([
    text("}("),
    string("little_endian"),
    Buffer.of(isLittle ? 0x88 : 0x89),
    text("u"),
  ]);
  const lying = Object.entries(storages).flatMap(([, data]) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(data.length / 4));
    return [count, Buffer.from(data)];
  });
  const keys = list(...Object.keys(storages).map(string));
  return Buffer.concat([...[magic, int(protocol), machine, root, keys].map(whole), ...lying]);
}

/** Float32 numbers as a storage holds them. */
export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
