import { t } from "@vscode/l10n";
import type { Architecture } from "../architecture/description";
import type { OpenSetting, Proposal, Settings } from "../architecture/reading";
import { isPatchEmbedding } from "../architecture/description";
import { likeliest } from "../architecture/reading";
import { CheckpointError } from "../checkpoint/errors";
import type { Executor } from "../engine/executor";
import { attentionFeeds } from "../graph/attention";
import { layerGraph } from "../graph/layer";
import type { Sequence } from "../text/documents";
import { withoutLabels } from "../text/images";
import { Batch } from "./batch";
import { embed } from "./embed";
import { LayerRun } from "./layerRun";
import { negativeLogLikelihoods } from "./likelihood";
import { evaluatedSequences, whyNoLoss } from "./objective";
import type { ReadingSummary } from "./report";

/** A reading whose loss was taken. */
export interface Candidate {
  readonly settings: Settings;
  /** Mean over the predicted tokens, in nats; undefined where it is not finite. */
  readonly nll: number | undefined;
}

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

/** How a checkpoint's reading was settled. */
export interface Settlement {
  readonly architecture: Architecture;
  /** Empty where nothing was open. */
  readonly candidates: readonly Candidate[];
  /** By how much the chosen reading is better than the best of those that compute another thing. */
  readonly margin: number | undefined;
  /** Tokens that the margin was taken on: more than the candidates' where those left it open. */
  readonly tokens: number | undefined;
  /** Open settings that made no clear difference, with the value that was taken. */
  readonly untold: Settings;
}

/**
 * A reading stands when it is better than every other by this many nats, and by as many standard errors
 * of the difference over tokens. Most wrong readings of a trained model lose tenths of a nat; SiLU read as
 * GELU loses about 0.01. Where a model is almost always right, as classifiers of images are, there is
 * little to lose: a share of the loss is enough then.
 */
export const leastMargin = { nats: 0.002, share: 0.1, standardErrors: 3 } as const;

/**
 * A reading must predict better by this share than the frequencies of the tokens before do. Wrong
 * readings come close to those; and on text that is strange to a model, readings that make it less sure
 * of itself (another attention scale) predict better than the true one. A character model read 25%
 * better than frequencies on such text, under a wrong reading, and 60% on its own.
 */
const leastGain = 0.3;

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
}: Architecture): number {
  if (!isPatchEmbedding(embedding)) return tokensCompared;
  const { least, most, products } = imageTokens;
  const perToken = layers.length * hiddenSize * (4 * hiddenSize + 2 * feedForwardSize);
  return Math.min(most, Math.max(least, products / perToken));
}

