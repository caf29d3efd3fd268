/** What `npm run fuzz` keeps of its rounds, from which the same command goes on. */
import { existsSync, readFileSync } from "node:fs";
import { Stop } from "./process.mjs";

/**
 * The counts of a file, or new ones where there is none. The seed is kept: what was done with another is
 * something else. So is what was fuzzed: what readers of before were given says nothing of these.
 *
 * @param fuzzed a hash of the readers, of how files are spoilt, and of the files
 */
export function readCounts(file, seed, fuzzed) {
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  if (counts !== undefined && counts.seed !== seed) {
    throw new Stop(`${file} is of seed ${counts.seed}; give that one, or --fresh`);
  }
  return counts?.fuzzed === fuzzed ? counts : { seed, fuzzed, formats: {} };
}
