import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Checkpoint, TensorEntry } from "./checkpoint";
import { statementName } from "./checkpoint";
import { CheckpointError, lineOf, quote } from "./errors";
import type { ForeignKind } from "./foreign";
import { foreignAmong, foreignContent, foreignKind } from "./foreign";
import type { FileContents, Format } from "./formats/format";
import { headBytes } from "./formats/format";
import { gguf } from "./formats/gguf/gguf";
import { llama2c } from "./formats/llama2c";
import { safetensors } from "./formats/safetensors";
import { deepSpeed } from "./formats/torch/deepSpeed";
import { torchDistributed } from "./formats/torch/distributed";
import { torch } from "./formats/torch/torch";
import { limits } from "./limits";
import { isPlainName } from "./plainName";
import { isRecord } from "./record";
import { withScales } from "./scales";
import { readSmallFile } from "./smallFile";
import { findTokenizer } from "./tokenizerSource";
import { isOtherStateName } from "./weightFiles";
import { weightMapOf } from "./weightMap";
import { withoutWrappers } from "./wrappers";

/** In the order in which a folder that holds several is read. */
const formats: readonly Format[] = [safetensors, gguf, torch, torchDistributed, deepSpeed, llama2c];

/**
 * Opens a checkpoint: a file of a known format, the index of a sharded one, or a folder that holds
 * either. config.json, tokenizer.json and fathom.json are taken from the same folder. Symbolic links, as in a
 * Hugging Face cache, are followed to the real files.
 *
 * @throws CheckpointError when the path is none of these or a file in it is invalid
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const absolute = resolve(path);
  const { directoryFile, format } = await findDirectoryFile(absolute);
  const folder = await folderOf(directoryFile, format);
  const contents = isIndexOf(format, directoryFile)
    ? await readShards(directoryFile, format)
    : await readFile(directoryFile, format);
  if (contents.tensors.length === 0) {
    throw new CheckpointError("notACheckpoint", `${directoryFile}: holds no tensors.`);
  }
  const beside = format.isSelfContained ? undefined : await readConfig(join(folder, "config.json"));
  const config = beside ?? contents.config;
  const statement = await ifExists(join(folder, statementName));
  return {
    path: absolute,
    folder,
    format: format.name,
    directoryFile,
    bytes: contents.bytes,
    tensors: withScales(unwrapped(contents.tensors), config),
    config,
    tokenizer: contents.tokenizer ?? (await findTokenizer(folder, config)),
    ...(statement !== undefined && { statement }),
  };
}

function unwrapped(tensors: readonly TensorEntry[]): readonly TensorEntry[] {
  const names = withoutWrappers(tensors.map(({ name }) => name));
  return tensors.map((tensor, at) =>
    names[at] === tensor.name ? tensor : { ...tensor, name: names[at]! },
  );
}

/** The folder of config.json and the tokenizer: where weights fill a folder of their own, the one above. */
async function folderOf(directoryFile: string, { fillsFolder }: Format): Promise<string> {
  const folder = dirname(directoryFile);
  const isBeside = await ifExists(join(folder, "config.json"));
  if (fillsFolder !== true || isBeside !== undefined) return folder;
  const above = await ifExists(join(dirname(folder), "config.json"));
  return above === undefined ? folder : dirname(folder);
}

/** @throws CheckpointError as the format's reader, or with what the file is instead where that is known */
async function readFile(file: string, format: Format): Promise<FileContents> {
  const real = await resolveLink(file);
  try {
    return await format.read(real, file);
  } catch (error) {
    const kind = error instanceof CheckpointError ? await foreignContent(real) : undefined;
    throw kind ? isForeign(file, kind) : error;
  }
}

interface DirectoryFile {
  readonly directoryFile: string;
  readonly format: Format;
}

function isIndexOf({ index }: Format, path: string): boolean {
  return index !== undefined && path.endsWith(index);
}

async function findDirectoryFile(path: string): Promise<DirectoryFile> {
  const stats = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (stats.isDirectory()) return findInFolder(path);
  const indexed = formats.find((format) => isIndexOf(format, path));
  if (indexed) return { directoryFile: path, format: indexed };
  if (stats.isFile()) {
    const head = await readHead(path);
    const format = formats.find(({ recognises }) => recognises(basename(path), head, stats.size));
    if (format) {
      // A shard by itself is not a model: its index, where there is one, names the others.
      const leading = join(dirname(path), format.leads?.(basename(path)) ?? basename(path));
      return { directoryFile: (await indexOfShard(path, format)) ?? leading, format };
    }
    const kind = foreignKind(basename(path), head);
    if (kind) throw isForeign(path, kind);
  }
  throw new CheckpointError(
    "notACheckpoint",
    `${path}: is not a checkpoint that can be read; expected a ${formatNames("or")} file, the index of one in shards, or a folder that holds either.`,
  );
}

