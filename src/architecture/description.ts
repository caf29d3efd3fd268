import type { TensorEntry } from "../checkpoint/checkpoint";
import type { SchemeName } from "./schemes";

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
  /** Token embedding [vocabulary, hidden]. */
  readonly embedding: TensorEntry;
  readonly layers: readonly LayerDescription[];
  readonly finalNorm: Norm;
  /** Undefined when the checkpoint holds the stack alone, without a language-model head. */
  readonly head: Head | undefined;
}

/** x ↦ x + attention(x), then x ↦ x + feedForward(x), each with its norm where the scheme puts it. */
export interface LayerDescription {
  /** Module path, for example `model.layers.7`. */
  readonly path: string;
  readonly attention: Sublayer<Attention>;
  readonly feedForward: Sublayer<FeedForward>;
}

export interface Sublayer<Module> {
  readonly norm: Norm;
  readonly placement: NormPlacement;
  readonly module: Module;
}

/** Where a sublayer's norm stands: `input` is x + f(scale · norm(x)). */
export interface NormPlacement {
  readonly at: "input";
  /** Factor on the norm's output. */
  readonly scale: number;
}

/** Root mean square norm: weight ⊙ x / √(mean x² + ε) (arXiv 1910.07467). */
export interface Norm {
  readonly kind: "rms";
  /** Weight [size]. */
  readonly weight: TensorEntry;
  readonly epsilon: number;
}

/** x Wᵀ + b; weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: TensorEntry;
  readonly bias: TensorEntry | undefined;
}

/** Causal self-attention with grouped key and value heads (arXiv 2305.13245). */
export interface Attention {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Norms over the channels of each head, before the rotation (Qwen3). */
  readonly queryNorm: Norm | undefined;
  readonly keyNorm: Norm | undefined;
  readonly rotary: Rotary;
  /** Number of latest tokens a token may attend to, itself included; undefined: all before it. */
  readonly window: number | undefined;
}

/** Rotary position embedding on half-split pairs (arXiv 2104.09864, pairing of GPT-NeoX). */
export interface Rotary {
  /** Angle per position of each pair of channels: headSize / 2 numbers. */
  readonly inverseFrequencies: readonly number[];
}

export type Activation = "silu" | "gelu" | "gelu_tanh";

/** down(activation(gate x) ⊙ up x) (arXiv 2002.05202). */
export interface FeedForward {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
  readonly activation: Activation;
}

/** Logits are x Wᵀ; weight [vocabulary, hidden], the token embedding itself when tied. */
export interface Head {
  readonly weight: TensorEntry;
  readonly tied: boolean;
  /** What a checkpoint with a tied head stores under the head's name too; `verifyCopies` compares it. */
  readonly copy?: TensorEntry;
}

/** Every tensor a layer computes with. */
export function tensorsOf(layer: LayerDescription): TensorEntry[] {
  const { attention, feedForward } = layer;
  const { query, key, value, output, queryNorm, keyNorm } = attention.module;
  const { gate, up, down } = feedForward.module;
  const norms = [attention.norm, queryNorm, keyNorm, feedForward.norm];
  const linears = [query, key, value, output, gate, up, down];
  return [
    ...norms.map((norm) => norm?.weight),
    ...linears.flatMap(({ weight, bias }) => [weight, bias]),
  ].filter((tensor) => tensor !== undefined);
}
