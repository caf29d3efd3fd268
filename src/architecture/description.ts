import type { TensorEntry } from "../checkpoint/checkpoint";
import { isTensorEntry } from "../checkpoint/checkpoint";
import type { SchemeName } from "./schemes";
import type { Sines } from "./sines";

/**
 * What a checkpoint computes, as data: a stack of layers that read and write one residual stream.
 * The graph room turns each part into a graph; nothing here depends on how it is run.
 */
export interface Architecture {
  /** Name of the family file that described it, for example `llama`. */
  readonly family: string;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly feedForwardSize: number;
  readonly vocabularySize: number;
  /** Longest sequence the model was built for, in tokens; undefined where the config states none. */
  readonly contextLength: number | undefined;
  readonly scheme: {
    readonly name: SchemeName;
    /** How it was settled, in words. */
    readonly source: string;
    /** What the checkpoint states, where the user asked for another. */
    readonly overruled?: SchemeName;
  };
  readonly embedding: Embedding | PatchEmbedding;
  readonly layers: readonly LayerDescription[];
  /** Which stack the layers are, of a model that has two. */
  readonly stack?: Stack;
  /** What the layers' cross-attention reads; left out where they have none. */
  readonly encoder?: Encoder;
  /** Of the last layer's output; undefined where the layers end in norms of their own. */
  readonly finalNorm: Norm | undefined;
  /** Undefined when the checkpoint holds the stack alone, without a language-model head. */
  readonly head: Head | undefined;
  /** Why there is no head, where it is not that the checkpoint holds the stack alone. */
  readonly whyNoHead?: string;
  readonly objective: Objective;
  /** LayerNorm Scaling's factors as buffers of the checkpoint state them; `verifyCopies` compares them. */
  readonly statedScales?: readonly { readonly tensor: TensorEntry; readonly scale: number }[];
  /** What a person should know of how the checkpoint was read, in sentences. */
  readonly notices?: readonly string[];
}

export const stacks = ["encoder", "decoder"] as const;
export type Stack = (typeof stacks)[number];

export function isStack(name: string): name is Stack {
  return stacks.some((stack) => stack === name);
}

/**
 * The stack whose output, after its norm, a decoder attends to. It is of the decoder's hidden size, and
 * constant: nothing that is done to the decoder's stream changes it.
 */
export type Encoder = Pick<Architecture, "embedding" | "layers" | "finalNorm" | "hiddenSize">;

/** What the head was trained to tell. */
export type Objective =
  | { readonly kind: "next-token" }
  | SpanCorruption
  /** Tokens hidden by a mask; the token that hides them is undefined where nothing states it. */
  | { readonly kind: "masked-token"; readonly maskToken: number | undefined }
  /** The class of an image, from the state of its first token, or of many where they are pooled. */
  | { readonly kind: "class"; readonly pooling?: MeanPooling };

/**
 * T5's pre-training (arXiv 1910.10683): the encoder reads a document in which sentinels stand for spans,
 * and the decoder tells the spans, each after its sentinel.
 */
export interface SpanCorruption {
  readonly kind: "span-corruption";
  /** Token of the first span; each further one has the token before. */
  readonly firstSentinel: number;
  /** What the decoder reads first, and what ends both its target and what the encoder reads. */
  readonly startToken: number;
  readonly endToken: number;
}

/** The mean of the states of an image's tokens, which a head reads instead of the first token's. */
export interface MeanPooling {
  /** How many tokens at the front it leaves out. */
  readonly after: number;
  /** Whether the final norm is of every token's state, before the mean, instead of the mean's. */
  readonly isOfNormed: boolean;
}

/**
 * x_0 = projection(norm(tokenProjection(scale · tokens[id]) + positions[place + offset] + sines(place) +
 * segment)), what is undefined left out.
 */
