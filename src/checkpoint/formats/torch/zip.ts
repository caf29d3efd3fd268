import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { CheckpointError, lineOf, quote } from "../../errors";
import { limits } from "../../limits";
import type { FileRange } from "../fileRange";

/** A file in an archive, as the archive's directory states it. */
export interface ZipMember {
  readonly name: string;
  /** Bytes that the name takes. */
  readonly nameBytes: number;
  readonly isDeflated: boolean;
  /** Bytes it takes in the archive. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** Where its own header begins. */
  readonly header: number;
  /** Where the next member or the directory begins: it must end before. */
  readonly end: number;
}

const signatures = {
  member: 0x04034b50,
  directoryEntry: 0x02014b50,
  directoryEnd: 0x06054b50,
  directoryEnd64: 0x06064b50,
  locator64: 0x07064b50,
};
const memberHeaderBytes = 30;
const entryBytes = 46;
const endBytes = 22;
const locatorBytes = 20;
const longestComment = 0xffff;
/** The extra field that holds what does not fit into 32 bits. */
const zip64Field = 1;

/**
 * Reads the directory of a zip archive, zip64 included (PKWARE's APPNOTE.TXT, sections 4.3 to 4.5);
 * reads none of its members.
 *
 * @returns the members by name
 * @throws CheckpointError when it is no archive, lies about a size or a place, names a member twice or
 *   one outside the archive's folder, or has members that overlap or are encrypted
 */
export async function readZipDirectory(archive: FileRange): Promise<Map<string, ZipMember>> {
  const { offset, bytes, count } = await findDirectory(archive);
  if (bytes > limits.zipDirectoryBytes) {
    throw broken(
      archive,
      `its directory takes ${bytes} bytes; the limit is ${limits.zipDirectoryBytes}`,
    );
  }
  const directory = await archive.read(offset, bytes);
  const members: ZipMember[] = [];
  let at = 0;
  while (members.length < count) {
    if (at + entryBytes > directory.length || !startsEntry(directory, at)) {
      throw broken(archive, `its directory ends after ${members.length} of ${count} members`);
    }
    const size = entrySize(directory, at);
    if (at + size > directory.length) {
      throw broken(
        archive,
        `entry ${members.length} of its directory is longer than the directory`,
      );
    }
    members.push(readEntry(archive, directory, at));
    at += size;
  }
  // Other readers go by its length, not by the number: they would see other members.
  if (at < directory.length) {
    throw broken(
      archive,
      `its directory of ${directory.length} bytes goes on after its ${count} members, which end at byte ${at} of it`,
    );
  }
  return new Map(placed(archive, members, offset).map((member) => [member.name, member]));
}

/**
 * Where the members' bytes begin: their own headers, which tell, are read.
 *
 * @throws CheckpointError where a header contradicts the directory
 */
export async function memberOffsets(
  archive: FileRange,
  members: readonly ZipMember[],
): Promise<number[]> {
  const offsets = Array<number>(members.length);
  await archive.readEach(
    members.map(({ header, nameBytes }) => ({
      offset: header,
      length: memberHeaderBytes + nameBytes,
    })),
    (index, bytes, at) => {
      offsets[index] = offsetOf(archive, members[index]!, bytes, at);
    },
  );
  return offsets;
}

/** @param at where in the bytes the member's own header begins */
function offsetOf(archive: FileRange, member: ZipMember, bytes: Buffer, at: number): number {
  const { name, nameBytes } = member;
  const nameAt = at + memberHeaderBytes;
  const isItself =
    bytes.readUInt32LE(at) === signatures.member &&
    bytes.readUInt16LE(at + 26) === nameBytes &&
    bytes.toString("utf8", nameAt, nameAt + nameBytes) === name;
  if (!isItself) {
    throw broken(archive, `has no member ${quote(name)} where its directory says it is`);
  }
  if (bytes.readUInt16LE(at + 8) !== (member.isDeflated ? 8 : 0)) {
    throw broken(archive, `member ${quote(name)} is packed otherwise than stated`);
  }
  const offset = member.header + memberHeaderBytes + nameBytes + bytes.readUInt16LE(at + 28);
  if (offset + member.packedBytes > member.end) {
    throw broken(
      archive,
      `member ${quote(name)} of ${member.packedBytes} bytes reaches into what follows it`,
    );
  }
  return offset;
}

