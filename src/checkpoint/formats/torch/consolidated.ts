import { readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Checkpoint, TensorEntry } from "../../checkpoint";
import { CheckpointError, lineOf, quote, written } from "../../errors";
import { limits } from "../../limits";
import { isRecord } from "../../record";
import { readSmallFile } from "../../smallFile";
import type { FileContents } from "../format";
import { together } from "./together";
import { readTorch } from "./readTorch";

const shardName = /^consolidated\.(\d\d)\.pth$/;

/** Whether a file is of a checkpoint as Meta publishes its models, in one or several shards. */
export function isConsolidated(name: string): boolean {
  return shardName.test(name);
}

/**
 * Reads `consolidated.00.pth`, `consolidated.01.pth` … with `params.json` beside them. Each shard holds
 * what one process had of every tensor: some rows, some columns or all of it, by the tensor's name
 * (github.com/meta-llama/llama, llama/model.py).
 *
 * @param named path of one of the shards
 * @returns the whole tensors; `config` is params.json
 * @throws CheckpointError where a shard is missing, a tensor is not known to be split, or the shards
 *   do not fit together
 */
export async function readConsolidated(named: string): Promise<FileContents> {
  const folder = dirname(named);
  const params = await readParams(join(folder, "params.json"));
  const names = (await readdir(folder)).filter(isConsolidated).sort();
  const missing = names.findIndex((name, at) => Number(shardName.exec(name)![1]) !== at);
  if (missing >= 0) {
    throw new CheckpointError(
      "missingShard",
      `${named}: shard ${quote(`consolidated.${String(missing).padStart(2, "0")}.pth`)} is missing beside ${quote(names[missing]!)}.`,
    );
  }
  const shards: FileContents[] = [];
  for (const name of names) shards.push(await readTorch(await realpath(join(folder, name))));
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const config = params && { config: params };
  if (shards.length === 1) return { ...shards[0]!, ...config };
  const parts = shards.map(({ tensors }) => new Map(tensors.map((one) => [one.name, one])));
  const width = parts[0]!.get("norm.weight")?.shape[0];
  const tensors = shards[0]!.tensors.map(({ name }) => {
    const same = parts.map((part, at) => part.get(name) ?? absent(named, name, names[at]!));
    return joined(named, same, axisOf(named, same[0]!, width));
  });
  checkKeys(named, tensors, params?.value);
  return { tensors, bytes, ...config };
}

function absent(named: string, name: string, shard: string): never {
  throw new CheckpointError(
    "missingTensor",
    `${named}: tensor ${quote(name)} is not in shard ${quote(shard)}.`,
  );
}

/** The axis along which the shards' parts of a tensor lie one after another; none where all have it. */
function axisOf(named: string, { name, shape }: TensorEntry, width?: number): number | undefined {
  if (/(^|[._])norm\.weight$/.test(name) || name === "rope.freqs") return undefined;
  // Llama 1 and 2 divide the embedding's columns, Llama 3 its rows.
  if (name === "tok_embeddings.weight") return shape[1] === width ? 0 : 1;
  if (/^output\.weight$|\.attention\.w[qkv]\.weight$|\.feed_forward\.w[13]\.weight$/.test(name)) {
    return 0;
  }
  if (/\.attention\.wo\.weight$|\.feed_forward\.w2\.weight$/.test(name)) return 1;
  throw new CheckpointError(
    "unsupported",
    `${named}: how the shards divide tensor ${quote(name)} is not known; convert the checkpoint to one file (transformers' convert_llama_weights_to_hf.py does).`,
  );
}

function joined(
  named: string,
  parts: readonly TensorEntry[],
  axis: number | undefined,
): TensorEntry {
  const first = parts[0]!;
  const differing = parts.find(
    ({ shape, dataType }) =>
      dataType !== first.dataType ||
      shape.length !== first.shape.length ||
      shape.some((size, at) => size !== first.shape[at]),
  );
  if (differing !== undefined) {
    throw new CheckpointError(
      "tensor",
      `${named}: tensor ${quote(first.name)} is ${first.dataType} [${first.shape.join(", ")}] in one shard and ${differing.dataType} [${differing.shape.join(", ")}] in another; expected parts of one size.`,
    );
  }
  if (axis === undefined) return first;
  const size = first.shape[axis]!;
  const shape = first.shape.map((length, at) => (at === axis ? length * parts.length : length));
  const offsets = (index: number): number[] =>
    shape.map((_, at) => (at === axis ? index * size : 0));
  return together(
    named,
    first.name,
    first.dataType,
    shape,
    parts.map((tensor, index) => ({ offsets: offsets(index), tensor })),
  );
}

/** More processes than key heads each keep a copy of one: then rows are not simply one after another. */
function checkKeys(
  named: string,
  tensors: readonly TensorEntry[],
  params: Readonly<Record<string, unknown>> | undefined,
): void {
  const { dim, n_heads: heads, n_kv_heads: keyHeads = heads } = params ?? {};
  if (typeof dim !== "number" || typeof heads !== "number" || typeof keyHeads !== "number") return;
  const expected = (dim / heads) * keyHeads;
  for (const { name, shape } of tensors) {
    if (/\.attention\.w[kv]\.weight$/.test(name) && shape[0] !== expected) {
      throw new CheckpointError(
        "unsupported",
        `${named}: tensor ${quote(name)} has ${written(shape[0])} rows in all shards together, but params.json says ${expected}; how the shards share key heads is not known.`,
      );
    }
  }
}

async function readParams(path: string): Promise<Checkpoint["config"]> {
  const text = await readSmallFile(path, limits.configBytes).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CheckpointError("config", `${path}: cannot be read: ${lineOf(error)}.`);
  });
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError("config", `${path}: is not JSON: ${lineOf(error)}.`);
  }
  if (!isRecord(parsed)) throw new CheckpointError("config", `${path}: is not a JSON object.`);
  return { path, value: parsed };
}
