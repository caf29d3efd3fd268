import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Checkpoint, TensorEntry } from "./checkpoint";
import { filesOf } from "./checkpoint";
import { tokenizerFiles } from "./tokenizerSource";

/** Bytes that are read and hashed together. */
const blockBytes = 2 ** 20;

/** How much is read of a checkpoint too large to be read whole, in bytes where nothing else is said. */
export interface Sampling {
  /** Blocks of a mebibyte read of one file: all of it up to so many, evenly spaced ones beyond. */
  readonly blocksPerFile: number;
  /** A tensor up to this size is read whole: norms and biases, which a block is likely to miss. */
  readonly wholeTensor: number;
  /** Read of the beginning and of the end of each larger tensor. */
  readonly tensorEdge: number;
  /** The most that is read of single tensors, of all files together; the smallest come first. */
  readonly allTensors: number;
}

export const usualSampling: Sampling = {
  blocksPerFile: 512,
  wholeTensor: 2 ** 20,
  tensorEdge: 64 * 2 ** 10,
  allTensors: 2 * 2 ** 30,
};

/** Whether a fingerprint reads no more than parts of a file of this size. */
export function isSampled(bytes: number): boolean {
  return bytes > blockBytes * usualSampling.blocksPerFile;
}

/**
 * A fingerprint of what a checkpoint holds: its weights, its config, its tokenizer and what fathom.json
 * states of it, wherever the files lie and whenever they were written. Of files beyond 512 MiB, 512 evenly spaced mebibytes are
 * read: a step of training changes nearly every weight, so two checkpoints that differ there do not
 * pass for one. For edits of a few tensors, every tensor up to 1 MiB is read whole besides, and the
 * first and last 64 KiB of each larger one, up to 2 GiB of all tensors. A change inside a large
 * tensor alone may still go unseen.
 *
 * @returns SHA-256 in hexadecimal
 * @throws Error of the file system when a file cannot be read, and the reason of `signal`
 */
export async function fingerprintOf(
  checkpoint: Checkpoint,
  signal?: AbortSignal,
  sampling: Sampling = usualSampling,
): Promise<string> {
  const hash = createHash("sha256");
  const ranges = tensorRanges(checkpoint, sampling);
  for (const file of contentFiles(checkpoint)) {
    await addFile(hash, file, { sampling, ranges: ranges.get(file) ?? [] }, signal);
  }
  return hash.digest("hex");
}

/** The files that a checkpoint's fingerprint is taken of. */
export function contentFiles(checkpoint: Checkpoint): string[] {
  // In an order that a copy keeps: by the first tensor of each file. Names in a cache are hashes.
  const tensors = [...checkpoint.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const tokenizer = checkpoint.tokenizer && tokenizerFiles(checkpoint.tokenizer);
  const settings = [checkpoint.config?.path, ...(tokenizer ?? []), checkpoint.statement];
  const files = [...tensors.flatMap(filesOf), ...settings];
  return [...new Set(files.filter((file) => file !== undefined))];
}

interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** What is read of single tensors, in each file in the order of the file. */
function tensorRanges(
  { tensors }: Checkpoint,
  { wholeTensor, tensorEdge, allTensors }: Sampling,
): Map<string, ByteRange[]> {
  // Chosen by what a copy keeps: sizes and places, and not the names of files.
  const stored = [...tensors.values()]
    .flatMap(storedRanges)
    .sort((a, b) => a.bytes - b.bytes || a.offset - b.offset);
  const ranges = new Map<string, ByteRange[]>();
  let left = allTensors;
  for (const { file, offset, bytes } of stored) {
    const parts =
      bytes <= Math.max(wholeTensor, 2 * tensorEdge)
        ? [{ offset, bytes }]
        : [
            { offset, bytes: tensorEdge },
            { offset: offset + bytes - tensorEdge, bytes: tensorEdge },
          ];
    left -= parts.reduce((sum, part) => sum + part.bytes, 0);
    if (left < 0) break;
    const chosen = ranges.get(file);
    if (chosen) chosen.push(...parts);
    else ranges.set(file, parts);
  }
  for (const list of ranges.values()) list.sort((a, b) => a.offset - b.offset);
  return ranges;
}

/** Where a tensor and its scales lie in files; of a compressed one, the compressed bytes. */
function storedRanges(tensor: TensorEntry): (ByteRange & { file: string })[] {
  const { file, offset, byteLength, member, chunks, scale } = tensor;
  const own = chunks
    ? chunks.parts.flatMap((part) => storedRanges(part.tensor))
    : [{ file, offset: member?.offset ?? offset, bytes: member?.byteLength ?? byteLength }];
  return scale ? [...own, ...storedRanges(scale.factors)] : own;
}

interface FileReading {
  readonly sampling: Sampling;
  readonly ranges: readonly ByteRange[];
}

async function addFile(
  hash: Hash,
  file: string,
  { sampling, ranges }: FileReading,
  signal?: AbortSignal,
): Promise<void> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    hash.update(`${size} bytes\0`);
    const blocks = Math.ceil(size / blockBytes);
    const step = Math.max(1, blocks / sampling.blocksPerFile);
    const block = Buffer.alloc(Math.min(blockBytes, size));
    for (let at = 0; at < blocks; at += step) {
      signal?.throwIfAborted();
      await addBlock(hash, handle, block, Math.floor(at) * blockBytes);
    }
    if (step === 1) return;
    for (const { offset, bytes } of ranges) {
      signal?.throwIfAborted();
      for (let at = 0; at < bytes; at += block.length) {
        const part = block.subarray(0, Math.min(block.length, bytes - at));
        await addBlock(hash, handle, part, offset + at);
      }
    }
  } finally {
    await handle.close();
  }
}

async function addBlock(hash: Hash, handle: FileHandle, block: Buffer, at: number): Promise<void> {
  const { bytesRead } = await handle.read(block, 0, block.length, at);
  hash.update(block.subarray(0, bytesRead));
}
