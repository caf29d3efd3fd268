/**
 * Losses in a TensorBoard event file: records of TFRecord, each an `Event` in protocol buffers
 * (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto).
 */
import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import { t } from "@vscode/l10n";
import protobuf from "protobufjs/minimal.js";
import { lineOf } from "../checkpoint/errors";
import { maskedCrc32c } from "./crc32c";
import { TrainingRunError } from "./errors";
import { limits } from "./limits";
import { isLossName, type LossPoint } from "./lossSeries";

/**
 * Every scalar whose tag is a loss. A record that ends beyond the file is still being written: what
 * stands before it counts.
 *
 * @throws {TrainingRunError} when the file cannot be read, or a checksum or a message is wrong
 */
export async function readEventFile(file: string): Promise<Map<string, LossPoint[]>> {
  const unreadable = (error: unknown): never => {
    throw new TrainingRunError("unreadable", t("{0}: cannot be read: {1}.", file, lineOf(error)));
  };
  const stats = await stat(file).catch(unreadable);
  if (!stats.isFile()) unreadable(t("it is not a file"));
  if (stats.size > limits.eventFileBytes) {
    throw new TrainingRunError(
      "tooLarge",
      t("{0}: is {1} bytes long; the limit is {2}.", file, stats.size, limits.eventFileBytes),
    );
  }
  const handle = await open(file, "r").catch(unreadable);
  try {
    const series = new Map<string, LossPoint[]>();
    for await (const record of records(file, handle, stats.size)) addLosses(file, record, series);
    return series;
  } finally {
    await handle.close();
  }
}

/** Bytes read at once: many small records, and little enough to be gone through within a moment. */
const pieceBytes = 256 * 1024;

/** TFRecord: u64 length, masked CRC of these eight bytes, the data, masked CRC of the data. */
async function* records(file: string, handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  let piece = Buffer.alloc(0);
  let pieceAt = 0;
  const bytesAt = async (at: number, length: number): Promise<Buffer> => {
    if (at < pieceAt || at + length > pieceAt + piece.length) {
      const wanted = Math.min(Math.max(length, pieceBytes), size - at);
      const next = Buffer.alloc(wanted);
      const { bytesRead } = await handle.read(next, 0, wanted, at);
      piece = next.subarray(0, bytesRead);
      pieceAt = at;
    }
    return piece.subarray(at - pieceAt, at - pieceAt + length);
  };
  for (let at = 0; at + 16 <= size;) {
    const head = await bytesAt(at, 12);
    if (head.length < 12) return;
    if (head.readUInt32LE(8) !== maskedCrc32c(head.subarray(0, 8))) {
      throw new TrainingRunError(
        "lossLog",
        t(
          "{0}: the length at byte {1} does not match its checksum; the file is damaged or is no event file.",
          file,
          at,
        ),
      );
    }
    const length = head.readBigUInt64LE();
    if (length > BigInt(size - at - 16)) return;
    if (length > BigInt(limits.eventRecordBytes)) {
      throw new TrainingRunError(
        "tooLarge",
        t(
          "{0}: the record at byte {1} is {2} bytes long; the limit is {3}.",
          file,
          at,
          length.toString(),
          limits.eventRecordBytes,
        ),
      );
    }
    const body = await bytesAt(at + 12, Number(length) + 4);
    if (body.length < Number(length) + 4) return;
    const data = body.subarray(0, Number(length));
    if (body.readUInt32LE(data.length) !== maskedCrc32c(data)) {
      throw new TrainingRunError(
        "lossLog",
        t(
          "{0}: the record at byte {1} does not match its checksum; the file is damaged.",
          file,
          at,
        ),
      );
    }
    yield data;
    at += 16 + data.length;
  }
}

function addLosses(file: string, record: Buffer, series: Map<string, LossPoint[]>): void {
  let event: ScalarEvent;
  try {
    event = readEvent(record);
  } catch (error) {
    throw new TrainingRunError(
      "lossLog",
      t("{0}: holds an invalid event: {1}.", file, lineOf(error)),
    );
  }
  for (const { tag, value } of event.scalars) {
    if (!isLossName(tag) || value === undefined || !Number.isFinite(value)) continue;
    const points = series.get(tag) ?? [];
    if (points.length < limits.points) points.push({ step: event.step, value });
    if (series.size < limits.series) series.set(tag, points);
  }
}

interface ScalarEvent {
  step: number;
  scalars: { tag: string; value: number | undefined }[];
}

/** Event { int64 step = 2; Summary summary = 5; } */
function readEvent(record: Uint8Array): ScalarEvent {
  const event: ScalarEvent = { step: 0, scalars: [] };
  eachField(protobuf.Reader.create(record), (field, reader) => {
    if (field === 2) event.step = Number(reader.int64());
    else if (field === 5) event.scalars.push(...readSummary(reader.bytes()));
    else return false;
    return true;
  });
  return event;
}

/** Summary { repeated Value value = 1; } */
function readSummary(bytes: Uint8Array): ScalarEvent["scalars"] {
  const scalars: ScalarEvent["scalars"] = [];
  eachField(protobuf.Reader.create(bytes), (field, reader) => {
    if (field !== 1) return false;
    scalars.push(readValue(reader.bytes()));
    return true;
  });
  return scalars;
}

/** Value { string tag = 1; float simple_value = 2; TensorProto tensor = 8; } */
function readValue(bytes: Uint8Array): ScalarEvent["scalars"][number] {
  let tag = "";
  let value: number | undefined;
  eachField(protobuf.Reader.create(bytes), (field, reader) => {
    if (field === 1) tag = reader.string();
    else if (field === 2) value = reader.float();
    else if (field === 8) value = readTensor(reader.bytes());
    else return false;
    return true;
  });
  return { tag, value };
}

/** DT_FLOAT and DT_DOUBLE of tensorflow/core/framework/types.proto. */
const [floatType, doubleType] = [1, 2];

/**
 * The one number of TensorProto { DataType dtype = 1; bytes tensor_content = 4;
 * repeated float float_val = 5; repeated double double_val = 6; }; undefined where it holds others.
 */
function readTensor(bytes: Uint8Array): number | undefined {
  let type = 0;
  let content: Uint8Array | undefined;
  const values: number[] = [];
  eachField(protobuf.Reader.create(bytes), (field, reader, wireType) => {
    // Packed numbers come as bytes.
    const end = wireType === 2 && (field === 5 || field === 6) ? reader.uint32() + reader.pos : 0;
    if (field === 1) type = reader.int32();
    else if (field === 4) content = reader.bytes();
    else if (field === 5 || field === 6) {
      do values.push(field === 5 ? reader.float() : reader.double());
      while (reader.pos < end && values.length < 2);
      if (reader.pos < end) reader.skip(end - reader.pos);
    } else return false;
    return true;
  });
  if (values.length === 1) return values[0];
  if (content === undefined) return undefined;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (type === floatType && content.length === 4) return view.getFloat32(0, true);
  if (type === doubleType && content.length === 8) return view.getFloat64(0, true);
  return undefined;
}

/** @param read takes a field it knows and returns true; others are skipped */
function eachField(
  reader: protobuf.Reader,
  read: (field: number, reader: protobuf.Reader, wireType: number) => boolean,
): void {
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (!read(key >>> 3, reader, key & 7)) reader.skipType(key & 7);
  }
}