/**
 * A whole small member.
 *
 * @param limit the most bytes it may unpack to
 * @throws CheckpointError when it is longer or does not unpack to its size
 */
export async function readMember(
  archive: FileRange,
  member: ZipMember,
  limit: number,
): Promise<Buffer> {
  const { name, unpackedBytes } = member;
  if (unpackedBytes > limit) {
    throw broken(
      archive,
      `member ${quote(name)} takes ${unpackedBytes} bytes; the limit is ${limit}`,
    );
  }
  const [offset] = await memberOffsets(archive, [member]);
  const packed = await archive.read(offset!, member.packedBytes);
  if (!member.isDeflated) return packed;
  const unpacked = await promisify(inflateRaw)(packed, {
    maxOutputLength: Math.max(1, unpackedBytes),
  }).catch((error: unknown) => {
    throw broken(archive, `member ${quote(name)} cannot be unpacked: ${lineOf(error)}`);
  });
  if (unpacked.length !== unpackedBytes) {
    throw broken(
      archive,
      `member ${quote(name)} unpacks to ${unpacked.length} bytes, not ${unpackedBytes}`,
    );
  }
  return unpacked;
}

interface DirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

async function findDirectory(archive: FileRange): Promise<DirectoryPlace> {
  // Most archives have no comment after their end.
  const lengths = [endBytes + locatorBytes, endBytes + locatorBytes + longestComment];
  for (const wanted of lengths) {
    const length = Math.min(wanted, archive.bytes);
    const start = archive.bytes - length;
    const tail = await archive.read(start, length);
    for (let at = length - endBytes; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== signatures.directoryEnd) continue;
      if (at + endBytes + tail.readUInt16LE(at + 20) !== length) continue;
      return await readEnd(archive, tail, at, start);
    }
  }
  throw broken(archive, "has no directory of members at its end; the archive is truncated");
}

