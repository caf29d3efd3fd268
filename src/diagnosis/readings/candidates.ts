import type { Settings } from "../../architecture/reading";
import type { Trial, Tried } from "./trial";
import type { Candidate } from "./undecided";

/**
 * Every reading that was tried, each once: those that were compared, the best first, then those that a
 * shorter trial left behind.
 *
 * @param compared the trial that readings were compared in
 * @param others trials on fewer or more tokens
 * @param taken stands first, for approximations may be better by chance
 */
export function everyCandidate(
  compared: CandidateTrial,
  others: readonly CandidateTrial[],
  taken?: Settings,
): Candidate[] {
  const first = taken && compared.lossesOf(taken);
  const found: Candidate[] = [];
  for (const trial of [compared, ...others]) {
    const ownOthers = [compared, ...others].filter(({ tokens }) => tokens !== trial.tokens);
    const isNew = ({ settings }: Tried): boolean =>
      !found.some((one) => isSameSettings(one.settings, settings));
    const sorted = trial.tried
      .filter(isNew)
      .toSorted((a, b) => rankOf(a, first) - rankOf(b, first) || a.mean - b.mean);
    for (const { settings, mean } of sorted) {
      const further = ownOthers.flatMap((other) => {
        const tried = other.lossesOf(settings);
        return tried ? [{ nll: finite(tried.mean), tokens: other.tokens }] : [];
      });
      found.push({ settings, nll: finite(mean), tokens: trial.tokens, further });
    }
  }
  return found;
}

export type CandidateTrial = Pick<Trial, "lossesOf" | "tokens" | "tried">;

function rankOf(tried: Tried, first: Tried | undefined): number {
  return tried === first ? 0 : 1;
}

function finite(mean: number): number | undefined {
  return Number.isFinite(mean) ? mean : undefined;
}

function isSameSettings(one: Settings, other: Settings): boolean {
  const [names, others] = [one, other].map((settings) => Object.keys(settings)) as [
    (keyof Settings)[],
    string[],
  ];
  return names.length === others.length && names.every((name) => one[name] === other[name]);
}
