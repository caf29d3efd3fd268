/**
 * Models in several GGUF files, named `…-00001-of-00003.gguf`. The first holds the metadata; each
 * states in `split.count` how many there are.
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError, quote, written } from "../../errors";
import { limits } from "../../limits";
import type { GgufValue } from "./values";

const partName = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/;

/** The name of the first part, where a name is one of a part's; else the name itself. */
export function firstPart(name: string): string {
  return name.replace(partName, "$1-00001-of-$3$4");
}

/**
 * The real paths of all parts but the first.
 *
 * @param path of the first part, as it was named: names in a cache's store say nothing
 * @throws CheckpointError when one is missing, or the file cannot be told to be the first
 */
export async function partsOf(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
): Promise<string[]> {
  const count = metadata.get("split.count") ?? 1;
  const fail = (what: string): never => {
    throw new CheckpointError("header", `${path}: ${what}.`);
  };
  if (typeof count !== "number" || count < 0 || count > limits.ggufParts) {
    return fail(`split.count is ${written(count)}; expected a number up to ${limits.ggufParts}`);
  }
  if (count <= 1) return [];
  const parsed = partName.exec(basename(path));
  if (parsed === null || Number(parsed[2]) !== 1 || Number(parsed[3]) !== count) {
    fail(
      `is a part of a model in ${count} files; expected a name that ends in -00001-of-${fiveDigits(count)}.gguf, by which the others are found`,
    );
  }
  const parts: string[] = [];
  for (let part = 2; part <= count; part++) {
    const name = `${parsed![1]!}-${fiveDigits(part)}-of-${fiveDigits(count)}.gguf`;
    const real = await realpath(join(dirname(path), name)).catch(() => undefined);
    if (real === undefined) {
      throw new CheckpointError("missingShard", `${path}: part ${quote(name)} is missing.`);
    }
    parts.push(real);
  }
  return parts;
}

function fiveDigits(count: number): string {
  return String(count).padStart(5, "0");
}
