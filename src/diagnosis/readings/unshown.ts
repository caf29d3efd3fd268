import type { Architecture, Attention, Norm, Rotary } from "../../architecture/description";
import { isPatchEmbedding } from "../../architecture/description";
import type { OpenSetting, SettingName, Settings } from "../../architecture/reading";
import { compare } from "./margin";
import { combinations } from "./search";
import type { Trial } from "./trial";
import { differing, settingsText } from "./undecided";

/**
 * What code may compute beside what is read, without a tensor that shows it. A model is trained until no
 * change of its weights helps, and these come to such changes: under the true reading none of them predicts
 * better, however short the training was, and where one does, the reading is not the true one.
 */
interface Change {
  /** In words that go on "it predicts better still". */
  readonly what: string;
  /** The setting that would say of it; where that is not open, somebody has said so. */
  readonly of: SettingName;
  readonly leastShare?: number;
  /**
   * It is tried under every value of these, since without it a wrong one may be the best: a rotation the
   * other way is read as one of other pairs, and of other heads.
   */
  readonly underEach?: readonly SettingName[];
  /** Undefined where it says nothing of a model. */
  readonly apply: (architecture: Architecture) => Architecture | undefined;
}

/**
 * Share of the loss that a change must save. Of character models under their true readings none saved any
 * on text of their kind, from 80 steps of training on; on text that was strange to them halved attention
 * scores saved up to 0.9%. Wrong readings lost 3% and more.
 */
const leastShare = 0.02;

/** Of a window, which may help a model that was trained on shorter sequences, or little: up to 1% there. */
const leastShareOfWindow = 0.05;

/**
 * Of other logits, which help every model that is too sure of a text strange to it; a factor of two that
 * the code has, and the reading lacks, costs far more.
 */
const leastShareOfLogits = 0.1;

/** A change, in words that go on "it predicts better", and what it saves in nats a token. */
export interface Unshown {
  readonly what: string;
  readonly saved: number;
}

/** The change under which a reading predicts clearly better, the best of them; undefined where none does. */
export function unshown(
  trial: Trial,
  settings: Settings,
  open: readonly OpenSetting[],
): Promise<Unshown | undefined> {
  return bestOf([...changes(trial.longest), ...windows(trial.longest)], trial, settings, open);
}

/** The same of windows alone, which help beyond the length of its training too. */
export function unshownWindow(
  trial: Trial,
  settings: Settings,
  open: readonly OpenSetting[],
): Promise<Unshown | undefined> {
  return bestOf(windows(trial.longest), trial, settings, open);
}

async function bestOf(
  all: readonly Change[],
  trial: Trial,
  settings: Settings,
  open: readonly OpenSetting[],
): Promise<Unshown | undefined> {
  const best = await trial.losses(settings);
  let found: Unshown | undefined;
  for (const { what, of, apply, underEach = [], leastShare: least = leastShare } of all) {
    if (!open.some(({ name }) => name === of)) continue;
    for (const values of combinations(open.filter(({ name }) => underEach.includes(name)))) {
      const reading = { ...settings, ...values };
      const changed = await trial.lossesOfChange(reading, apply);
      if (changed === undefined) continue;
      const saved = best.mean - changed.mean;
      if (saved < Math.max(least * best.mean, found?.saved ?? 0)) continue;
      if (!compare(changed, best).isClear) continue;
      const besides = settingsText(differing(reading, settings));
      found = { what: besides === "" ? what : `${what} and ${besides}`, saved };
    }
  }
  return found;
}

/** @param longest tokens of the longest sequence that is compared on */
function windows(longest: number): readonly Change[] {
  return [2, 4, 8]
    .map((part) => Math.floor(longest / part))
    .filter((size) => size > 1)
    .map((window) => ({
      what: `with an attention to the latest ${window} tokens only`,
      leastShare: leastShareOfWindow,
      of: "scale",
      apply: ofAttention((module) =>
        module.window === undefined && !module.isBidirectional ? { ...module, window } : undefined,
      ),
    }));
}

