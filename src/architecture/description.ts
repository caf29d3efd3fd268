import type { TensorEntry } from "../checkpoint/checkpoint";
import { isTensorEntry } from "../checkpoint/checkpoint";
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
  /** Of the last layer's output; undefined where the layers end in norms of their own. */
  readonly finalNorm: Norm | undefined;
  /** Undefined when the checkpoint holds the stack alone, without a language-model head. */
  readonly head: Head | undefined;
}

/** Attention, then feed-forward, each a sublayer of its own. */
export interface LayerDescription {
  /** Module path, for example `model.layers.7`. */
  readonly path: string;
  readonly attention: Sublayer<Attention>;
  readonly feedForward: Sublayer<FeedForward>;
  /** Whether the feed-forward reads the layer's input instead of the stream after the attention. */
  readonly isParallel: boolean;
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
 * weight ⊙ (x − mean) / √(mean (x − mean)² + ε) + bias, the means taken over equal groups of channels;
 * without the means of x where the kind is `rms` (arXiv 1910.07467).
 */
export interface Norm {
  readonly kind: "rms" | "layer";
  /** Module path, for example `model.layers.7.input_layernorm`. */
  readonly path: string;
  /** Weight [size]; undefined: 1. */
  readonly weight: TensorEntry | undefined;
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
