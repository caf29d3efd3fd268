import { t } from "@vscode/l10n";
import type * as z from "zod";
import type { Checkpoint, TensorEntry } from "../checkpoint/checkpoint";
import { partOfGroups, reshaped, transposed } from "../checkpoint/views";
import { configError, parseConfig } from "./config";
import type {
  Activation,
  Architecture,
  Attention,
  FeedForward,
  Head,
  Linear,
  Norm,
} from "./description";
import { plainHead } from "./description";
import { withNormGroups } from "./normGroups";
import { statedNormKind } from "./settleScheme";
import { TensorDirectory } from "./tensorDirectory";

/** Sizes of axes with what states each, for messages: `{ hidden_size: 64 }`. */
export type Sizes = Readonly<Record<string, number>>;

/** What a norm of a family is like, apart from where it stands. */
export interface NormKind {
  readonly kind: Norm["kind"];
  readonly epsilon: number;
  /** Whether it has a weight; left out: it has. */
  readonly hasWeight?: boolean;
  /** Whether it has a bias; left out: a `layer` norm with a weight has one. */
  readonly hasBias?: boolean;
  readonly weightOffset?: number;
}

/** How a linear is stored. */
export interface LinearLayout {
  /** Left out: it has one. */
  readonly hasBias?: boolean;
  /** Whether the checkpoint stores [input, output], as GPT-2's Conv1D does. */
  readonly isTransposed?: boolean;
}

/**
 * What a family file reads a checkpoint with: the keys of its config.json and its tensors, each checked
 * as it is taken. Every error names the file, the key or the tensor, what was found and expected.
 */
export class FamilyReader {
  readonly tensors: TensorDirectory;
  private whyNoHead: string | undefined;

  constructor(
    readonly family: string,
    readonly checkpoint: Checkpoint,
    readonly config: NonNullable<Checkpoint["config"]>,
  ) {
    this.tensors = new TensorDirectory(checkpoint);
  }

  /** The config's keys as a schema has them. @throws CheckpointError naming the first that does not fit */
  parse<Schema extends z.ZodType>(schema: Schema): z.infer<Schema> {
    return parseConfig(this.config, schema);
  }

  /** An error about a key of the config, to be thrown. */
  refusal(key: string, value: unknown, expectation: string): Error {
    return configError(this.config, key, value, expectation);
  }

  /** @throws CheckpointError when a key has another value than the only one that is supported */
  requireOnly(key: string, supported: unknown): void {
    const value = this.config.value[key];
    if (value === undefined || value === null || value === supported) return;
    throw this.refusal(key, value, `supported is only ${JSON.stringify(supported)}`);
  }

  /** @throws CheckpointError when a key of an object in the config has another value than the only one */
  requireOnlyIn(part: string, supported: Readonly<Record<string, unknown>>): void {
    const stated = (this.config.value[part] ?? {}) as Readonly<Record<string, unknown>>;
    for (const [key, only] of Object.entries(supported)) {
      const value = stated[key];
      if (value === undefined || value === null || value === only) continue;
      throw this.refusal(`${part}.${key}`, value, `supported is only ${JSON.stringify(only)}`);
    }
  }

  /** @param name an activation as Hugging Face calls it, the value of `key` */
  activation(key: string, name: string): Activation {
    const activation = activations.get(name);
    if (activation !== undefined) return activation;
    throw this.refusal(key, name, `supported are ${[...activations.keys()].join(", ")}`);
  }

  /** How many experts a token goes through. @throws CheckpointError when there are not as many */
  expertsPerToken(key: string, chosen: number, count: Sizes): number {
    const [[stated, all]] = Object.entries(count) as [[string, number]];
    if (chosen <= all) return chosen;
    throw this.refusal(key, chosen, `it may not exceed ${stated}, ${all}`);
  }

  /** @throws CheckpointError when the hidden size does not fall into this many heads */
  headSize(key: string, heads: number, hiddenSize: number): number {
    if (hiddenSize % heads === 0) return hiddenSize / heads;
    throw this.refusal(key, heads, `it must divide the hidden size, ${hiddenSize}`);
  }

