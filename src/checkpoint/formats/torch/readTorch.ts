import type { TensorEntry } from "../../checkpoint";
import { CheckpointError, quote } from "../../errors";
import type { FileContents } from "../format";
import type { Container } from "./container";
import { readContainer } from "./container";
import { entryOf, storageKey } from "./entries";
import { withFile } from "../fileRange";
import type { TensorReference } from "./objects";
import { findModel } from "./stateDict";

/**
 * Reads the tensor directory of a file of torch.save: its pickle, of which nothing is executed, and
 * where the storages lie that it names. Reads no weights.
 *
 * @param file real path of the file
 * @returns the model's tensors in the order in which it names them; `config` is the plain values that
 *   were saved beside them
 * @throws CheckpointError where the file is damaged, or holds no weights that could be read
 */
export async function readTorch(file: string): Promise<FileContents> {
  return withFile(file, async (whole) => {
    const container = await readContainer(whole);
    const { tensors: named, settings } = findModel(whole, container.root);
    const tensors = await entriesOf(file, container, named);
    requireUsable(file, tensors);
    return {
      tensors,
      bytes: whole.bytes,
      ...(Object.keys(settings).length > 0 && { config: { path: file, value: settings } }),
    };
  });
}

/** The places of tensors by name. @throws CheckpointError where one does not lie in the file */
export async function entriesOf(
  file: string,
  { places }: Container,
  tensors: ReadonlyMap<string, TensorReference>,
): Promise<TensorEntry[]> {
  const keyed = [...tensors].map(
    ([name, tensor]) => [name, tensor, storageKey(file, name, tensor)] as const,
  );
  const keys = keyed.map(([, , key]) => key).filter((key) => key !== undefined);
  const found = await places(new Set(keys));
  return keyed.map(([name, tensor, key]) =>
    entryOf(file, name, tensor, key === undefined ? undefined : found.get(key)!),
  );
}

/** @throws CheckpointError where no tensor's numbers can be told, with why those of the first cannot */
function requireUsable(file: string, tensors: readonly TensorEntry[]): void {
  const [first] = tensors;
  if (first?.unusable === undefined || tensors.some(({ unusable }) => unusable === undefined)) {
    return;
  }
  throw new CheckpointError(
    "unsupported",
    `${file}: tensor ${quote(first.name)} ${first.unusable}.`,
  );
}