export interface Embedding {
  /** Token embedding [vocabulary, size]; the size is the hidden size where there is no projection. */
  readonly tokens: TensorEntry;
  readonly scale: number;
  /** Of the tokens alone (OPT). */
  readonly tokenProjection: Linear | undefined;
  /**
   * Learned positions [places, size]; a sequence begins at row `offset`. A token that is `uncounted` has the
   * row before that, and positions go on after it as if it were not there.
   */
  readonly positions:
    | { readonly table: TensorEntry; readonly offset: number; readonly uncounted?: number }
    | undefined;
  /** Positions that are computed, of the hidden size; left out where there are none. */
  readonly sines?: Sines;
  /** Added to every token [1, size]: the first kind of segment. */
  readonly segment: TensorEntry | undefined;
  readonly norm: Norm | undefined;
  readonly projection: Linear | undefined;
}

/**
 * Of an image cut into patches (arXiv 2010.11929), a patch being its channels one after another, each row
 * by row: x_0 = norm([first tokens, patchNorm(pixelNorm(patches) Wᵀ + b)] + positions).
 */
export interface PatchEmbedding {
  /** Weight [hidden, channels × height × width of a patch]. */
  readonly patches: Linear;
  /** Left out: none. */
  readonly pixelNorm?: Norm;
  readonly patchNorm?: Norm;
  /** What stands before the patches, each [1, hidden]: the class token, and others. */
  readonly firstTokens: readonly TensorEntry[];
  /** [first tokens and patches, hidden]; where there are fewer rows, the last of the first tokens have none. */
  readonly positions: TensorEntry;
  readonly norm: Norm | undefined;
  readonly image: ImageSize;
  /** Rows and columns of pixels in a patch. */
  readonly patch: readonly [number, number];
}

/** Sizes of the images that a model reads, in pixels. */
export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** How many tokens an image is: what stands before its patches, and these. */
export function tokensOfImage({ firstTokens, image, patch }: PatchEmbedding): number {
  return firstTokens.length + (image.height / patch[0]) * (image.width / patch[1]);
}

export function isPatchEmbedding(
  embedding: Architecture["embedding"],
): embedding is PatchEmbedding {
  return "patches" in embedding;
}

/** Attention, in decoders of two stacks cross-attention, then feed-forward, each a sublayer of its own. */
export interface LayerDescription {
  /** Module path, for example `model.layers.7`. */
  readonly path: string;
  readonly attention: Sublayer<Attention>;
  /** Its keys and values are of the encoder's output; left out where there is none. */
  readonly crossAttention?: Sublayer<Attention>;
  readonly feedForward: Sublayer<FeedForward | MixtureOfExperts>;
  /** Whether the feed-forward reads the layer's input instead of the stream after the attention. */
  readonly isParallel: boolean;
}

/** A layer's sublayers in the order in which they act on the stream. */
export const sublayerNames = ["attention", "crossAttention", "feedForward"] as const;
export type SublayerName = (typeof sublayerNames)[number];

/** Those that a layer has. */
export function sublayersOf(layer: LayerDescription): SublayerName[] {
  return sublayerNames.filter((name) => layer[name] !== undefined);
}

/**
 * One step of the residual stream, what is undefined being left out:
 *
 *     x ↦ sumNorm(streamScale ⊙ x + branchScale ⊙ branchNorm(module(inputScale · inputNorm(x))))
 */
export interface Sublayer<Module> {
  readonly inputNorm: Norm | undefined;
  readonly inputScale: number;
  readonly module: Module;
  readonly branchNorm: Norm | undefined;
  readonly branchScale: Factor;
  readonly streamScale: Factor;
  readonly sumNorm: Norm | undefined;
}

/** A number, or a vector [hidden] that the checkpoint holds. */
export type Factor = number | TensorEntry;

/**
 * (weight + offset) ⊙ (x − mean) / √(mean (x − mean)² + ε) + bias, the means taken over equal groups of
 * channels; without the means of x where the kind is `rms` (arXiv 1910.07467). Where it is `sample`, x − mean
 * is divided by √(Σ (x − mean)² / (channels − 1)) + ε, as The Annotated Transformer has it.
 */
