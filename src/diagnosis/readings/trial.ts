import type { Architecture } from "../../architecture/description";
import type { Proposal, Settings } from "../../architecture/reading";
import { withoutIdle } from "../../architecture/reading";
import type { Executor } from "../../engine/executor";
import { attentionFeeds } from "../../graph/attentionFeeds";
import { layerGraph } from "../../graph/layer";
import type { Sequence } from "../../text/documents";
import { Batch } from "../batch";
import { embed } from "../embed";
import { encoderMemory } from "../encoderMemory";
import { LayerRun } from "../layerRun";
import { expectedLikelihoods } from "../likelihood";
import { evaluatedSequences } from "../objective";
import type { Baselines } from "./baselines";
import { baselines } from "./baselines";

/** Losses of every token under one reading. */
export interface Tried {
  readonly settings: Settings;
  readonly losses: Float64Array;
  readonly mean: number;
  /** What the reading's own probabilities expect the mean to be: their entropy. */
  readonly expected: number;
}

/** Runs readings, each once. */
export class Trial {
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

  /** The losses of a reading where it has been tried. */
  lossesOf(settings: Settings): Tried | undefined {
    return this.known.get(keyOf(settings));
  }

  /** What guessing without the model loses. */
  get baselines(): Baselines {
    return baselines(this.sequences, this.proposal.architecture({}).vocabularySize);
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

  /** Tokens of the longest sequence. */
  get longest(): number {
    return Math.max(...this.sequences.map(({ tokens }) => tokens.length));
  }

  /** The losses of a reading after a change of what it computes; undefined where there is none to make. */
  async lossesOfChange(
    settings: Settings,
    change: (architecture: Architecture) => Architecture | undefined,
  ): Promise<Tried | undefined> {
    const architecture = change(this.proposal.architecture(settings));
    if (architecture === undefined) return undefined;
    await this.options.onCandidate();
    return this.run(settings, architecture);
  }

  async losses(reading: Settings): Promise<Tried> {
    const settings = withoutIdle(this.proposal.open, reading);
    const key = keyOf(settings);
    const known = this.known.get(key);
    if (known) return known;
    await this.options.onCandidate();
    const tried = await this.run(settings, this.proposal.architecture(settings));
    this.known.set(key, tried);
    return tried;
  }

  private async run(settings: Settings, architecture: Architecture): Promise<Tried> {
    const found = await tokenLosses(architecture, this.sequences, this.executor, this.options);
    const mean = meanOf(found.losses);
    return {
      settings,
      losses: found.losses,
      mean: Number.isFinite(mean) ? mean : Infinity,
      expected: meanOf(found.entropies),
    };
  }
}

function keyOf(settings: Settings): string {
  return JSON.stringify(Object.entries(settings).sort());
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Loss of every predicted token and its expectation, in nats; not finite where the stream is not. */
async function tokenLosses(
  architecture: Architecture,
  sequences: readonly Sequence[],
  executor: Executor,
  { runBytes }: { readonly runBytes: number },
): Promise<{ losses: Float64Array; entropies: Float64Array }> {
  const { head, hiddenSize } = architecture;
  if (head === undefined) throw new Error("a reading without a head has no loss to compare");
  const evaluated = evaluatedSequences(sequences, architecture, 0);
  const options = { probes: 0, seed: 0, runBytes };
  const memory =
    architecture.encoder &&
    (await encoderMemory(architecture.encoder, evaluated, executor, options, unobserved));
  const batch = new Batch(evaluated, hiddenSize, memory);
  let stream = await embed(architecture, batch, executor);
  for (const [index, layer] of architecture.layers.entries()) {
    const run = await LayerRun.load(
      layerGraph(layer, hiddenSize, false),
      executor,
      batch,
      options,
      attentionFeeds(layer.attention.module, batch.length),
      unobserved,
    );
    try {
      stream = (await run.baseline(stream, index)).streams.stream;
    } finally {
      await run.release();
    }
  }
  const { losses, entropies } = await expectedLikelihoods(
    architecture,
    head,
    batch,
    [stream],
    executor,
    runBytes,
    unobserved.onWork,
  );
  const joined = ([ofStream]: Float64Array[][]): Float64Array =>
    Float64Array.from(ofStream!.flatMap((ofSequence) => [...ofSequence]));
  return { losses: joined(losses), entropies: joined(entropies) };
}

const unobserved = { onWork: () => undefined };

/** The first sequences, as many as hold the tokens that are compared, the last cut; images are whole. */
export function firstSequences(sequences: readonly Sequence[], most: number): Sequence[] {
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

/** Sequences of text cut into pieces of so many tokens; images are whole. */
export function inPieces(sequences: readonly Sequence[], longest: number): readonly Sequence[] {
  return sequences.flatMap((sequence) => {
    const { document, tokens, image } = sequence;
    if (image || tokens.length <= longest) return [sequence];
    return Array.from({ length: Math.ceil(tokens.length / longest) }, (_, piece) => ({
      document,
      tokens: tokens.slice(piece * longest, (piece + 1) * longest),
    }));
  });
}
