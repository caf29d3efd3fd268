import { open } from "node:fs/promises";
import type { TensorEntry } from "./checkpoint";

const pieceBytes = 4 * 2 ** 20;

/** Whether two tensors hold the same values in the same type; reads them piece by piece. */
export async function isSameContent(a: TensorEntry, b: TensorEntry): Promise<boolean> {
  if (a.dataType !== b.dataType || a.byteLength !== b.byteLength) return false;
  const [first, second] = [await open(a.file, "r"), await open(b.file, "r")];
  try {
    const pieces = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)] as const;
    for (let at = 0; at < a.byteLength; at += pieceBytes) {
      const length = Math.min(pieceBytes, a.byteLength - at);
      await first.read(pieces[0], 0, length, a.offset + at);
      await second.read(pieces[1], 0, length, b.offset + at);
      if (pieces[0].compare(pieces[1], 0, length, 0, length) !== 0) return false;
    }
    return true;
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
}