export interface Norm {
  readonly kind: "rms" | "layer" | "sample";
  /** Module path, for example `model.layers.7.input_layernorm`. */
  readonly path: string;
  /** Weight [size]; undefined: 1. */
  readonly weight: TensorEntry | undefined;
  /** Added to the weight: 1 where a checkpoint stores how far it is from 1, as Gemma's do. */
  readonly weightOffset: number;
  /** Bias [size]; undefined: 0. */
  readonly bias: TensorEntry | undefined;
  readonly epsilon: number;
  /** How many groups of channels have means of their own. */
  readonly groups: number;
}

/** x Wᵀ + b; weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: TensorEntry;
  readonly bias: TensorEntry | undefined;
}

/** Self-attention with grouped key and value heads (arXiv 2305.13245). */
export interface Attention {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Channels of a head's queries and keys. */
  readonly headSize: number;
  /** Channels of a head's values. */
  readonly valueSize: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** What the query, the key and the value project instead of the stream; undefined: the stream. */
  readonly latent: Latent | undefined;
  /** Queries, keys and values are clamped to ± this as they are projected (MPT, OLMo). */
  readonly clip: number | undefined;
  /** Norms of queries and keys before the rotation, over each head (Qwen3) or all of them (OLMo 2). */
  readonly queryNorm: Norm | undefined;
  readonly keyNorm: Norm | undefined;
  readonly normsSpan: "head" | "heads";
  /** Instead of these, a norm for each head, alike but for their weights and without biases (StableLM). */
  readonly headNorms:
    { readonly query: readonly Norm[]; readonly key: readonly Norm[] } | undefined;
  /** Undefined where positions are told in another way. */
  readonly rotary: Rotary | undefined;
  /** ALiBi's slope of each head (arXiv 2108.12409): slope · (key position − query position) is added. */
  readonly slopes: readonly number[] | undefined;
  /**
   * Falcon's form of it adds factor · (slope · key position), slope and product rounded to bfloat16, the
   * factor being this; undefined: it is not rounded.
   */
  readonly roundedSlopeFactor: number | undefined;
  /** T5's table of what is added to the scores by distance; left out where there is none. */
  readonly relativeBias?: RelativeBias;
  /** Factor on the scores, usually 1/√headSize. */
  readonly scale: number;
  /** Scores s become cap · tanh(s / cap) (Gemma 2). */
  readonly softcap: number | undefined;
  /** Whether a token may attend to later ones. */
  readonly isBidirectional: boolean;
  /** Number of latest tokens a token may attend to, itself included; undefined: all before it. */
  readonly window: number | undefined;
}

/**
 * Multi-head latent attention (arXiv 2405.04434): queries, keys and values are projected from vectors of
 * few channels. Each head's query ends in the channels that are rotated, as many as `rotary` turns. The
 * attention's `key` and `value` are one projection of the latent: of each head the key, then the value.
 */
export interface Latent {
  /** Queries are query(norm(down x)); undefined: query(x). */
  readonly query: { readonly down: Linear; readonly norm: Norm } | undefined;
  /** Gives the latent of keys and values, then the rotated channels that end every head's key. */
  readonly down: Linear;
  /** Channels of that latent. */
  readonly rank: number;
  readonly norm: Norm;
}

/**
 * What is added to the scores by how far a key is from the query, in buckets that widen with the
 * distance (T5, arXiv 1910.10683).
 */
export interface RelativeBias {
  /** [buckets, heads] */
  readonly table: TensorEntry;
  /** From here on all distances share a bucket. */
  readonly maximumDistance: number;
}

/** Rotary position embedding (arXiv 2104.09864) of each head's first channels, two for each frequency. */
export interface Rotary {
  /** Angle per position of each pair of channels. */
  readonly inverseFrequencies: readonly number[];
  /** Which channels are a pair: c and c + pairs (GPT-NeoX), or 2c and 2c + 1 (GPT-J). */
  readonly pairing: "halves" | "neighbours";
  /** Factor on what is rotated: above 1 where a stretched context calls for it (YaRN, arXiv 2309.00071). */
  readonly magnitude: number;
  /**
   * Where the channels of all heads are turned as one row, before they are told apart: the angles of the
   * keys' row, which is shorter where queries share a key. Left out: each head is turned by itself.
   */
  readonly acrossHeads?: { readonly keyFrequencies: readonly number[] };
}