  /** @throws CheckpointError when the key and value heads are not each shared by equally many heads */
  requireGroups(key: string, keyValueHeads: number, heads: number): void {
    if (heads % keyValueHeads === 0) return;
    throw this.refusal(key, keyValueHeads, `it must divide num_attention_heads, ${heads}`);
  }

  /** Takes `path.weight` [output, input], and `path.bias` [output] where it has one. */
  linear(
    path: string,
    output: Sizes,
    input: Sizes,
    { hasBias = true, isTransposed = false }: LinearLayout = {},
  ): Linear {
    const weight = isTransposed
      ? transposed(this.tensors.take(`${path}.weight`, input, output))
      : this.tensors.take(`${path}.weight`, output, input);
    return { weight, bias: hasBias ? this.tensors.take(`${path}.bias`, output) : undefined };
  }

  /** Takes a feed-forward of two linears, by their module paths (see `linear`). */
  feedForward(
    { up, down }: { readonly up: string; readonly down: string },
    inner: Sizes,
    hidden: Sizes,
    activation: Activation,
    layout: LinearLayout = {},
  ): FeedForward {
    return {
      gate: undefined,
      up: this.linear(up, inner, hidden, layout),
      down: this.linear(down, hidden, inner, layout),
      activation,
    };
  }

  /** Takes the norm at a module path, which may hold nothing. */
  norm(path: string, size: Sizes, norm: NormKind): Norm {
    const { kind, epsilon, hasWeight = true, weightOffset = 0 } = norm;
    const { hasBias = hasWeight && kind === "layer" } = norm;
    // Checkpoints that were converted from TensorFlow have its names.
    const isOld = this.tensors.has(`${path}.gamma`);
    const weightName = isOld ? "gamma" : "weight";
    return {
      kind,
      path,
      weight: hasWeight ? this.tensors.take(`${path}.${weightName}`, size) : undefined,
      weightOffset,
      bias: hasBias ? this.tensors.take(`${path}.${isOld ? "beta" : "bias"}`, size) : undefined,
      epsilon,
      groups: 1,
    };
  }

  /**
   * The language-model head: its own weight, the embedding where the config ties them, or none.
   *
   * @param head.isTied what the config says, or the family's default
   * @param head.isExpected whether the names of other tensors show that the model had one
   * @param head.bias name of its bias [vocabulary]; undefined: it has none
   */
  head(
    name: string,
    embedding: TensorEntry,
    vocabulary: Sizes,
    {
      isTied,
      isExpected,
      bias: biasName,
    }: { readonly isTied: boolean; readonly isExpected: boolean; readonly bias?: string },
  ): Head | undefined {
    const isStored = this.tensors.has(name);
    this.tensors.ignore(headsBeside);
    if (this.tensors.ignore(headsInstead) > 0 && !isStored) {
      this.whyNoHead = t("the checkpoint's head is of another task and tells no tokens");
      return undefined;
    }
    if (!isTied && !isStored && !isExpected) return undefined;
    const [[key, rows]] = Object.entries(vocabulary) as [[string, number]];
    const bias = biasName === undefined ? undefined : this.tensors.take(biasName, { [key]: rows });
    if (!isTied) return { ...plainHead(this.tensors.take(name, vocabulary)), bias };
    const tied = { ...plainHead(embedding), bias, tied: true };
    // Some checkpoints store the tied weight twice.
    return isStored ? { ...tied, copy: this.tensors.take(name, vocabulary) } : tied;
  }

  /**
   * LayerNorm Scaling's factors that training code stored as buffers, with what they must be.
   *
   * @param pattern matches their names, and the layer's index as a group
   */
  scalesOfLayers(pattern: RegExp): NonNullable<Architecture["statedScales"]> {
    return this.tensors.named(pattern).map(([name, layer]) => ({
      tensor: this.tensors.takeNumber(name),
      scale: 1 / Math.sqrt(Number(layer) + 1),
    }));
  }

  /** The description, once every tensor has been taken. @throws CheckpointError when one is left */
  finish(
    architecture: Omit<Architecture, "family" | "objective"> &
      Partial<Pick<Architecture, "objective">>,
  ): Architecture {
    this.tensors.requireAllTaken(this.family);
    this.requireNormKind(architecture.layers);
    const whole: Architecture = {
      family: this.family,
      objective: { kind: "next-token" },
      ...(this.whyNoHead !== undefined && { whyNoHead: this.whyNoHead }),
      ...architecture,
    };
    return architecture.scheme.name === "group-ln"
      ? withNormGroups(whole, this.normGroups(architecture.hiddenSize))
      : whole;
  }