async function readEnd(
  archive: FileRange,
  tail: Buffer,
  at: number,
  tailStart: number,
): Promise<DirectoryPlace> {
  let place = {
    count: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  let end = tailStart + at;
  const locator = at - locatorBytes;
  if (locator >= 0 && tail.readUInt32LE(locator) === signatures.locator64) {
    end = whole(archive, tail.readBigUInt64LE(locator + 8));
    const end64 = await archive.read(end, 56);
    if (end64.readUInt32LE(0) !== signatures.directoryEnd64) {
      throw broken(archive, `has no zip64 record at byte ${end}, where it is said to be`);
    }
    place = {
      count: whole(archive, end64.readBigUInt64LE(32)),
      bytes: whole(archive, end64.readBigUInt64LE(40)),
      offset: whole(archive, end64.readBigUInt64LE(48)),
    };
  }
  const { count, bytes, offset } = place;
  if (offset + bytes > end) {
    throw broken(
      archive,
      `states a directory of ${bytes} bytes at byte ${offset}, beyond its end at byte ${end}`,
    );
  }
  if (count * entryBytes > bytes) {
    throw broken(archive, `states ${count} members in a directory of ${bytes} bytes`);
  }
  return place;
}

function startsEntry(directory: Buffer, at: number): boolean {
  return directory.readUInt32LE(at) === signatures.directoryEntry;
}

/** Bytes of an entry with its name, extra fields and comment. */
function entrySize(directory: Buffer, at: number): number {
  return (
    entryBytes +
    directory.readUInt16LE(at + 28) +
    directory.readUInt16LE(at + 30) +
    directory.readUInt16LE(at + 32)
  );
}

/** @param start where in the directory the entry begins, which lies in it whole */
function readEntry(archive: FileRange, directory: Buffer, start: number): ZipMember {
  const nameBytes = directory.readUInt16LE(start + 28);
  const nameEnd = start + entryBytes + nameBytes;
  const name = directory.toString("utf8", start + entryBytes, nameEnd);
  const fail = (what: string): never => {
    throw broken(archive, `member ${quote(name)} ${what}`);
  };
  if (/^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)/.test(name)) {
    fail("lies outside the archive's folder");
  }
  const [flags, method] = [directory.readUInt16LE(start + 8), directory.readUInt16LE(start + 10)];
  if ((flags & 0x2041) !== 0) fail("is encrypted");
  if (method !== 0 && method !== 8) {
    fail(`is packed by method ${method}; expected 0 (stored) or 8 (deflated)`);
  }
  let wide: bigint[] | undefined;
  const sizeAt = (field: number): number => {
    const narrow = directory.readUInt32LE(start + field);
    if (narrow !== 0xffffffff) return narrow;
    const extraEnd = nameEnd + directory.readUInt16LE(start + 30);
    const value = (wide ??= zip64Of(directory.subarray(nameEnd, extraEnd))).shift();
    return value === undefined ? fail("states no size that fits") : whole(archive, value);
  };
  // What is beyond 32 bits is in the extra field, in this order.
  const unpackedBytes = sizeAt(24);
  const packedBytes = sizeAt(20);
  const header = sizeAt(42);
  const isDeflated = method === 8;
  if (!isDeflated && packedBytes !== unpackedBytes) {
    fail(`is stored as ${packedBytes} bytes, but said to have ${unpackedBytes}`);
  }
  if (unpackedBytes > packedBytes * limits.deflateRatio) {
    fail(
      `of ${packedBytes} bytes is said to unpack to ${unpackedBytes}; deflate cannot pack more than ${limits.deflateRatio} to one`,
    );
  }
  return { name, nameBytes, isDeflated, packedBytes, unpackedBytes, header, end: 0 };
}

/** The 64-bit numbers of the zip64 extra field. */
function zip64Of(extra: Buffer): bigint[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const size = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === zip64Field) {
      const field = extra.subarray(at + 4, at + 4 + size);
      const count = Math.min(3, Math.floor(field.length / 8));
      return Array.from({ length: count }, (_, index) => field.readBigUInt64LE(8 * index));
    }
    at += 4 + size;
  }
  return [];
}

/** The members in the order in which they lie, each with where it must have ended. */
function placed(archive: FileRange, members: readonly ZipMember[], directory: number): ZipMember[] {
  const names = new Set<string>();
  let unpacked = 0;
  for (const { name, unpackedBytes } of members) {
    if (names.has(name)) throw broken(archive, `has two members ${quote(name)}`);
    names.add(name);
    unpacked += unpackedBytes;
  }
  if (unpacked > limits.archiveRatio * archive.bytes) {
    throw broken(
      archive,
      `its ${archive.bytes} bytes are said to unpack to ${unpacked}; the limit is ${limits.archiveRatio} to one`,
    );
  }
  const lying = [...members].sort((a, b) => a.header - b.header);
  return lying.map((member, index) => {
    const next = lying[index + 1];
    const end = next?.header ?? directory;
    if (member.header + memberHeaderBytes + member.nameBytes + member.packedBytes > end) {
      const what = next ? `into member ${quote(next.name)}` : "beyond the archive's members";
      throw broken(
        archive,
        `member ${quote(member.name)} of ${member.packedBytes} bytes at byte ${member.header} reaches ${what}`,
      );
    }
    return { ...member, end };
  });
}

function whole(archive: FileRange, value: bigint): number {
  if (value > BigInt(archive.bytes) * BigInt(limits.deflateRatio)) {
    throw broken(archive, `states ${value.toString()}, more than it could hold`);
  }
  return Number(value);
}

function broken({ file }: FileRange, what: string): CheckpointError {
  return new CheckpointError("header", `${file}: ${what}.`);
}
