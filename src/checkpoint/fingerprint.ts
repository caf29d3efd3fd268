import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Checkpoint } from "./checkpoint";
import { filesOf } from "./checkpoint";
import { tokenizerFiles } from "./tokenizerSource";

/** Bytes that are read and hashed together. */
const blockBytes = 2 ** 20;
/** Blocks read of one file: all of it up to half a gibibyte, evenly spaced ones beyond. */
const blocksPerFile = 512;

/**
 * A fingerprint of what a checkpoint holds: its weights, its config and its tokenizer, wherever the
 * files lie and whenever they were written. Of files beyond 512 MiB, 512 evenly spaced mebibytes are
 * read: a step of training changes nearly every weight, so two checkpoints that differ there do not
 * pass for one.
 *
 * @returns SHA-256 in hexadecimal
 * @throws Error of the file system when a file cannot be read, and the reason of `signal`
 */
export async function fingerprintOf(checkpoint: Checkpoint, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const file of contentFiles(checkpoint)) await addFile(hash, file, signal);
  return hash.digest("hex");
}

/** The files that a checkpoint's fingerprint is taken of. */
export function contentFiles(checkpoint: Checkpoint): string[] {
  // In an order that a copy keeps: by the first tensor of each file. Names in a cache are hashes.
  const tensors = [...checkpoint.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const tokenizer = checkpoint.tokenizer && tokenizerFiles(checkpoint.tokenizer);
  const settings = [checkpoint.config?.path, ...(tokenizer ?? [])];
  const files = [...tensors.flatMap(filesOf), ...settings];
  return [...new Set(files.filter((file) => file !== undefined))];
}

async function addFile(hash: Hash, file: string, signal?: AbortSignal): Promise<void> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    hash.update(`${size} bytes\0`);
    const blocks = Math.ceil(size / blockBytes);
    const step = Math.max(1, blocks / blocksPerFile);
    const block = Buffer.alloc(Math.min(blockBytes, size));
    for (let at = 0; at < blocks; at += step) {
      signal?.throwIfAborted();
      await addBlock(hash, handle, block, Math.floor(at) * blockBytes);
    }
  } finally {
    await handle.close();
  }
}

async function addBlock(hash: Hash, handle: FileHandle, block: Buffer, at: number): Promise<void> {
  const { bytesRead } = await handle.read(block, 0, block.length, at);
  hash.update(block.subarray(0, bytesRead));
}
