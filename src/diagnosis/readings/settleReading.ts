import { t } from "@vscode/l10n";
import type { Architecture } from "../../architecture/description";
import { isPatchEmbedding } from "../../architecture/description";
import type { OpenSetting, Proposal, SettledSetting, Settings } from "../../architecture/reading";
import { likeliest } from "../../architecture/reading";
import { CheckpointError } from "../../checkpoint/errors";
import type { Executor } from "../../engine/executor";
import type { Sequence } from "../../text/documents";
import { withoutLabels } from "../../text/images";
import { whyNoLoss } from "../objective";
import type { ReadingSummary } from "../report";
import { whyNotBelieved } from "./belief";
import { everyCandidate } from "./candidates";
import { comparable } from "./comparable";
import { rivals } from "./margin";
import { settlementNotices } from "./notices";
import {
  bestArrangement,
  bestBranch,
  bestTogether,
  descend,
  refined,
  settleApproximate,
} from "./search";
import type { Tried } from "./trial";
import { firstSequences, Trial } from "./trial";
import { unshown } from "./unshown";
import type { Candidate, FurtherTrial } from "./undecided";
import { differing, listed, settingsText, UndecidedReadingError } from "./undecided";

/**
 * Settles what a proposal leaves open by evidence: the reading under which the model predicts the
 * evaluated tokens best. Settings are varied one at a time, again and again until no change of one is
 * better: from the likeliest reading, or from the best arrangement of stored tensors where that is open.
 *
 * @param file what is read, for messages
 * @param sequences text to compare on; up to `mostTokensCompared` tokens are of use
 * @throws UndecidedReadingError listing the readings and their losses where none is clearly the best
 */
