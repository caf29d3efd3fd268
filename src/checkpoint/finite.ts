import { open } from "node:fs/promises";
import type { TensorEntry } from "./checkpoint";
import { isAllFinite } from "./dataType";

/** Bytes looked at together: a multiple of every element size. */
const pieceBytes = 4 * 2 ** 20;

/** Names of the tensors that hold a NaN or an infinity; reads them from disk, piece by piece. */
export async function findNonFinite(tensors: readonly TensorEntry[]): Promise<string[]> {
  const found: string[] = [];
  for (const tensor of tensors) {
    if (await holdsNonFinite(tensor)) found.push(tensor.name);
  }
  return found;
}

async function holdsNonFinite(tensor: TensorEntry): Promise<boolean> {
  const handle = await open(tensor.file, "r");
  try {
    const piece = new Uint8Array(Math.min(pieceBytes, tensor.byteLength));
    for (let at = 0; at < tensor.byteLength; at += piece.length) {
      const length = Math.min(piece.length, tensor.byteLength - at);
      await handle.read(piece, 0, length, tensor.offset + at);
      if (!isAllFinite(piece.subarray(0, length), tensor.dataType)) return true;
    }
    return false;
  } finally {
    await handle.close();
  }
}
