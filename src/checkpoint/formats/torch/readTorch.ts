import type { TensorEntry } from "../../checkpoint";
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
    const { tensors, settings } = findModel(whole, container.root);
    return {
      tensors: await entriesOf(file, container, tensors),
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
  const named = [...tensors];
  const keys = new Set(named.map(([name, tensor]) => storageKey(file, name, tensor)));
  const found = await places(keys);
  return named.map(([name, tensor]) =>
    entryOf(file, name, tensor, found.get(storageKey(file, name, tensor))!),
  );
}
