import type { TensorEntry } from "./checkpoint";
import { readTensor } from "./readTensor";
import { pieces } from "./views";

/** Names of the tensors that hold a NaN or an infinity; reads them from disk, piece by piece. */
export async function findNonFinite(tensors: readonly TensorEntry[]): Promise<string[]> {
  const found = new Set<string>();
  for (const tensor of tensors) {
    if (!found.has(tensor.name) && (await holdsNonFinite(tensor))) found.add(tensor.name);
  }
  return [...found];
}

async function holdsNonFinite(tensor: TensorEntry): Promise<boolean> {
  for (const piece of pieces(tensor)) {
    for (const number of await readTensor(piece)) if (!Number.isFinite(number)) return true;
  }
  return false;
}
