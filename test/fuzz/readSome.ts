import type { TensorEntry } from "../../src/checkpoint/checkpoint";
import { elementCount } from "../../src/checkpoint/checkpoint";
import { stored } from "../../src/checkpoint/dataType";
import { openCheckpoint } from "../../src/checkpoint/open";
import { readTensor } from "../../src/checkpoint/readTensor";

/** The numbers of tensors that are not large: what a directory says must hold when it is used. */
export async function readSome(tensors: Iterable<TensorEntry>): Promise<void> {
  const small = [...tensors].filter(
    ({ dataType, shape }) => stored(dataType).weight !== undefined && elementCount(shape) <= 10_000,
  );
  for (const tensor of small.slice(0, 3)) await readTensor(tensor);
}

/** Opens a checkpoint as a user does, and reads some of it. */
export async function openSome(path: string): Promise<void> {
  const { tensors } = await openCheckpoint(path);
  await readSome(tensors.values());
}
