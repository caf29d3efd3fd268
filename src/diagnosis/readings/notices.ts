import { t } from "@vscode/l10n";
import type { OpenSetting, Settings } from "../../architecture/reading";
import type { Unshown } from "./unshown";

/** What a person should know of a reading that was settled by what it predicts, in sentences. */
export function settlementNotices(
  open: readonly OpenSetting[],
  settings: Settings,
  isOfImages: boolean,
  window: Unshown | undefined,
): readonly string[] {
  const isMemoryTold = open.some(({ name }) => name === "memory");
  return [
    ...(isOfImages ? [normalisationNotice()] : []),
    ...(isMemoryTold && settings.memory === "zeros" ? [memoryNotice()] : []),
    ...(window ? [windowNotice(window)] : []),
  ];
}

/** Nothing in a checkpoint says how its images were prepared, and it changes which reading is best. */
function normalisationNotice(): string {
  return t(
    "How the model is read was settled on images normalised as given; where training normalised them otherwise, another reading may have predicted best.",
  );
}

/** Without the encoder that a decoder was trained beside, zeros may be the best memory that is left. */
function memoryNotice(): string {
  return t(
    "The layers attend to a memory that the checkpoint does not hold. Of those that can be tried zeros predict best, but another one, such as the output of an encoder that is saved elsewhere, cannot be excluded; state memory to settle it.",
  );
}

/** Either the figures are of another computation than the code's, or of a length the model cannot do. */
function windowNotice({ what, saved }: Unshown): string {
  return t(
    "It predicts better {0}, by {1} nats: either its code has such a window, which is not computed, or it was trained on shorter sequences than these; then evaluate it on such (--sequence-length).",
    what,
    saved.toFixed(2),
  );
}