export async function settleReading(
  file: string,
  proposed: Proposal,
  sequences: readonly Sequence[],
  executor: Executor,
  options: SettlementOptions,
): Promise<Settlement> {
  const proposal = comparable(proposed);
  const { open, settled } = proposal;
  if (open.length === 0) {
    const architecture = proposal.architecture({});
    return {
      architecture,
      settled,
      candidates: [],
      margin: undefined,
      tokens: undefined,
      untold: {},
    };
  }
  const decisive = open.filter(({ isApproximate }) => !isApproximate);
  const likeliestArchitecture = proposal.architecture({});
  const noLoss = whyNoLoss(withoutLabels(likeliestArchitecture, sequences));
  if (noLoss !== undefined) {
    if (decisive.length > 0)
      throw unsettled(file, decisive, noLoss, lacksMask(likeliestArchitecture));
    const settings = likeliest(proposal);
    return {
      architecture: likeliestArchitecture,
      settled,
      candidates: [],
      margin: undefined,
      tokens: undefined,
      untold: settings,
    };
  }
  const compared = tokensComparedOf(likeliestArchitecture);
  // Every value of every setting once, varied from one reading; more where that leads on.
  const planned = open.reduce((sum, { values }) => sum + values.length - 1, 1);
  let count = 0;
  const onCandidate = async (): Promise<void> => {
    count++;
    await options.onCandidate?.(count, Math.max(count, planned));
  };
  const trials: Trial[] = [];
  const trialOn = (tokens: number): Trial => {
    const some = firstSequences(sequences, tokens);
    const trial = new Trial(proposal, some, executor, { ...options, onCandidate });
    trials.push(trial);
    return trial;
  };
  const scout = trialOn(compared * shareScouted);
  const arranged = await bestArrangement(scout, decisive, likeliest(proposal));
  const start = await bestBranch(scout, decisive, arranged);
  const every = trialOn(compared);
  let best = await descend(every, decisive, start);
  const together = await bestTogether(every, best, open);
  if (together !== best) best = await descend(every, decisive, together.settings);
  for (const setting of open.filter(({ isContinuous }) => isContinuous)) {
    if (best.settings[setting.name] === undefined) continue;
    const closer = await refined(every, best, setting);
    if (closer !== best) best = await descend(every, decisive, closer.settings);
  }
  const untold: Record<string, string> = {};
  for (const setting of open.filter(({ isApproximate }) => isApproximate)) {
    if (best.settings[setting.name] === undefined) continue;
    const found = await settleApproximate(every, best, setting);
    best = found.tried;
    if (!found.isClear) untold[setting.name] = best.settings[setting.name]!;
  }
  const unclear = (): Tried[] =>
    rivals(best, trial.tried, open)
      .filter(({ isClear }) => !isClear)
      .map(({ rival }) => rival);
  let trial = every;
  for (let times = 2; times <= timesMore && unclear().length > 0; times *= 2) {
    const longer = trialOn(times * compared);
    if (longer.tokens === trial.tokens) break;
    best = await longer.best([best, ...unclear()]);
    trial = longer;
  }
  const [ruled] = rivals(best, trial.tried, open);
  const isOfImages = isPatchEmbedding(likeliestArchitecture.embedding);
  const needed = isOfImages ? "images, normalised as in its training and labelled," : "text";
  const advice = `Give ${needed} of the kind it was trained on, or state what is known with --reading KEY=VALUE or in a fathom.json beside the checkpoint.`;
  const refuse = (why: string): never => {
    const doubt = proposal.doubt === undefined ? "" : `${proposal.doubt}; and `;
    const untried = proposal.untried === undefined ? "" : `And ${proposal.untried}. `;
    const candidates = everyCandidate(every, []);
    throw new UndecidedReadingError(
      `${file}: ${doubt}${why} ${listed(candidates, open, isOfImages)} ${untried}${advice}`,
      candidates.filter(({ nll }) => nll !== undefined),
    );
  };
  const unstated = open.find(({ name, onlyStated }) =>
    onlyStated?.includes(best.settings[name] ?? ""),
  );
  if (!Number.isFinite(best.mean)) {
    refuse(`under no reading of its tensors is its loss finite.`);
  }
  if (unstated) {
    refuse(
      `it predicts best with ${unstated.name}=${best.settings[unstated.name]!}, so something that its tensors do not show is computed in the code.`,
    );
  }
  const disbelief = whyNotBelieved(
    // Of as many tokens always: what is guessed from those before is better the more there are.
    await every.losses(best.settings),
    every.baselines,
    isOfImages,
  );
  if (disbelief !== undefined) refuse(disbelief);
  if (ruled && !ruled.isClear) {
    refuse(
      `two readings of its tensors predict alike, ${ruled.margin.toFixed(4)} nats apart: ${settingsText(differing(best.settings, ruled.rival.settings))} or ${settingsText(differing(ruled.rival.settings, best.settings))}.`,
    );
  }
  const other = isOfImages
    ? undefined
    : await unshown(every, await every.losses(best.settings), open);
  if (other !== undefined) {
    refuse(
      `it predicts better still ${other.what}, with ${other.mean.toFixed(4)} nats, so something that its tensors do not show is computed in the code.`,
    );
  }
  const { settings } = best;
  const architecture = proposal.architecture(settings);
  const notices = settlementNotices(open, settings, isOfImages);
  return {
    architecture: {
      ...architecture,
      scheme: open.some(({ name }) => name === "norm")
        ? {
            ...architecture.scheme,
            source: t("the reading that predicts the evaluated tokens best"),
          }
        : architecture.scheme,
      ...(notices.length > 0 && { notices: [...(architecture.notices ?? []), ...notices] }),
    },
    settled,
    candidates: everyCandidate(
      every,
      trials.filter((one) => one !== every),
      best.settings,
    ),
    tokens: trial.tokens,
    margin: ruled?.margin,
    untold,
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

/** Tokens that readings are compared on: enough for margins of hundredths of a nat. */
const tokensCompared = 2048;

/** How many times as many tokens close readings are compared on, where there is as much text. */
const timesMore = 8;
export const mostTokensCompared = timesMore * tokensCompared;

/** Share of them that tells a wrong arrangement of stored tensors, which costs whole nats. */
const shareScouted = 1 / 4;

/**
 * Of an image only its class is asked, so that thousands are needed where readings differ little: as many
 * tokens as a reading can be tried on in seconds, within these limits.
 */
const imageTokens = {
  least: 4 * tokensCompared,
  most: 64 * tokensCompared,
  products: 5e11,
} as const;

function tokensComparedOf({
  embedding,
  layers,
  hiddenSize,
  feedForwardSize,
  objective,
}: Architecture): number {
  // Of masked tokens few are told.
  if (objective.kind === "masked-token") return 4 * tokensCompared;
  if (!isPatchEmbedding(embedding)) return tokensCompared;
  const { least, most, products } = imageTokens;
  const perToken = layers.length * hiddenSize * (4 * hiddenSize + 2 * feedForwardSize);
  return Math.min(most, Math.max(least, products / perToken));
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

function trialSummary({ nll, tokens }: FurtherTrial): { nll?: number; tokens: number } {
  return { ...(nll !== undefined && { nll }), tokens };
}

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