  /** @throws CheckpointError when the config states another kind of norm than the family's code has */
  private requireNormKind(layers: Architecture["layers"]): void {
    const stated = statedNormKind(this.config.value);
    const { inputNorm, branchNorm, sumNorm } = layers[0]!.attention;
    const norm = inputNorm ?? branchNorm ?? sumNorm;
    if (stated === undefined || norm === undefined || stated.kind === norm.kind) return;
    const own = norm.kind === "rms" ? "RMSNorm" : "LayerNorm";
    throw this.refusal(stated.key, stated.value, `the norms of this family are ${own}`);
  }

  /** Groups of channels that Group-LN's norms take their means over. */
  private normGroups(hiddenSize: number): number {
    const groups = this.config.value["norm_groups"];
    if (typeof groups !== "number" || !Number.isInteger(groups) || groups < 1) {
      throw this.refusal("norm_groups", groups, "expected the number of groups of channels");
    }
    if (hiddenSize % groups !== 0) {
      throw this.refusal("norm_groups", groups, `it must divide the hidden size, ${hiddenSize}`);
    }
    return groups;
  }
}

/** Heads that classify sequences or tokens or mark answers, and take the place of one that tells tokens. */
const headsInstead = /^(score|classifier|qa_outputs)\./;

/** Those that may stand beside it: TRL's of values, and GPT-2's of choices. */
const headsBeside = /^(v_head|multiple_choice_head)\./;

/** Hugging Face's names of activations, and ours. */
export const activations: ReadonlyMap<string, Activation> = new Map([
  ["silu", "silu"],
  ["swish", "silu"],
  ["gelu", "gelu"],
  ["gelu_python", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_accurate", "gelu_tanh"],
  ["gelu_fast", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
  ["gelu_python_tanh", "gelu_tanh"],
  ["quick_gelu", "quick_gelu"],
  ["relu", "relu"],
  ["relu2", "squared_relu"],
]);

/** Causal attention of heads alike, without norms, rotation or windows: what most families vary. */
export function plainAttention(
  heads: number,
  headSize: number,
  projections: Pick<Attention, "query" | "key" | "value" | "output">,
): Attention {
  return {
    heads,
    keyValueHeads: heads,
    headSize,
    valueSize: headSize,
    ...projections,
    latent: undefined,
    clip: undefined,
    queryNorm: undefined,
    keyNorm: undefined,
    normsSpan: "head",
    headNorms: undefined,
    rotary: undefined,
    slopes: undefined,
    roundedSlopeFactor: undefined,
    scale: 1 / Math.sqrt(headSize),
    softcap: undefined,
    isBidirectional: false,
    window: undefined,
  };
}

/** A linear whose outputs are some rows of a fused one: `part` cuts weight and bias alike. */
export function partOf(fused: Linear, part: (tensor: TensorEntry) => TensorEntry): Linear {
  return { weight: part(fused.weight), bias: fused.bias && part(fused.bias) };
}

/**
 * Query, key and value of one fused linear. Its rows are `groups` runs one after another, and each run
 * is the group's queries, then its keys, then its values: one run for all heads (GPT-2), one for each
 * head (GPT-NeoX), or one for each key-value head and the queries that share it (Falcon).
 */
export function fromFused(
  fused: Linear,
  headSize: number,
  sizes: { readonly heads: number; readonly keyValueHeads: number; readonly groups: number },
): Pick<Attention, "query" | "key" | "value"> {
  const { groups } = sizes;
  const queries = (sizes.heads / groups) * headSize;
  const keys = (sizes.keyValueHeads / groups) * headSize;
  const part = (start: number, length: number): Linear =>
    partOf(fused, (tensor) => partOfGroups(tensor, groups, start, length));
  return {
    query: part(0, queries),
    key: part(queries, keys),
    value: part(queries + keys, keys),
  };
}

/** A row of a table as a matrix of one row. */
export function asRow(tensor: TensorEntry): TensorEntry {
  return reshaped(tensor, [1, ...tensor.shape]);
}
