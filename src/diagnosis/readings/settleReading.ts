import { t } from "@vscode/l10n";
import type { Architecture } from "../../architecture/description";
import { isPatchEmbedding } from "../../architecture/description";
import type {
  OpenSetting,
  Proposal,
  SettingName,
  SettledSetting,
  Settings,
} from "../../architecture/reading";
import { likeliest } from "../../architecture/reading";
import { CheckpointError } from "../../checkpoint/errors";
import type { Executor } from "../../engine/executor";
import type { Sequence } from "../../text/documents";
import { withoutLabels } from "../../text/images";
import { whyNoLoss } from "../objective";
import { whyNotBelieved } from "./belief";
import { everyCandidate } from "./candidates";
import { comparable } from "./comparable";
import { rivals } from "./margin";
import { settlementNotices } from "./notices";
import type { Found } from "./searchReadings";
import { searchReadings } from "./searchReadings";
import { firstSequences, inPieces, Trial } from "./trial";
import type { Unshown } from "./unshown";
import { unshown, unshownWindow } from "./unshown";
import type { Candidate } from "./undecided";
import { differing, listed, settingsText, UndecidedReadingError } from "./undecided";

/**
 * Settles what a proposal leaves open by evidence: the reading under which the model predicts the
 * evaluated tokens best.
 *
 * @param file what is read, for messages
 * @param sequences text to compare on; up to `mostTokensCompared` tokens are of use
 * @throws UndecidedReadingError listing the readings and their losses where none is clearly the best
 * @throws CheckpointError where there is no loss to compare, and something must be told by it
 */
export async function settleReading(
  file: string,
  proposed: Proposal,
  sequences: readonly Sequence[],
  executor: Executor,
  options: SettlementOptions,
): Promise<Settlement> {
  const proposal = comparable(proposed);
  const { open } = proposal;
  if (open.length === 0) return settledWithoutTrial(proposal, {});
  const likeliestArchitecture = proposal.architecture({});
  const noLoss = whyNoLoss(withoutLabels(likeliestArchitecture, sequences));
  if (noLoss !== undefined) {
    const decisive = open.filter(({ isApproximate }) => !isApproximate);
    if (decisive.length > 0) {
      throw unsettled(file, decisive, noLoss, lacksMask(likeliestArchitecture));
    }
    return settledWithoutTrial(proposal, likeliest(proposal));
  }
  // Every value of every setting once, varied from one reading; more where that leads on.
  const planned = open.reduce((sum, { values }) => sum + values.length - 1, 1);
  let count = 0;
  const onCandidate = async (): Promise<void> => {
    count++;
    await options.onCandidate?.(count, Math.max(count, planned));
  };
  const trialOn = (tokens: number, longest = Infinity): Trial => {
    const some = firstSequences(inPieces(sequences, longest), tokens);
    return new Trial(proposal, some, executor, { ...options, onCandidate });
  };
  const found = await searchReadings(proposal, trialOn);
  const doubt = await whyDoubted(proposal, found);
  if (doubt !== undefined) throw undecided(file, proposal, found, doubt);
  const { every, best } = found;
  const window = await unshownWindow(every, best.settings, open);
  return settledBy(proposal, found, window);
}

/** Why the best reading that was found cannot be taken; undefined where it can. */
async function whyDoubted(
  { open, architecture }: Proposal,
  { best, every, short, last }: Found,
): Promise<string | undefined> {
  const isOfImages = isPatchEmbedding(architecture({}).embedding);
  if (!Number.isFinite(best.mean)) return `under no reading of its tensors is its loss finite.`;
  const unstated = open.find(({ name, onlyStated }) =>
    onlyStated?.includes(best.settings[name] ?? ""),
  );
  if (unstated) {
    return `it predicts best with ${unstated.name}=${best.settings[unstated.name]!}, so something that its tensors do not show is computed in the code.`;
  }
  // Of as many tokens always: what is guessed from those before is better the more there are.
  const ofEvery = await every.losses(best.settings);
  const disbelief = whyNotBelieved(ofEvery, every.baselines, isOfImages);
  if (disbelief !== undefined) return disbelief;
  const change = isOfImages ? undefined : await unshown(short, best.settings, open);
  if (change) {
    return `it predicts better still ${change.what}, by ${change.saved.toFixed(4)} nats, so something that its tensors do not show is computed in the code.`;
  }
  const [ruled] = rivals(best, last.tried, open);
  if (!ruled || ruled.isClear) return undefined;
  const [own, other] = [best.settings, ruled.rival.settings];
  return `two readings of its tensors predict alike, ${ruled.margin.toFixed(4)} nats apart: ${settingsText(differing(own, other))} or ${settingsText(differing(other, own))}.`;
}

