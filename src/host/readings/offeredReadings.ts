/** Readings as they are offered to choose from. */
import type { ReadingCandidate } from "../../diagnosis/report";
import type { ChosenSettings } from "./chosenReadings";

/** A reading as it is offered. */
export interface OfferedReading {
  /** What sets it apart: of the best one what is in question, of the others in what they differ. */
  readonly label: string;
  readonly candidate: ReadingCandidate;
}

/**
 * Readings with what tells them from one another, in their order; those that were compared with the first,
 * for losses on other tokens are no measure beside its.
 */
export function offeredReadings(tried: readonly ReadingCandidate[]): OfferedReading[] {
  const [best] = tried;
  if (best === undefined) return [];
  const candidates = tried.filter(({ tokens }) => tokens === best.tokens);
  const inQuestion = Object.keys(best.settings).filter((name) =>
    candidates.some(({ settings }) => settings[name] !== best.settings[name]),
  );
  return candidates.map((candidate) => {
    const names =
      candidate === best
        ? inQuestion
        : inQuestion.filter((name) => candidate.settings[name] !== best.settings[name]);
    return {
      label: names.map((name) => `${name}=${candidate.settings[name] ?? ""}`).join(", "),
      candidate,
    };
  });
}

/** All settings of a reading: `heads=4, norm=post-ln`. */
export function settingsText(settings: ChosenSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
