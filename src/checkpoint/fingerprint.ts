import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Checkpoint } from "./checkpoint";

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
 * @throws Error of the file system when a file cannot be read
 */
export async function fingerprintOf(checkpoint: Checkpoint): Promise<string> {
  // In an order that a copy keeps: by the first tensor of each file. Names in a cache are hashes.
  const tensors = [...checkpoint.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const settings = [checkpoint.config?.path, checkpoint.tokenizer];
  const files = [...tensors.map(({ file }) => file), ...settings];
  const hash = createHash("sha256");
  for (const file of new Set(files)) {
    if (file !== undefined) await addFile(hash, file);
  }
  return hash.digest("hex");
}

async function addFile(hash: Hash, file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    hash.update(`${size} bytes\0`);
    const blocks = Math.ceil(size / blockBytes);
    const step = Math.max(1, blocks / blocksPerFile);
    const block = Buffer.alloc(Math.min(blockBytes, size));
    for (let at = 0; at < blocks; at += step) {
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
