/**
 * The names of weight files, for those who have only names to go by: menus, pickers, searches of a
 * folder. What a file is of, its content says once it is opened (`open.ts`).
 */

import { statementName } from "./checkpoint";

/** Extensions of weight files, without the dot. */
export const weightExtensions = ["safetensors", "gguf", "pt", "pth", "ckpt", "bin"] as const;

/** How the names of the indexes of sharded checkpoints end. */
export const indexEndings = ["safetensors.index.json", "bin.index.json"] as const;

/** Extensions of files that state their model's settings themselves, so need no config.json beside. */
const selfContained = /\.(?:gguf|pt|pth|ckpt|bin)$/i;
const weights = new RegExp(`\\.(?:${weightExtensions.join("|")})$`, "i");
const indexes = new RegExp(`\\.(?:${indexEndings.join("|").replaceAll(".", "\\.")})$`);
/**
 * What trainers write beside the weights under the same extensions, by whole words that numbers of
 * steps and processes may follow: `tokyo.pt` and `scheduler_free.pt` are models.
 */
const otherState =
  /^(?:(?:optim|optimizer|scheduler|scaler|rng_state|random_states|training_args|tokenizer)(?:[_-](?:states?|(?:step|epoch|iter|rank)?[_-]?\d+))*\.|tok\d*\.bin$)/i;
/** Of all `.bin` files few are weights (`train.bin` is tokens), so a search takes these alone. */
const weightsInBin =
  /^(?:pytorch_model|model|stories|consolidated|llama|checkpoint|ckpt|step|iter)[^/\\]*$/i;
/** How the parts of a checkpoint of torch.distributed end, whose directory is `.metadata`. */
const distributedPart = ".distcp";
const temporary = /^(?:\.|tmp-)|\.(?:tmp|partial|incomplete)$/i;

/**
 * True for a file that a person may point at as a checkpoint: any of these extensions, or an index.
 * Every `.bin` is one: llama2.c's have any name, and who points at one is told what it is not.
 */
export function isCheckpointName(basename: string): boolean {
  return weights.test(basename) || isIndexName(basename) || basename === ".metadata";
}

/** True for the index of a sharded checkpoint. */
export function isIndexName(basename: string): boolean {
  return indexes.test(basename);
}

/** True for a file that a search takes for weights: what only shares an extension is left out. */
export function isWeightName(basename: string): boolean {
  if (!weights.test(basename) || isTemporaryName(basename) || isOtherStateName(basename)) {
    return false;
  }
  return !/\.bin$/i.test(basename) || weightsInBin.test(basename);
}

/** True for what trainers write beside the weights: the state of an optimizer, a schedule, arguments. */
export function isOtherStateName(basename: string): boolean {
  return otherState.test(basename);
}

/** True for a file that weights lie in: a weight file, or a part of a distributed checkpoint. */
export function isWeightPart(basename: string): boolean {
  return isWeightName(basename) || basename.endsWith(distributedPart);
}

/** Whether a weight file may state its model's settings itself; another needs a config.json beside. */
export function isSelfContained(basename: string): boolean {
  return selfContained.test(basename);
}

/** True for what is still being written under a name of its own: `tmp-checkpoint-100`, `a.partial`. */
export function isTemporaryName(basename: string): boolean {
  return temporary.test(basename);
}

/** A weight file's name without its extension; any other name as it is. */
export function withoutWeightExtension(basename: string): string {
  return basename.replace(weights, "");
}

/**
 * Whether a folder with these names holds one checkpoint: weights with a config.json, or one weight
 * file alone that may state its settings itself or of which a fathom.json does.
 */
export function holdsCheckpoint(names: readonly string[]): boolean {
  const found = names.filter(isWeightName);
  if (names.includes("config.json")) {
    return found.length > 0 || names.some((name) => name.endsWith(distributedPart));
  }
  return found.length === 1 && (isSelfContained(found[0]!) || names.includes(statementName));
}

/** True for a file by which a folder becomes, or ceases to be, a checkpoint's. */
export function isCheckpointMark(basename: string): boolean {
  const isSettings = basename === "config.json" || basename === statementName;
  return isSettings || isWeightPart(basename);
}

/** True for the file, or one of the files, that is read where its folder is given. */
export function standsForFolder(basename: string): boolean {
  return (
    /^(?:model\.safetensors|pytorch_model\.bin|consolidated\.\d+\.pth|\.metadata)$/.test(
      basename,
    ) ||
    isIndexName(basename) ||
    /-\d{5}-of-\d{5}\.(?:safetensors|bin)$/.test(basename)
  );
}

/** How many shards a shard's name says there are; 1 for any other name. */
export function shardsOfName(basename: string): number {
  return Number(/-\d{5}-of-(\d{5})\.[^.]+$/.exec(basename)?.[1] ?? 1);
}

/** All files of a workspace that may be weights, as a glob. */
export const weightsGlob = `**/*.{${[...weightExtensions, "distcp"].join(",")}}`;
