import type { Settings } from "../../architecture/reading";
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
}

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
const readingsListed = 12;

export function listed(candidates: readonly Candidate[]): string {
  const some = candidates
    .slice(0, readingsListed)
    .map(({ settings, nll }) => `${settingsText(settings)}: ${nll?.toFixed(4) ?? "not finite"}`);
  const more =
    candidates.length > readingsListed ? `; and ${candidates.length - readingsListed} more` : "";
  return `Readings and their losses in nats a token: ${some.join("; ")}${more}.`;
}