export type Activation = "silu" | "gelu" | "gelu_tanh" | "quick_gelu" | "relu" | "squared_relu";

/** down(activation(gate x) ⊙ up x) (arXiv 2002.05202); without a gate down(activation(up x)). */
export interface FeedForward {
  readonly gate: Linear | undefined;
  readonly up: Linear;
  readonly down: Linear;
  readonly activation: Activation;
}

/**
 * Mixture of experts (arXiv 2101.03961): Σ weight · expert(x) over the experts that the router chooses
 * for a token, + σ(gate x) · shared(x). Which experts are chosen is constant around almost every x.
 */
export interface MixtureOfExperts {
  readonly router: Router;
  readonly experts: readonly FeedForward[];
  /** An expert that every token goes through; its output is not weighted where there is no gate. */
  readonly shared: { readonly expert: FeedForward; readonly gate: Linear | undefined } | undefined;
}

/** How a token's experts are chosen and weighted: by scores f(x Wᵀ + b). */
export interface Router {
  /** [experts, hidden] */
  readonly projection: Linear;
  readonly scores: "softmax" | "sigmoid";
  /** Added to the scores for the choice, not for the weights [experts] (arXiv 2408.15664). */
  readonly choiceBias: TensorEntry | undefined;
  /** How many experts are chosen: those with the greatest scores. */
  readonly chosen: number;
  /** Which experts may be chosen: those of the best of equal groups; undefined: any. */
  readonly groups: ExpertGroups | undefined;
  /** Whether the weights are the chosen scores divided by their sum, instead of the scores. */
  readonly isNormalised: boolean;
  /** Factor on the weights. */
  readonly scale: number;
}

export interface ExpertGroups {
  readonly count: number;
  readonly chosen: number;
  /** A group is as good as the sum of its this many greatest scores. */
  readonly judgedBy: number;
}

/** Whether a layer's feed-forward is a mixture of experts. */
export function isMixture(module: FeedForward | MixtureOfExperts): module is MixtureOfExperts {
  return "router" in module;
}

/** Logits are cap · tanh(scale · (transform(x) Wᵀ + b) / cap), what is undefined left out. */
export interface Head {
  /** [vocabulary, size]; the token embedding itself when tied. */
  readonly weight: TensorEntry;
  readonly bias: TensorEntry | undefined;
  readonly tied: boolean;
  /** What a checkpoint with a tied head stores under the head's name too; `verifyCopies` compares it. */
  readonly copy?: TensorEntry;
  /** The same of the bias, which some checkpoints store under two names. */
  readonly biasCopy?: TensorEntry;
  readonly scale: number;
  readonly softcap: number | undefined;
  /** What a head may do first: norm(activation(dense x)). */
  readonly transform: HeadTransform | undefined;
  /** A second head, of the token after: logits are the mean of both (DeiT, arXiv 2012.12877). */
  readonly besides?: Linear;
}

export interface HeadTransform {
  readonly dense: Linear;
  readonly activation: Activation | undefined;
  readonly norm: Norm | undefined;
}

/** An embedding of tokens alone. */
export function plainEmbedding(tokens: TensorEntry): Embedding {
  return {
    tokens,
    scale: 1,
    tokenProjection: undefined,
    positions: undefined,
    segment: undefined,
    norm: undefined,
    projection: undefined,
  };
}

/** A head of its own weight alone. */
export function plainHead(weight: TensorEntry): Head {
  return {
    weight,
    bias: undefined,
    tied: false,
    scale: 1,
    softcap: undefined,
    transform: undefined,
  };
}

/** Every tensor that a description, or a part of one, computes with, each once. */
export function tensorsOf(description: unknown): TensorEntry[] {
  const found = new Set<TensorEntry>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (isTensorEntry(value)) found.add(value);
    else Object.values(value).forEach(visit);
  };
  visit(description);
  return [...found];
}
