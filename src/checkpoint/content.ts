import type { TensorEntry } from "./checkpoint";
import { readTensor } from "./readTensor";
import { pieces } from "./views";

/** Whether two tensors are one: of the same shape, and stored at the same place in the same way. */
function isOne(a: TensorEntry, b: TensorEntry): boolean {
  const place = (tensor: TensorEntry): string =>
    JSON.stringify(tensor, (key, value: unknown) => (key === "name" ? undefined : value));
  return a.file === b.file && a.offset === b.offset && place(a) === place(b);
}

/** Whether two tensors hold the same numbers; reads them piece by piece, where they are not one. */
export async function isSameContent(a: TensorEntry, b: TensorEntry): Promise<boolean> {
  if (a.shape.length !== b.shape.length || a.shape.some((size, axis) => size !== b.shape[axis])) {
    return false;
  }
  if (isOne(a, b)) return true;
  const [left, right] = [pieces(a), pieces(b)];
  const isTogether = left.length === right.length;
  for (const [at, piece] of (isTogether ? left : [a]).entries()) {
    const numbers = await readTensor(piece);
    const others = await readTensor(isTogether ? right[at]! : b);
    // A number that is not one is the same as another.
    if (!numbers.every((number, place) => Object.is(number, others[place]))) return false;
  }
  return true;
}
