import type { OpenSetting, Settings } from "../../architecture/reading";
import { compare, rivals } from "./margin";
import type { Trial, Tried } from "./trial";
import { differing } from "./undecided";

/** Varies settings one at a time until no change of one is better, or for this many rounds. */
export async function descend(
  trial: Trial,
  settings: readonly OpenSetting[],
  start: Settings,
  rounds = Infinity,
): Promise<Tried> {
  let best = await trial.losses(start);
  let isSettled = false;
  for (let round = 0; round < rounds && !isSettled; round++) {
    isSettled = true;
    for (const { name, values } of settings) {
      for (const value of values) {
        const other = await trial.losses({ ...best.settings, [name]: value });
        if (other.mean < best.mean) {
          best = other;
          isSettled = false;
        }
      }
    }
  }
  return best;
}

/** Close rivals whose changes are tried together. */
const rivalsCombined = 6;

/** Two changes that make little difference, one at a time, may be better together. */
export async function bestTogether(
  trial: Trial,
  best: Tried,
  open: readonly OpenSetting[],
): Promise<Tried> {
  const changes = rivals(best, trial.tried, open)
    .filter(({ isClear }) => !isClear)
    .slice(0, rivalsCombined)
    .map(({ rival }) => differing(rival.settings, best.settings));
  let found = best;
  for (const [index, one] of changes.entries()) {
    for (const other of changes.slice(index + 1)) {
      const both = await trial.losses({ ...best.settings, ...one, ...other });
      if (both.mean < found.mean) found = both;
    }
  }
  return found;
}

/** The reading to start from: the best that is found shortly from every arrangement of tensors. */
export async function bestArrangement(
  scout: Trial,
  settings: readonly OpenSetting[],
  likeliestReading: Settings,
): Promise<Settings> {
  const arrangements = settings
    .filter(({ isArrangement }) => isArrangement)
    .reduce<readonly Settings[]>(
      (all, { name, values }) =>
        all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
      [{}],
    );
  if (arrangements.length === 1) return likeliestReading;
  // How many heads there are comes before how they tell positions.
  const others = settings.filter(({ isArrangement, branches }) => !isArrangement && !branches);
  const found: Tried[] = [];
  for (const arrangement of arrangements) {
    const one = { ...likeliestReading, ...arrangement };
    found.push(await descend(scout, others, one, roundsScouted));
  }
  return leastLoss(found).settings;
}

/** Rounds of a search that is to find a start. */
const roundsScouted = 2;

function leastLoss(tried: readonly Tried[]): Tried {
  return tried.reduce((best, one) => (one.mean < best.mean ? one : best));
}

/**
 * The same from every branch: a value beside which the settings that were found best with another are
 * no measure of it.
 */
export async function bestBranch(
  scout: Trial,
  settings: readonly OpenSetting[],
  start: Settings,
): Promise<Settings> {
  let best = start;
  for (const { name, branches } of settings) {
    if (branches === undefined || branches.length < 2) continue;
    const others = settings.filter((other) => other.name !== name && !other.isArrangement);
    const found: Tried[] = [];
    for (const value of branches) {
      found.push(await descend(scout, others, { ...best, [name]: value }, roundsScouted));
    }
    best = leastLoss(found).settings;
  }
  return best;
}

/** The value of a setting that is clearly better than its first; the first where none is. */
export async function settleApproximate(
  trial: Trial,
  best: Tried,
  { name, values }: OpenSetting,
): Promise<{ tried: Tried; isClear: boolean }> {
  const [first, ...others] = values as [string, ...string[]];
  let chosen = await trial.losses({ ...best.settings, [name]: first });
  let isClear = false;
  for (const value of others) {
    const other = await trial.losses({ ...best.settings, [name]: value });
    if (other.mean < chosen.mean && compare(other, chosen).isClear) {
      chosen = other;
      isClear = true;
    }
  }
  return { tried: chosen, isClear };
}
