import { createHash } from "node:crypto";
import type { Sample } from "./samples";

/** Tells the files that readers begin from apart from others: a hash of them all, in order. */
export function corpusHash(
  targets: readonly { name: string; samples: readonly Sample[] }[],
): string {
  const hash = createHash("sha256");
  const add = (bytes: string | Uint8Array): void => {
    hash.update(`${Buffer.byteLength(bytes)}:`).update(bytes);
  };
  for (const { name, samples } of targets) {
    add(name);
    for (const { head, gap, tail, part } of samples) {
      for (const one of [head, String(gap), tail, part?.name ?? "", part?.read ?? ""]) add(one);
      for (const [beside, content] of Object.entries(part?.beside ?? {})) {
        add(beside);
        add(content);
      }
    }
  }
  return hash.digest("hex");
}

/** A round's own seed, of which the neighbours of a round and of a seed have nothing. */
export function seedOfRound(seed: number, round: number): number {
  return createHash("sha256").update(`${seed}:${round}`).digest().readInt32LE(0);
}
