import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import type { Checkpoint, TensorEntry } from "./checkpoint";
import { CheckpointError, lineOf, quote } from "./errors";
import { limits } from "./limits";
import { readSafetensors } from "./safetensors";
import { readSmallFile } from "./smallFile";

const singleFile = "model.safetensors";
const indexSuffix = ".safetensors.index.json";

/**
 * Opens a checkpoint: a .safetensors file, a *.safetensors.index.json, or a folder that holds
 * model.safetensors or its index. config.json and tokenizer.json are taken from the same folder.
 * Symbolic links, as in a Hugging Face cache, are followed to the real files.
 *
 * @throws CheckpointError when the path is none of these or a file in it is invalid
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const absolute = resolve(path);
  const directoryFile = await findDirectoryFile(absolute);
  const folder = dirname(directoryFile);
  const { tensors, bytes } = directoryFile.endsWith(indexSuffix)
    ? await readShards(directoryFile)
    : await readSafetensors(await resolveLink(directoryFile));
  if (tensors.length === 0) {
    throw new CheckpointError("notACheckpoint", `${directoryFile}: holds no tensors.`);
  }
  return {
    path: absolute,
    folder,
    format: "safetensors",
    directoryFile,
    bytes,
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    config: await readConfig(join(folder, "config.json")),
    tokenizer: await ifExists(join(folder, "tokenizer.json")),
  };
}

async function findDirectoryFile(path: string): Promise<string> {
  const stats = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (!stats.isDirectory()) {
    if (path.endsWith(".safetensors") || path.endsWith(indexSuffix)) {
      // A shard by itself is not a model: its index, where there is one, names the others.
      return (await indexOfShard(path)) ?? path;
    }
    throw new CheckpointError(
      "notACheckpoint",
      `${path}: is not a checkpoint that can be read; expected a .safetensors file, a *${indexSuffix}, or a folder that holds one.`,
    );
  }
  const names = await readdir(path).catch((error: unknown) => unreadable(path, error));
  const usual = [singleFile, `model${indexSuffix}`].find((name) => names.includes(name));
  if (usual !== undefined) return join(path, usual);
  // Under another name it is taken where there is no choice.
  const indexes = names.filter((name) => name.endsWith(indexSuffix));
  const candidates =
    indexes.length > 0 ? indexes : names.filter((name) => name.endsWith(".safetensors"));
  if (candidates.length === 1) return join(path, candidates[0]!);
  const found =
    candidates.length === 0
      ? "no safetensors file"
      : `${candidates.length} (${candidates.slice(0, 3).map(quote).join(", ")}…), so name one of them`;
  throw new CheckpointError(
    "notACheckpoint",
    `${path}: expected a folder with ${singleFile}, model${indexSuffix}, or one safetensors file of another name; it holds ${found}.`,
  );
}

async function indexOfShard(path: string): Promise<string | undefined> {
  const shard = /^(.*)-\d{5}-of-\d{5}\.safetensors$/.exec(path);
  return shard === null ? undefined : ifExists(`${shard[1]!}${indexSuffix}`);
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

async function readShards(indexFile: string): Promise<{ tensors: TensorEntry[]; bytes: number }> {
  const parsed = indexSchema.safeParse(await readJson(indexFile, limits.indexBytes));
  if (!parsed.success) {
    throw new CheckpointError(
      "header",
      `${indexFile}: has no "weight_map" from tensor names to shard files.`,
    );
  }
  const weightMap = new Map(Object.entries(parsed.data.weight_map));
  const shardNames = [...new Set(weightMap.values())].sort();
  if (shardNames.length > limits.shards) {
    throw new CheckpointError(
      "header",
      `${indexFile}: names ${shardNames.length} shards; the limit is ${limits.shards}.`,
    );
  }
  const folder = dirname(indexFile);
  const tensors = new Map<string, TensorEntry>();
  let bytes = 0;
  for (const name of shardNames) {
    if (/[/\\]/.test(name) || name === "..") {
      throw new CheckpointError(
        "header",
        `${indexFile}: shard ${quote(name)} is not a plain file name; shards lie beside their index.`,
      );
    }
    const file = join(folder, name);
    if ((await ifExists(file)) === undefined) {
      throw new CheckpointError("missingShard", `${indexFile}: shard ${quote(name)} is missing.`);
    }
    const shard = await readSafetensors(await resolveLink(file));
    bytes += shard.bytes;
    for (const tensor of shard.tensors) {
      if (weightMap.get(tensor.name) === name) tensors.set(tensor.name, tensor);
    }
  }
  for (const [tensor, shard] of weightMap) {
    if (!tensors.has(tensor)) {
      throw new CheckpointError(
        "missingTensor",
        `${indexFile}: tensor ${quote(tensor)} is not in shard ${quote(shard)}, where the index says it is.`,
      );
    }
  }
  return { tensors: [...tensors.values()], bytes };
}

async function readConfig(path: string): Promise<Checkpoint["config"]> {
  if ((await ifExists(path)) === undefined) return undefined;
  const parsed = z
    .record(z.string(), z.unknown())
    .safeParse(await readJson(path, limits.configBytes));
  if (!parsed.success) {
    throw new CheckpointError("config", `${path}: is not a JSON object.`);
  }
  return { path, value: parsed.data };
}

async function readJson(path: string, limit: number): Promise<unknown> {
  const text = await readSmallFile(path, limit).catch((error: unknown) => unreadable(path, error));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError("header", `${path}: is not JSON: ${lineOf(error)}.`);
  }
}

async function ifExists(path: string): Promise<string | undefined> {
  return stat(path).then(
    () => path,
    () => undefined,
  );
}

async function resolveLink(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => unreadable(path, error));
}

function unreadable(path: string, error: unknown): never {
  const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
  const what = isAbsent ? "does not exist" : `cannot be read: ${lineOf(error)}`;
  throw new CheckpointError("unreadable", `${path}: ${what}.`);
}
