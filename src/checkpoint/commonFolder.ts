import type { TensorEntry } from "./checkpoint";

/** The deepest folder that holds all these tensors' files. */
export function commonFolder(tensors: Iterable<TensorEntry>): string {
  let common: string[] | undefined;
  for (const { file } of tensors) {
    const parts = file.split(/[\\/]/).slice(0, -1);
    if (common === undefined) {
      common = parts;
      continue;
    }
    let shared = 0;
    while (shared < common.length && common[shared] === parts[shared]) shared++;
    common = common.slice(0, shared);
  }
  const folder = (common ?? []).join("/");
  return folder === "" ? "/" : folder;
}