/** @param longest tokens of the longest sequence that is compared on */
function changes(longest: number): readonly Change[] {
  const factors = [0.5, 2];
  return [
    ...factors.map((factor) => ({
      what: `with its attention scores multiplied by ${factor}`,
      of: "scale" as const,
      apply: ofAttention((module) => ({ ...module, scale: module.scale * factor })),
    })),
    ...factors.map((factor) => ({
      what: `with what its sublayers add multiplied by ${factor}`,
      of: "norm" as const,
      apply: ofBranches(factor),
    })),
    ...factors.map((factor) => ({
      what: `with its embedding of tokens multiplied by ${factor}`,
      of: "embedding-scale" as const,
      apply: (architecture: Architecture) =>
        ofEmbedding(architecture, ({ scale, ...rest }) => ({ ...rest, scale: scale * factor })),
    })),
    ...factors.map((factor) => ({
      what: `with its logits multiplied by ${factor}`,
      leastShare: leastShareOfLogits,
      of: "embedding-scale" as const,
      apply: ({ head, ...rest }: Architecture) =>
        head && { ...rest, head: { ...head, scale: head.scale * factor } },
    })),
    {
      what: "with norms of its queries and keys",
      of: "scale",
      apply: ofAttention((module) =>
        module.queryNorm ? undefined : { ...module, queryNorm: bareNorm, keyNorm: bareNorm },
      ),
    },
    ...[2, 4].map((part) => ({
      what: `with rotary positions of 1/${part} of each head's channels only`,
      of: "rotary" as const,
      underEach: ["rotary"] as const,
      apply: ofRotary(({ inverseFrequencies, ...rest }) => ({
        ...rest,
        inverseFrequencies: inverseFrequencies.filter((_, pair) => pair % part === 0),
      })),
    })),
    {
      what: "with rotary positions that turn the other way",
      of: "rotary",
      underEach: ["heads", "rotary"],
      apply: ofRotary(({ inverseFrequencies, ...rest }) => ({
        ...rest,
        inverseFrequencies: inverseFrequencies.map((frequency) => -frequency),
      })),
    },
    ...[1, 2].map((offset) => ({
      what: `with its table of positions read from row ${offset} on`,
      of: "embedding-scale" as const,
      apply: (architecture: Architecture) =>
        ofEmbedding(architecture, ({ positions, ...rest }) =>
          positions && positions.table.shape[0]! >= longest + offset
            ? { ...rest, positions: { ...positions, offset } }
            : undefined,
        ),
    })),
  ];
}

const bareNorm: Norm = {
  kind: "rms",
  path: "",
  weight: undefined,
  weightOffset: 0,
  bias: undefined,
  epsilon: 1e-6,
  groups: 1,
};

function ofAttention(
  change: (module: Attention) => Attention | undefined,
): (architecture: Architecture) => Architecture | undefined {
  return (architecture) => {
    const layers = architecture.layers.map((layer) => {
      const module = change(layer.attention.module);
      return module && { ...layer, attention: { ...layer.attention, module } };
    });
    const whole = layers.filter((layer) => layer !== undefined);
    return whole.length === layers.length ? { ...architecture, layers: whole } : undefined;
  };
}

function ofRotary(change: (rotary: Rotary) => Rotary): Change["apply"] {
  return ofAttention(({ rotary, ...rest }) =>
    rotary && !rotary.acrossHeads && rotary.inverseFrequencies.length > 1
      ? { ...rest, rotary: change(rotary) }
      : undefined,
  );
}

function ofBranches(factor: number): Change["apply"] {
  return (architecture) => {
    const isOfNumbers = architecture.layers.every(
      ({ attention, feedForward }) =>
        typeof attention.branchScale === "number" && typeof feedForward.branchScale === "number",
    );
    if (!isOfNumbers) return undefined;
    const scaled = <Part extends { readonly branchScale: unknown }>(part: Part): Part => ({
      ...part,
      branchScale: (part.branchScale as number) * factor,
    });
    return {
      ...architecture,
      layers: architecture.layers.map((layer) => ({
        ...layer,
        attention: scaled(layer.attention),
        feedForward: scaled(layer.feedForward),
      })),
    };
  };
}

type TokenEmbedding = Exclude<Architecture["embedding"], { readonly patches: unknown }>;

function ofEmbedding(
  architecture: Architecture,
  change: (embedding: TokenEmbedding) => TokenEmbedding | undefined,
): Architecture | undefined {
  if (isPatchEmbedding(architecture.embedding)) return undefined;
  const embedding = change(architecture.embedding);
  return embedding && { ...architecture, embedding };
}
