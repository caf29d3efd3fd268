/** Remembers from which inputs something was made, so that it is made again only when they change. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { cache, root } from "./process.mjs";

/**
 * @param name what is made
 * @param inputs files and folders, relative to the repository, and other strings that matter
 * @param outputs what must exist for the stamp to hold, relative to the repository
 * @param make makes it
 * @returns true when it had to be made
 */
export async function whenChanged(name, { inputs, also = [], outputs }, make) {
  const stamp = path.join(cache, "stamps", name);
  const digest = digestOf(inputs, also);
  const holds =
    outputs.every((output) => existsSync(path.join(root, output))) &&
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === digest;
  if (holds) return false;
  await make();
  mkdirSync(path.dirname(stamp), { recursive: true });
  // Others may read it meanwhile, and to write over a hard link would write over all of them.
  const temporary = `${stamp}.${process.pid}`;
  writeFileSync(temporary, digest);
  renameSync(temporary, stamp);
  return true;
}

function digestOf(inputs, also) {
  const hash = createHash("sha256");
  for (const text of also) hash.update(`${text}\0`);
  for (const file of inputs.flatMap((input) => filesOf(input)).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesOf(input) {
  const file = path.join(root, input);
  if (!existsSync(file)) return [];
  if (!statSync(file).isDirectory()) return [input];
  return readdirSync(file).flatMap((name) => filesOf(path.join(input, name)));
}
