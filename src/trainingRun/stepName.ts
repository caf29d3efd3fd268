/** Which step of training a checkpoint's name states. */
import { isTemporaryName, withoutWeightExtension } from "../checkpoint/weightFiles";

/**
 * The step in the name of a checkpoint's folder or weight file: 1000 of `checkpoint-1000`,
 * `step_1000`, `model_1000.pt`, `global_step1000`, `iter_0001000`, `epoch=3-step=1000`
 * and `1000`. An epoch counts as a step where nothing else is stated. Undefined where a name states
 * none, as `llama-7b` and `best` do, or is that of something half-written (`tmp-checkpoint-1000`).
 */
export function stepOfName(name: string): number | undefined {
  if (isTemporaryName(name)) return undefined;
  const stem = withoutWeightExtension(name);
  const digits =
    words.exec(stem)?.[1] ?? epochs.exec(stem)?.[1] ?? /^(\d+)$/.exec(stem)?.[1] ?? undefined;
  if (digits === undefined) return undefined;
  const step = Number(digits);
  return Number.isSafeInteger(step) ? step : undefined;
}

/**
 * The words that training code puts before a step. The number ends the name, or is followed by what
 * is not a size: `checkpoint-1000` and `step_1000_ema`, but not `model_7b` or `model-00001-of-00003`.
 */
const words =
  /(?:^|[-_.=])(?:checkpoint|ckpt|chkpt|global_?step|update_?step|steps?|iteration|iter|it|model|ba)[-_=]?(\d+)(?![\da-z]|-of-\d)/i;
const epochs = /(?:^|[-_.=])(?:epoch|ep)[-_=]?(\d+)(?![\da-z]|-of-\d)/i;
