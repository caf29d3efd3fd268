import type { TensorEntry } from "../checkpoint";
import { CheckpointError, quote } from "../errors";

/**
 * The tensors of one file in the order in which they lie, none inside another.
 *
 * @param dataStart where in the file the data begins, in which messages count
 * @throws CheckpointError where two of them overlap
 */
export function inOrder(
  file: string,
  tensors: readonly TensorEntry[],
  dataStart: number,
): TensorEntry[] {
  const ordered = [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (let at = 1; at < ordered.length; at++) {
    const before = ordered[at - 1]!;
    const after = ordered[at]!;
    const end = before.offset + before.byteLength;
    if (after.offset < end) {
      throw new CheckpointError(
        "tensor",
        `${file}: tensor ${quote(after.name)} begins at byte ${after.offset - dataStart} of the data, inside tensor ${quote(before.name)}, which ends at byte ${end - dataStart}; tensors may not overlap.`,
      );
    }
  }
  return ordered;
}