export interface SettlementOptions {
  /** Bytes that the activations of one run may take. */
  readonly runBytes: number;
  /** Called before each reading is tried, from 1, of how many at least. */
  readonly onCandidate?: (number: number, planned: number) => Promise<void>;
}

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
  proposal: Proposal,
  sequences: readonly Sequence[],
  executor: Executor,
  options: SettlementOptions,
): Promise<Settlement> {
  const { open } = proposal;
  if (open.length === 0) {
    const architecture = proposal.architecture({});
    return { architecture, candidates: [], margin: undefined, tokens: undefined, untold: {} };
  }
  const decisive = open.filter(({ isApproximate }) => !isApproximate);
  const proposed = proposal.architecture({});
  const noLoss = whyNoLoss(withoutLabels(proposed, sequences));
  if (noLoss !== undefined) {
    if (decisive.length > 0) throw unsettled(file, decisive, noLoss);
    const settings = likeliest(proposal);
    return {
      architecture: proposed,
      candidates: [],
      margin: undefined,
      tokens: undefined,
      untold: settings,
    };
  }
  const compared = tokensComparedOf(proposed);
  // Every value of every setting once, varied from one reading; more where that leads on.
  const planned = open.reduce((sum, { values }) => sum + values.length - 1, 1);
  let count = 0;
  const onCandidate = async (): Promise<void> => {
    count++;
    await options.onCandidate?.(count, Math.max(count, planned));
  };
  const trialOn = (tokens: number): Trial =>
    new Trial(proposal, firstSequences(sequences, tokens), executor, { ...options, onCandidate });
  const scout = trialOn(compared * shareScouted);
  const start = await bestArrangement(scout, decisive, likeliest(proposal));
  const every = trialOn(compared);
  let best = await descend(every, decisive, start);
  const together = await bestTogether(every, best, open);
  if (together !== best) best = await descend(every, decisive, together.settings);
  const untold: Record<string, string> = {};
  for (const setting of open.filter(({ isApproximate }) => isApproximate)) {
    if (setting.name === "gelu" && best.settings.activation !== "gelu") continue;
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
  const refuse = (why: string): never => {
    const doubt = proposal.doubt === undefined ? "" : `${proposal.doubt}; and `;
    const candidates = every.candidates();
    throw new UndecidedReadingError(
      `${file}: ${doubt}${why} ${listed(candidates, ofImages)}`,
      candidates.filter(({ nll }) => nll !== undefined),
    );
  };
  const unstated = open.find(({ name, onlyStated }) =>
    onlyStated?.includes(best.settings[name] ?? ""),
  );
  const ofImages = isPatchEmbedding(proposed.embedding);
  const advice = `Give ${ofImages ? "images, normalised as in its training and labelled," : "text"} of the kind it was trained on, or state what is known with --reading KEY=VALUE or in a fathom.json beside the checkpoint.`;
  if (!Number.isFinite(best.mean)) {
    refuse(`under no reading of its tensors is its loss finite. ${advice}`);
  }
  if (unstated) {
    refuse(
      `it predicts best with ${unstated.name}=${best.settings[unstated.name]!}, so something that its tensors do not show is computed in the code. ${advice}`,
    );
  }
  if (best.mean > (1 - leastGain) * trial.frequencyLoss) {
    refuse(
      `under no reading of its tensors does it predict the ${ofImages ? "classes of the images" : "evaluated tokens"} clearly better than the frequencies of those before do (by ${Math.round(100 * leastGain)}% of ${trial.frequencyLoss.toFixed(3)} nats), so none is taken for true. ${advice}`,
    );
  }
  if (ruled && !ruled.isClear) {
    refuse(
      `two readings of its tensors predict alike, ${ruled.margin.toFixed(4)} nats apart: ${settingsText(differing(best.settings, ruled.rival.settings))} or ${settingsText(differing(ruled.rival.settings, best.settings))}. ${advice}`,
    );
  }
  const { settings } = best;
  const architecture = proposal.architecture(settings);
  return {
    architecture: {
      ...architecture,
      scheme: open.some(({ name }) => name === "norm")
        ? {
            ...architecture.scheme,
            source: t("the reading that predicts the evaluated tokens best"),
          }
        : architecture.scheme,
    },
    candidates: every.candidates(best.settings),
    tokens: trial.tokens,
    margin: ruled?.margin,
    untold,
  };
}

function unsettled(file: string, open: readonly OpenSetting[], why: string): CheckpointError {
  const stated = open.map(({ name, values }) => `${name}=${values.join("|")}`).join(", ");
  return new CheckpointError(
    "unsupported",
    `${file}: how it is to be read cannot be told by what it predicts, since ${why}. State it with --reading KEY=VALUE or in a fathom.json beside the checkpoint: ${stated}.`,
  );
}

/** What a report says of how a checkpoint was read. */
export function readingSummary(
  { source, settled }: Proposal,
  { candidates, margin, tokens, untold }: Settlement,
): ReadingSummary {
  return {
    source,
    ...(settled.length > 0 && { settled: settled.map((setting) => ({ ...setting })) }),
    ...(candidates.length > 0 && {
      candidates: candidates.map(({ settings, nll }) => ({
        settings: { ...settings },
        ...(nll !== undefined && { nll }),
      })),
    }),
    ...(margin !== undefined && Number.isFinite(margin) && { margin }),
    ...(tokens !== undefined && { tokens }),
    ...(Object.keys(untold).length > 0 && { untold: Object.keys(untold) }),
  };
}

/** Losses of every token under one reading. */
interface Tried {
  readonly settings: Settings;
  readonly losses: Float64Array;
  readonly mean: number;
}

/** Runs readings, each once. */
class Trial {
  private readonly known = new Map<string, Tried>();

  constructor(
    private readonly proposal: Proposal,
    private readonly sequences: readonly Sequence[],
    private readonly executor: Executor,
    private readonly options: {
      readonly runBytes: number;
      readonly onCandidate: () => Promise<void>;
    },
  ) {}

  get tried(): readonly Tried[] {
    return [...this.known.values()];
  }

  /** Best first, but for the one that is taken where approximations are better by chance. */
  candidates(taken?: Settings): Candidate[] {
    const first = taken && this.known.get(keyOf(taken));
    const rest = this.tried
      .filter((tried) => tried !== first)
      .toSorted((a, b) => (a.mean < b.mean ? -1 : 1));
    return [...(first ? [first] : []), ...rest].map(({ settings, mean }) => ({
      settings,
      nll: Number.isFinite(mean) ? mean : undefined,
    }));
  }

  /** Mean loss, in nats, of guessing each token, or class, by how often it stood among those before it. */
  get frequencyLoss(): number {
    const { vocabularySize } = this.proposal.architecture({});
    const counts = new Map<number, number>();
    let [loss, seen] = [0, 0];
    const targets = this.sequences.flatMap(({ image, tokens }) =>
      image ? [image.label!] : tokens.slice(1),
    );
    for (const token of targets) {
      const count = counts.get(token) ?? 0;
      loss -= Math.log((count + 1) / (seen + vocabularySize));
      counts.set(token, count + 1);
      seen++;
    }
    return loss / seen;
  }

  /** How many are compared on. */
  get tokens(): number {
    return this.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  /** The best of readings that were tried elsewhere. */
  async best(readings: readonly Tried[]): Promise<Tried> {
    const tried: Tried[] = [];
    for (const { settings } of readings) tried.push(await this.losses(settings));
    return tried.reduce((best, one) => (one.mean < best.mean ? one : best));
  }

  async losses(settings: Settings): Promise<Tried> {
    const key = keyOf(settings);
    const known = this.known.get(key);
    if (known) return known;
    await this.options.onCandidate();
    const architecture = this.proposal.architecture(settings);
    const losses = await tokenLosses(architecture, this.sequences, this.executor, this.options);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    const tried = { settings, losses, mean: Number.isFinite(mean) ? mean : Infinity };
    this.known.set(key, tried);
    return tried;
  }
}

function keyOf(settings: Settings): string {
  return JSON.stringify(Object.entries(settings).sort());
}

/** Varies settings one at a time until no change of one is better, or for this many rounds. */
async function descend(
  trial: Trial,
  settings: readonly OpenSetting[],
  start: Settings,
  rounds = Infinity,
): Promise<Tried> {
  let best = await trial.losses(start);
  let isSettled = false;
  for (let round = 0; round < rounds && !isSettled; round++) {
    isSettled = true;
    for (const { name, values } of settings) {
      for (const value of values) {
        const other = await trial.losses({ ...best.settings, [name]: value });
        if (other.mean < best.mean) {
          best = other;
          isSettled = false;
        }
      }
    }
  }
  return best;
}

/** Close rivals whose changes are tried together. */
const rivalsCombined = 6;

/** Two changes that make little difference, one at a time, may be better together. */
async function bestTogether(
  trial: Trial,
  best: Tried,
  open: readonly OpenSetting[],
): Promise<Tried> {
  const changes = rivals(best, trial.tried, open)
    .filter(({ isClear }) => !isClear)
    .slice(0, rivalsCombined)
    .map(({ rival }) => differing(rival.settings, best.settings));
  let found = best;
  for (const [index, one] of changes.entries()) {
    for (const other of changes.slice(index + 1)) {
      const both = await trial.losses({ ...best.settings, ...one, ...other });
      if (both.mean < found.mean) found = both;
    }
  }
  return found;
}

/** The reading to start from: the best that is found shortly from every arrangement of tensors. */
async function bestArrangement(
  scout: Trial,
  settings: readonly OpenSetting[],
  likeliestReading: Settings,
): Promise<Settings> {
  const arrangements = settings
    .filter(({ isArrangement }) => isArrangement)
    .reduce<readonly Settings[]>(
      (all, { name, values }) =>
        all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
      [{}],
    );
  if (arrangements.length === 1) return likeliestReading;
  const others = settings.filter(({ isArrangement }) => !isArrangement);
  const found: Tried[] = [];
  for (const arrangement of arrangements) {
    found.push(await descend(scout, others, { ...likeliestReading, ...arrangement }, 2));
  }
  return found.reduce((best, one) => (one.mean < best.mean ? one : best)).settings;
}

/** The value of a setting that is clearly better than its first; the first where none is. */
async function settleApproximate(
  trial: Trial,
  best: Tried,
  { name, values }: OpenSetting,
): Promise<{ tried: Tried; isClear: boolean }> {
  const [first, ...others] = values as [string, ...string[]];
  let chosen = await trial.losses({ ...best.settings, [name]: first });
  let isClear = false;
  for (const value of others) {
    const other = await trial.losses({ ...best.settings, [name]: value });
    if (other.mean < chosen.mean && compare(other, chosen).isClear) {
      chosen = other;
      isClear = true;
    }
  }
  return { tried: chosen, isClear };
}

/** The readings that compute something else than the best, the nearest first; approximations do not. */
function rivals(
  best: Tried,
  tried: readonly Tried[],
  open: readonly OpenSetting[],
): { rival: Tried; margin: number; isClear: boolean }[] {
  const decisive = open.filter(({ isApproximate }) => !isApproximate).map(({ name }) => name);
  return tried
    .filter(({ settings }) => decisive.some((name) => settings[name] !== best.settings[name]))
    .filter((other) => !isSame(best, other))
    .toSorted((a, b) => a.mean - b.mean)
    .map((rival) => ({ rival, ...compare(best, rival) }));
}

/** Whether two readings come to the same computation, as two rotary pairings of one pair do. */
function isSame(a: Tried, b: Tried): boolean {
  return a.losses.every((loss, at) => Math.abs(loss - b.losses[at]!) < 1e-5);
}

/** How much better the first is, and whether that is beyond chance. */
function compare(better: Tried, worse: Tried): { margin: number; isClear: boolean } {
  if (worse.mean === Infinity) return { margin: Infinity, isClear: better.mean < Infinity };
  const differences = worse.losses.map((loss, at) => loss - better.losses[at]!);
  const margin = worse.mean - better.mean;
  const squares = differences.reduce((sum, value) => sum + (value - margin) ** 2, 0);
  const error = Math.sqrt(squares / (differences.length - 1) / differences.length);
  return {
    margin,
    isClear:
      margin >= Math.min(leastMargin.nats, leastMargin.share * better.mean) &&
      margin >= leastMargin.standardErrors * error,
  };
}

/** Loss of every predicted token, in nats; not finite where the stream is not. */
async function tokenLosses(
  architecture: Architecture,
  sequences: readonly Sequence[],
  executor: Executor,
  { runBytes }: SettlementOptions,
): Promise<Float64Array> {
  const { head, hiddenSize } = architecture;
  if (head === undefined) throw new Error("a reading without a head has no loss to compare");
  const batch = new Batch(evaluatedSequences(sequences, architecture, 0), hiddenSize);
  let stream = await embed(architecture, batch, executor);
  for (const [index, layer] of architecture.layers.entries()) {
    const run = await LayerRun.load(
      layerGraph(layer, hiddenSize, false),
      executor,
      batch,
      { probes: 0, seed: 0, runBytes },
      attentionFeeds(layer.attention.module, batch.length),
      { onWork: () => undefined },
    );
    try {
      stream = (await run.baseline(stream, index)).streams.stream;
    } finally {
      await run.release();
    }
  }
  const [losses] = await negativeLogLikelihoods(
    architecture,
    head,
    batch,
    [stream],
    executor,
    runBytes,
    () => undefined,
  );
  return Float64Array.from(losses!.flatMap((ofSequence) => [...ofSequence]));
}

/** The first sequences, as many as hold the tokens that are compared, the last cut; images are whole. */
function firstSequences(sequences: readonly Sequence[], most: number): Sequence[] {
  const chosen: Sequence[] = [];
  let left = most;
  for (const sequence of sequences) {
    const { document, tokens, image } = sequence;
    if (image) {
      // One image may always be compared.
      if (chosen.length > 0 && left < tokens.length) break;
      chosen.push(sequence);
      left -= tokens.length;
      continue;
    }
    if (left < 2) break;
    const some = tokens.slice(0, left);
    if (some.length < 2) continue;
    chosen.push({ document, tokens: some });
    left -= some.length;
  }
  return chosen;
}

/** The settings in which one differs from another. */
function differing(settings: Settings, other: Settings): Settings {
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
const readingsListed = 6;

function listed(candidates: readonly Candidate[], ofImages: boolean): string {
  const some = candidates
    .slice(0, readingsListed)
    .map(({ settings, nll }) => `${settingsText(settings)}: ${nll?.toFixed(4) ?? "not finite"}`);
  const more =
    candidates.length > readingsListed ? `; and ${candidates.length - readingsListed} more` : "";
  return `Readings and their losses in nats ${ofImages ? "an image" : "a token"}: ${some.join("; ")}${more}.`;
}
