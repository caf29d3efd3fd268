import type { Proposal } from "../../architecture/reading";
import type { ReadingSummary } from "../report";
import type { Settlement } from "./settleReading";
import type { FurtherTrial } from "./undecided";

/** What a report says of how a checkpoint was read. */
export function readingSummary(
  { source }: Proposal,
  { settled, candidates, margin, tokens, untold }: Settlement,
): ReadingSummary {
  return {
    source,
    ...(settled.length > 0 && { settled: settled.map((setting) => ({ ...setting })) }),
    ...(candidates.length > 0 && {
      candidates: candidates.map(({ settings, further, ...trial }) => ({
        settings: { ...settings },
        ...trialSummary(trial),
        ...(further.length > 0 && { further: further.map(trialSummary) }),
      })),
    }),
    ...(margin !== undefined && Number.isFinite(margin) && { margin }),
    ...(tokens !== undefined && { tokens }),
    ...(Object.keys(untold).length > 0 && { untold: Object.keys(untold) }),
  };
}

function trialSummary({ nll, tokens }: FurtherTrial): { nll?: number; tokens: number } {
  return { ...(nll !== undefined && { nll }), tokens };
}
