/** What llama.cpp's conversion (convert_hf_to_gguf.py) does to tensors, the other way round. */
import type { TensorEntry } from "../../../checkpoint/checkpoint";
import { CheckpointError, quote } from "../../../checkpoint/errors";
import { concatenated, entryOf, reshaped, rows, transposed } from "../../../checkpoint/views";
import type { Undo } from "./ggufArchitecture";
import type { Keys } from "./keys";

/** Linears that Hugging Face keeps the other way round. */
export function turned(pattern: RegExp): Undo {
  return each(pattern, (tensor, name) => [[name, transposed(ofRank(2, tensor))]]);
}

/** Names that mean something else where another tensor is there too. */
export function renamedBeside(other: RegExp, from: RegExp, to: string): Undo {
  return (tensors) =>
    [...tensors.keys()].some((name) => other.test(name))
      ? new Map([...tensors].map(([name, tensor]) => [name.replace(from, to), tensor]))
      : tensors;
}

/** A matrix of one row, which may be stored as a vector. */
export function asOneRow(pattern: RegExp): Undo {
  return each(pattern, (tensor, name) => {
    const { shape } = tensor;
    return [[name, shape.length === 1 ? reshaped(tensor, [1, ...shape]) : tensor]];
  });
}

/**
 * Tensors with one entry for each expert, or head: each entry under a name of its own.
 *
 * @param name of an entry as in `String.replace`, with `#` for its index
 */
export function unstacked(pattern: RegExp, name: string): Undo {
  return each(pattern, (tensor, stacked) =>
    Array.from({ length: tensor.shape[0] ?? 0 }, (_, index) => [
      stacked.replace(pattern, name.replace("#", String(index))),
      entryOf(tensor, index),
    ]),
  );
}

/** A fused projection of all queries, all keys and all values, as linears of their own. */
export function split(pattern: RegExp, names: readonly [string, string, string]): Undo {
  return each(pattern, (tensor, fused, keys) => {
    const { heads, keyValueHeads, size } = fusedSizes(tensor, keys);
    const ends = [heads, heads + keyValueHeads, heads + 2 * keyValueHeads].map((at) => at * size);
    return names.map((name, at) => [
      fused.replace(pattern, name),
      rows(tensor, at === 0 ? 0 : ends[at - 1]!, ends[at]!),
    ]);
  });
}

/**
 * A fused projection of all queries, all keys and all values, as one of runs: of each key-value head,
 * the queries that share it, its key and its value.
 */
export function byHead(pattern: RegExp): Undo {
  return each(pattern, (tensor, name, keys) => {
    const { heads, keyValueHeads, size } = fusedSizes(tensor, keys);
    const shared = heads / keyValueHeads;
    const runs = Array.from({ length: keyValueHeads }, (_, head) => [
      rows(tensor, head * shared * size, (head + 1) * shared * size),
      rows(tensor, (heads + head) * size, (heads + head + 1) * size),
      rows(
        tensor,
        (heads + keyValueHeads + head) * size,
        (heads + keyValueHeads + head + 1) * size,
      ),
    ]);
    return [[name, concatenated(runs.flat())]];
  });
}

/** Heads of a fused projection, and how many rows each has. @throws CheckpointError where it has no such */
function fusedSizes(
  tensor: TensorEntry,
  keys: Keys,
): { heads: number; keyValueHeads: number; size: number } {
  const heads = keys.number("attention.head_count");
  const stated = keys.get("attention.head_count_kv");
  const keyValueHeads = typeof stated === "number" ? stated : heads;
  const size = tensor.shape[0]! / (heads + 2 * keyValueHeads);
  if (heads % keyValueHeads !== 0 || !Number.isInteger(size) || size < 1) {
    throw misshapen(
      tensor,
      `rows of ${heads} heads of queries and ${keyValueHeads} of keys and of values`,
    );
  }
  return { heads, keyValueHeads, size };
}

/**
 * Keys and values of latent attention: of each head the rows of its key, stored as columns, then those of
 * its value.
 *
 * @param keyPattern matches the keys' tensors [heads, rank, channels]
 * @param names of the values' tensor [heads, channels, rank], and of both as one
 */
export function fromHeads(
  keyPattern: RegExp,
  names: { readonly values: string; readonly both: string },
): Undo {
  return (tensors) => {
    const undone = new Map(tensors);
    for (const [name, keys] of tensors) {
      const valueName = keyPattern.test(name) ? name.replace(keyPattern, names.values) : "";
      const values = tensors.get(valueName);
      if (values === undefined) continue;
      undone.delete(name);
      undone.delete(valueName);
      if (ofRank(3, values).shape[0] !== ofRank(3, keys).shape[0] || keys.shape[0] === 0) {
        throw misshapen(
          values,
          `heads of ${quote(keys.name)}, of which there are ${keys.shape[0]}`,
        );
      }
      const heads = Array.from({ length: keys.shape[0]! }, (_, head) => [
        transposed(entryOf(keys, head)),
        entryOf(values, head),
      ]);
      undone.set(name.replace(keyPattern, names.both), concatenated(heads.flat()));
    }
    return undone;
  };
}

function each(
  pattern: RegExp,
  undo: (tensor: TensorEntry, name: string, keys: Keys) => (readonly [string, TensorEntry])[],
): Undo {
  return (tensors, keys) =>
    new Map(
      [...tensors].flatMap(([name, tensor]) =>
        pattern.test(name) ? undo(tensor, name, keys) : [[name, tensor] as const],
      ),
    );
}

function ofRank(rank: number, tensor: TensorEntry): TensorEntry {
  if (tensor.shape.length === rank) return tensor;
  throw misshapen(tensor, `${rank} axes`);
}

function misshapen({ file, name, shape }: TensorEntry, expected: string): CheckpointError {
  return new CheckpointError(
    "tensor",
    `${file}: tensor ${quote(name)}: shape is [${shape.join(", ")}]; expected ${expected}.`,
  );
}
