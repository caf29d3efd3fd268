import type { OpenSetting, Settings } from "../../architecture/reading";
import { CheckpointError } from "../../checkpoint/errors";

/** The evidence does not tell how a checkpoint is to be read; a person may. */
export class UndecidedReadingError extends CheckpointError {
  constructor(
    message: string,
    /** The best first; only those under which the loss is finite. */
    readonly candidates: readonly Candidate[],
  ) {
    super("unsupported", message);
  }
}

/** A reading whose loss was taken. */
export interface Candidate {
  readonly settings: Settings;
  /** Mean over the predicted tokens, in nats; undefined where it is not finite. */
  readonly nll: number | undefined;
  /** Tokens that it was tried on. */
  readonly tokens: number;
  /** The same of trials on other tokens: shorter ones that led to it, longer ones that decided. */
  readonly further: readonly FurtherTrial[];
}

/** What a message says of one. */
type ListedCandidate = Pick<Candidate, "settings" | "nll">;

export type FurtherTrial = Pick<Candidate, "nll" | "tokens">;

/** The settings in which one differs from another. */
export function differing(settings: Settings, other: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => other[name as keyof Settings] !== value),
  );
}

/** For messages: `heads=4, norm=post-ln`. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

/** Readings that a message lists; a report has them all. */
const readingsListed = 5;

/**
 * The best readings in what they differ, with their losses: of the first what is in question, of each
 * other what it has instead. Readings that differ in approximations alone are one.
 */
export function listed(
  candidates: readonly ListedCandidate[],
  open: readonly OpenSetting[],
  isOfImages = false,
): string {
  const decisive = open.filter(({ isApproximate }) => !isApproximate).map(({ name }) => name);
  const decided = ({ settings, nll }: ListedCandidate): ListedCandidate => ({
    settings: Object.fromEntries(
      Object.entries(settings).filter(([name]) => decisive.some((known) => known === name)),
    ),
    nll,
  });
  const distinct = new Map<string, ListedCandidate>();
  for (const candidate of candidates.map(decided)) {
    const key = settingsText(candidate.settings);
    if (!distinct.has(key)) distinct.set(key, candidate);
  }
  const [best, ...others] = [...distinct.values()].slice(0, readingsListed);
  if (best === undefined) return "";
  const inQuestion = Object.fromEntries(
    Object.entries(best.settings).filter(([name, value]) =>
      others.some(({ settings }) => settings[name as keyof Settings] !== value),
    ),
  );
  const loss = ({ nll }: Pick<Candidate, "nll">): string => nll?.toFixed(4) ?? "not finite";
  const texts = [
    `${settingsText(others.length > 0 ? inQuestion : best.settings)}: ${loss(best)}`,
    ...others.map(
      (other) => `${settingsText(differing(other.settings, best.settings))}: ${loss(other)}`,
    ),
  ];
  const left = distinct.size - readingsListed;
  const more = left > 0 ? `; and ${left} more` : "";
  return `The best readings, in what they differ, and their losses in nats ${isOfImages ? "an image" : "a token"}: ${texts.join("; ")}${more}.`;
}
