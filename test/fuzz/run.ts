/**
 * One format's share of `npm run fuzz`, in a process of its own: `run.mjs FORMAT ROUNDS FIRST SEED FOLDER`
 * gives its reader rounds of mutated files, from the first one on, and prints each round's outcome as a
 * line of JSON. Without a format it prints the names of all, and a hash of their files.
 */
import { corpusHash, seedOfRound } from "./corpus";
import { fuzz } from "./fuzz";
import { targets } from "./targets";

/** Files of a round, which can be run again by itself. */
const filesOfRound = 500;

const [name, rounds, first, seed, folder] = process.argv.slice(2);
if (name === undefined) {
  const formats = targets.map((target) => target.name);
  console.log(JSON.stringify({ formats, filesOfRound, corpus: corpusHash(targets) }));
} else {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no format ${JSON.stringify(name)}`);
  for (let round = Number(first); round < Number(first) + Number(rounds); round++) {
    const outcome = await fuzz(target, folder!, {
      runs: filesOfRound,
      seed: seedOfRound(Number(seed), round),
    });
    console.log(JSON.stringify(outcome));
  }
}
