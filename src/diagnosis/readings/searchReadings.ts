import type { Proposal, Settings } from "../../architecture/reading";
import { likeliest } from "../../architecture/reading";
import { rivals } from "./margin";
import {
  bestArrangement,
  bestBranch,
  bestTogether,
  descend,
  refined,
  settleApproximate,
} from "./search";
import { shareScouted, shortSequence, timesMore, tokensComparedOf } from "./tokensCompared";
import type { Trial, Tried } from "./trial";

/** The reading under which a model predicts best, and the trials that found it. */
export interface Found {
  readonly best: Tried;
  /** Of all readings, on as many tokens. */
  readonly every: Trial;
  /** Of short sequences, whatever was given: beyond those of its training a model may do better otherwise. */
  readonly short: Trial;
  /** Of the best and what comes close: `every`, or a longer one where that left it open. */
  readonly last: Trial;
  /** On fewer and more tokens than `every`. */
  readonly others: readonly Trial[];
  /** Open settings that made no clear difference, with the value that was taken. */
  readonly untold: Settings;
}

/**
 * Looks for the best reading. Settings are varied one at a time, again and again until no change of one is
 * better: from the likeliest reading, or from the best arrangement of stored tensors where that is open.
 *
 * @param trialOn makes a trial on the first so many tokens, in sequences of no more than `longest`
 */
export async function searchReadings(
  proposal: Proposal,
  trialOn: (tokens: number, longest?: number) => Trial,
): Promise<Found> {
  const { open } = proposal;
  const decisive = open.filter(({ isApproximate }) => !isApproximate);
  const compared = tokensComparedOf(proposal.architecture({}));
  const scout = trialOn(compared * shareScouted);
  const arranged = await bestArrangement(scout, decisive, likeliest(proposal));
  const start = await bestBranch(scout, decisive, arranged);
  const every = trialOn(compared);
  let best = await descend(every, decisive, start);
  const together = await bestTogether(every, best, open);
  if (together !== best) best = await descend(every, decisive, together.settings);
  // On fewer tokens than any reading is compared on, so that a report tells the two apart.
  const short = trialOn(every.tokens / 2, shortSequence);
  for (const setting of open.filter(({ isContinuous }) => isContinuous)) {
    if (best.settings[setting.name] === undefined) continue;
    const known = await short.losses(best.settings);
    const closer = await refined(short, known, setting);
    if (closer !== known) best = await descend(every, decisive, closer.settings);
  }
  const untold: Record<string, string> = {};
  for (const setting of open.filter(({ isApproximate }) => isApproximate)) {
    if (best.settings[setting.name] === undefined) continue;
    const found = await settleApproximate(every, best, setting);
    best = found.tried;
    if (!found.isClear) untold[setting.name] = best.settings[setting.name]!;
  }
  const others = [scout, short];
  let last = every;
  const unclear = (): Tried[] =>
    rivals(best, last.tried, open)
      .filter(({ isClear }) => !isClear)
      .map(({ rival }) => rival);
  for (let times = 2; times <= timesMore && unclear().length > 0; times *= 2) {
    const longer = trialOn(times * compared);
    others.push(longer);
    if (longer.tokens === last.tokens) break;
    best = await longer.best([best, ...unclear()]);
    last = longer;
  }
  return { best, every, short, last, others, untold };
}
