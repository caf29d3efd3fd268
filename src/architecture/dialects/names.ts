import type { TensorEntry } from "../../checkpoint/checkpoint";

/** Patterns of names, and what each becomes, as in `String.replace`. */
export type Names = readonly (readonly [RegExp, string])[];

/**
 * Tensors under their names in another dialect; what no pattern knows keeps its name.
 *
 * @param isLeft which play no part
 */
export function translated(
  tensors: ReadonlyMap<string, TensorEntry>,
  names: Names,
  isLeft: (name: string) => boolean,
): ReadonlyMap<string, TensorEntry> {
  const found = new Map<string, TensorEntry>();
  for (const [name, tensor] of tensors) {
    if (isLeft(name)) continue;
    const known = names.find(([pattern]) => pattern.test(name));
    found.set(known ? name.replace(...known) : name, tensor);
  }
  return found;
}