function undecided(
  file: string,
  proposal: Proposal,
  { every }: Found,
  why: string,
): UndecidedReadingError {
  const isOfImages = isPatchEmbedding(proposal.architecture({}).embedding);
  const needed = isOfImages ? "images, normalised as in its training and labelled," : "text";
  const advice = `Give ${needed} of the kind it was trained on, or state what is known with --reading KEY=VALUE or in a fathom.json beside the checkpoint.`;
  const doubt = proposal.doubt === undefined ? "" : `${proposal.doubt}; and `;
  const untried = proposal.untried === undefined ? "" : `And ${proposal.untried}. `;
  const candidates = everyCandidate(every, []);
  return new UndecidedReadingError(
    `${file}: ${doubt}${why} ${listed(candidates, proposal.open, isOfImages)} ${untried}${advice}`,
    candidates.filter(({ nll }) => nll !== undefined),
  );
}

function settledBy(
  { open, settled, architecture }: Proposal,
  { best: { settings }, best, every, last, others, untold }: Found,
  window: Unshown | undefined,
): Settlement {
  const read = architecture(settings);
  const notices = settlementNotices(open, settings, isPatchEmbedding(read.embedding), window);
  const source = t("the reading that predicts the evaluated tokens best");
  const isOfNorms = open.some(({ name }) => name === "norm");
  return {
    architecture: {
      ...read,
      scheme: isOfNorms ? { ...read.scheme, source } : read.scheme,
      ...(notices.length > 0 && { notices: [...(read.notices ?? []), ...notices] }),
    },
    settled,
    candidates: everyCandidate(every, others, settings),
    tokens: last.tokens,
    margin: rivals(best, last.tried, open)[0]?.margin,
    untold,
  };
}

/** @param usual what is taken of the settings that are open, with nothing to tell them by */
function settledWithoutTrial({ settled, architecture }: Proposal, usual: Settings): Settlement {
  const by = t("the usual, since nothing tells it");
  const taken = Object.entries(usual) as [SettingName, string][];
  return {
    architecture: architecture({}),
    settled: [...settled, ...taken.map(([name, value]) => ({ name, value, by }))],
    candidates: [],
    margin: undefined,
    tokens: undefined,
    untold: {},
  };
}

/** How a checkpoint's reading was settled. */
export interface Settlement {
  readonly architecture: Architecture;
  /** What was settled without evaluating anything. */
  readonly settled: readonly SettledSetting[];
  /** Empty where nothing was open. */
  readonly candidates: readonly Candidate[];
  /** By how much the chosen reading is better than the best of those that compute another thing. */
  readonly margin: number | undefined;
  /** Tokens that the margin was taken on: more than were compared at first where those left it open. */
  readonly tokens: number | undefined;
  /** Open settings that made no clear difference, with the value that was taken. */
  readonly untold: Settings;
}

export interface SettlementOptions {
  /** Bytes that the activations of one run may take. */
  readonly runBytes: number;
  /** Called before each reading is tried, from 1, of how many at least. */
  readonly onCandidate?: (number: number, planned: number) => Promise<void>;
}

/** Whether its loss could be measured if only a token were stated. */
function lacksMask({ head, objective }: Architecture): boolean {
  return (
    head !== undefined && objective.kind === "masked-token" && objective.maskToken === undefined
  );
}

function unsettled(
  file: string,
  open: readonly OpenSetting[],
  why: string,
  mayBeMasked: boolean,
): CheckpointError {
  const way = mayBeMasked ? "State mask-token=ID, or else all of what follows," : "State it";
  const stated = open.map(({ name, values }) => `${name}=${values.join("|")}`).join(", ");
  return new CheckpointError(
    "unsupported",
    `${file}: how it is to be read cannot be told by what it predicts, since ${why}. ${way} with --reading KEY=VALUE or in a fathom.json beside the checkpoint: ${stated}.`,
  );
}