async function findInFolder(folder: string): Promise<DirectoryFile> {
  const names = (await readdir(folder).catch((error: unknown) => unreadable(folder, error))).sort();
  for (const format of formats) {
    const { usual, index } = format;
    const indexes = index ? usual.map((name) => name.replace(/\.[^.]+$/, index)) : [];
    const known = [...usual, ...indexes].find((name) => names.includes(name));
    if (known !== undefined) return { directoryFile: join(folder, known), format };
  }
  // Under another name it is taken where there is no choice.
  const heads = new Map<string, { head: Uint8Array; bytes: number }>();
  for (const name of names.slice(0, limits.folderFiles)) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile()) {
      heads.set(name, { head: await readHead(join(folder, name)), bytes: stats.size });
    }
  }
  for (const format of formats) {
    const indexes = names.filter((name) => isIndexOf(format, name));
    const files = [...heads]
      .filter(([name, { head, bytes }]) => format.recognises(name, head, bytes))
      .map(([name]) => format.leads?.(name) ?? name);
    const ofModels = files.filter((name) => !isOtherStateName(name));
    const candidates =
      indexes.length > 0 ? indexes : [...new Set(ofModels.length > 0 ? ofModels : files)];
    if (candidates.length === 1) return { directoryFile: join(folder, candidates[0]!), format };
    if (candidates.length > 1) {
      const some = candidates.slice(0, 3).map(quote).join(", ");
      throw new CheckpointError(
        "notACheckpoint",
        `${folder}: holds ${candidates.length} ${format.name} files, ${some}${candidates.length > 3 ? " and others" : ""}, and none of a name that is usual; name one of them.`,
      );
    }
  }
  const foreign = foreignAmong(names);
  if (foreign) throw isForeign(join(folder, foreign.name), foreign);
  throw new CheckpointError(
    "notACheckpoint",
    `${folder}: expected a folder with ${formats.flatMap(({ usual }) => usual.slice(0, 1)).join(", ")}, or one such file of another name; it holds none${await checkpointsBelow(folder, names)}.`,
  );
}

/** Of a folder of checkpoints, such as a training run: which of its folders can be named instead. */
async function checkpointsBelow(folder: string, names: readonly string[]): Promise<string> {
  const usual = formats.flatMap((format) => format.usual);
  const holding: string[] = [];
  for (const name of names.slice(0, limits.folderFiles)) {
    const inner = await readdir(join(folder, name)).catch(() => []);
    if (inner.some((one) => usual.includes(one))) holding.push(name);
  }
  const some = holding.slice(0, 3).map(quote).join(", ");
  const more = holding.length > 3 ? ` and ${holding.length - 3} more` : "";
  return holding.length > 0 ? `, but ${some}${more} in it do: name one of them` : "";
}

function isForeign(path: string, { what, instead, isStandIn }: ForeignKind): CheckpointError {
  const rest =
    isStandIn === true
      ? `; ${instead}`
      : `, which is not read; ${instead}. Read are ${formatNames("and")} files`;
  return new CheckpointError("notACheckpoint", `${path}: is ${what}${rest}.`);
}

function formatNames(conjunction: "and" | "or"): string {
  const names = formats.map(({ name }) => name);
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].join(` ${conjunction} `);
}

async function readHead(path: string): Promise<Uint8Array> {
  const handle = await open(path, "r").catch((error: unknown) => unreadable(path, error));
  try {
    const head = new Uint8Array(headBytes);
    const { bytesRead } = await handle.read(head, 0, headBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function indexOfShard(path: string, { index }: Format): Promise<string | undefined> {
  const shard = /^(.*)-\d{5}-of-\d{5}\.[^.]+$/.exec(path);
  return shard === null || index === undefined ? undefined : ifExists(`${shard[1]!}${index}`);
}

async function readShards(indexFile: string, format: Format): Promise<FileContents> {
  const weightMap = await readJson(indexFile, limits.indexBytes, weightMapOf);
  if (weightMap === undefined) {
    throw new CheckpointError(
      "header",
      `${indexFile}: has no "weight_map" from tensor names to shard files.`,
    );
  }
  const shardNames = [...new Set(weightMap.values())].sort();
  if (shardNames.length > limits.shards) {
    throw new CheckpointError(
      "header",
      `${indexFile}: names ${shardNames.length} shards; the limit is ${limits.shards}.`,
    );
  }
  const folder = dirname(indexFile);
  const tensors: TensorEntry[] = [];
  let bytes = 0;
  for (const name of shardNames) {
    if (!isPlainName(name)) {
      throw new CheckpointError(
        "header",
        `${indexFile}: shard ${quote(name)} is not a plain file name; shards lie beside their index.`,
      );
    }
    const file = join(folder, name);
    if ((await ifExists(file)) === undefined) {
      throw new CheckpointError("missingShard", `${indexFile}: shard ${quote(name)} is missing.`);
    }
    const shard = await readFile(file, format);
    bytes += shard.bytes;
    for (const tensor of shard.tensors) {
      if (weightMap.get(tensor.name) === name) tensors.push(tensor);
    }
  }
  if (tensors.length < weightMap.size) {
    const found = new Set(tensors.map(({ name }) => name));
    const [tensor, shard] = [...weightMap].find(([name]) => !found.has(name))!;
    throw new CheckpointError(
      "missingTensor",
      `${indexFile}: tensor ${quote(tensor)} is not in shard ${quote(shard)}, where the index says it is.`,
    );
  }
  return { tensors, bytes };
}

async function readConfig(path: string): Promise<Checkpoint["config"]> {
  if ((await ifExists(path)) === undefined) return undefined;
  const value = await readJson<unknown>(path, limits.configBytes, JSON.parse);
  if (!isRecord(value)) {
    throw new CheckpointError("config", `${path}: is not a JSON object.`);
  }
  return { path, value };
}

async function readJson<Value>(
  path: string,
  limit: number,
  parse: (text: string) => Value,
): Promise<Value> {
  const text = await readSmallFile(path, limit).catch((error: unknown) => unreadable(path, error));
  try {
    return parse(text);
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
