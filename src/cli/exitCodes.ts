import type { Failure } from "../protocol/messages";

/** What the process ends with, by why there is no report; 0 is done. Other tools rely on them. */
export const exitCodes = {
  usage: 2,
  checkpoint: 3,
  run: 4,
  device: 4,
  killed: 4,
  interrupted: 130,
} as const satisfies Record<Failure["reason"], number>;
