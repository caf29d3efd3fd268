import type { OpenSetting, Settings } from "../../architecture/reading";
import { settingText } from "../../architecture/settingValues";
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
  const arrangements = combinations(settings.filter(({ isArrangement }) => isArrangement));
  // What decides which other settings there are comes later: how many heads there are is told before.
  const others = settings.filter(
    ({ name, isArrangement }) =>
      !isArrangement && !settings.some(({ onlyWith }) => onlyWith?.name === name),
  );
  return bestStart(scout, others, likeliestReading, arrangements);
}

/**
 * The same from every combination of branches: values beside which the settings that were found best with
 * others are no measure of them.
 */
export async function bestBranch(
  scout: Trial,
  settings: readonly OpenSetting[],
  start: Settings,
): Promise<Settings> {
  const branching = settings.filter(({ branches }) => branches !== undefined);
  const branches = combinations(
    branching.map((setting) => ({ ...setting, values: setting.branches! })),
  );
  const others = settings.filter(
    (setting) => !setting.isArrangement && !branching.includes(setting),
  );
  return bestStart(scout, others, start, branches);
}

/** Every value of each setting beside every value of the others. */
export function combinations(settings: readonly OpenSetting[]): readonly Settings[] {
  return settings.reduce<readonly Settings[]>(
    (all, { name, values }) =>
      all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}

/** What is best after a short search from each of several starts; the reading itself where it is the one. */
async function bestStart(
  scout: Trial,
  others: readonly OpenSetting[],
  reading: Settings,
  starts: readonly Settings[],
): Promise<Settings> {
  if (starts.length === 1) return reading;
  const found: Tried[] = [];
  for (const start of starts) {
    found.push(await descend(scout, others, { ...reading, ...start }, roundsScouted));
  }
  return leastLoss(found).settings;
}

/** Rounds of a search that is to find a start. */
const roundsScouted = 2;

function leastLoss(tried: readonly Tried[]): Tried {
  return tried.reduce((best, one) => (one.mean < best.mean ? one : best));
}

/** Leading digits of round numbers, and of the finer ones between them. */
const roundDigits = [[1], [1, 2, 5], [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]] as const;

/**
 * The round number under which a reading predicts best, from that of its settings on: in large steps, then
 * in finer ones. A less round number is taken only where it is clearly better than the one before.
 */
export async function refined(trial: Trial, best: Tried, { name }: OpenSetting): Promise<Tried> {
  let taken = best;
  for (const digits of roundDigits) {
    let found = taken;
    for (const direction of [1, -1] as const) {
      for (let isBetter = true; isBetter;) {
        const value = nextRound(Number(found.settings[name]), digits, direction);
        const other = await trial.losses({ ...found.settings, [name]: settingText(value) });
        isBetter = other.mean < found.mean;
        if (isBetter) found = other;
      }
    }
    if (found !== taken && compare(found, taken).isClear) taken = found;
  }
  return taken;
}

/** The next number up (1) or down (−1) that is one of some digits times a power of ten. */
function nextRound(number: number, digits: readonly number[], direction: 1 | -1): number {
  const power = Math.floor(Math.log10(number));
  const around = [power - 1, power, power + 1]
    .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
    .toSorted((a, b) => direction * (a - b));
  return around.find((other) => direction * (other - number) > 0)!;
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
