import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { CheckpointError, quote, written } from "../../checkpoint/errors";
import { readTensor } from "../../checkpoint/readTensor";
import { transposed } from "../../checkpoint/views";
import { configError } from "../config";
import type { Rotary } from "../description";
import type { Dialect } from "./dialect";
import type { Names } from "./names";
import { translated } from "./names";

/** One of llama.cpp's architectures (its src/llama-arch.cpp names the tensors and the keys). */
interface GgufArchitecture {
  /** Hugging Face's `model_type`. */
  readonly modelType: string;
  readonly names: Names;
  /** Which linears llama.cpp stores the other way round than Hugging Face. */
  readonly isTransposed?: RegExp;
  /** Its conversion permutes queries and keys of Llama so that rotary pairs are neighbours. */
  readonly pairing?: Rotary["pairing"];
  readonly config: (keys: Keys) => Readonly<Record<string, unknown>>;
}

const lineageNames: Names = [
  [/^token_embd\.weight$/, "model.embed_tokens.weight"],
  [/^output_norm\.weight$/, "model.norm.weight"],
  [/^output\.weight$/, "lm_head.weight"],
  [/^blk\.(\d+)\.attn_norm\./, "model.layers.$1.input_layernorm."],
  [/^blk\.(\d+)\.ffn_norm\./, "model.layers.$1.post_attention_layernorm."],
  [/^blk\.(\d+)\.attn_([qkv])\./, "model.layers.$1.self_attn.$2_proj."],
  [/^blk\.(\d+)\.attn_output\./, "model.layers.$1.self_attn.o_proj."],
  [/^blk\.(\d+)\.attn_([qk])_norm\./, "model.layers.$1.self_attn.$2_norm."],
  [/^blk\.(\d+)\.ffn_(gate|up|down)\./, "model.layers.$1.mlp.$2_proj."],
];

const lineage = (modelType: string): GgufArchitecture => ({
  modelType,
  names: lineageNames,
  config: (keys) => ({
    hidden_size: keys.need("embedding_length"),
    intermediate_size: keys.need("feed_forward_length"),
    num_hidden_layers: keys.need("block_count"),
    num_attention_heads: keys.need("attention.head_count"),
    num_key_value_heads: keys.get("attention.head_count_kv"),
    rms_norm_eps: keys.need("attention.layer_norm_rms_epsilon"),
    max_position_embeddings: keys.get("context_length"),
    head_dim: headSizeOf(keys),
    attention_bias: keys.has("blk.0.attn_q.bias"),
    mlp_bias: keys.has("blk.0.ffn_up.bias"),
    rope_theta: keys.get("rope.freq_base") ?? 10_000,
    rope_scaling: scalingOf(keys),
    tie_word_embeddings: !keys.has("output.weight"),
  }),
});

/** By `general.architecture`. */
const architectures: Readonly<Record<string, GgufArchitecture>> = {
  llama: { ...lineage("llama"), pairing: "neighbours" },
  qwen2: lineage("qwen2"),
  qwen3: lineage("qwen3"),
  gpt2: {
    modelType: "gpt2",
    names: [
      [/^token_embd\.weight$/, "transformer.wte.weight"],
      [/^position_embd\.weight$/, "transformer.wpe.weight"],
      [/^output_norm\./, "transformer.ln_f."],
      [/^output\.weight$/, "lm_head.weight"],
      [/^blk\.(\d+)\.attn_norm\./, "transformer.h.$1.ln_1."],
      [/^blk\.(\d+)\.ffn_norm\./, "transformer.h.$1.ln_2."],
      [/^blk\.(\d+)\.attn_qkv\./, "transformer.h.$1.attn.c_attn."],
      [/^blk\.(\d+)\.attn_output\./, "transformer.h.$1.attn.c_proj."],
      [/^blk\.(\d+)\.ffn_up\./, "transformer.h.$1.mlp.c_fc."],
      [/^blk\.(\d+)\.ffn_down\./, "transformer.h.$1.mlp.c_proj."],
    ],
    isTransposed: /\.(c_attn|c_proj|c_fc)\.weight$/,
    config: (keys) => ({
      n_embd: keys.need("embedding_length"),
      n_inner: keys.need("feed_forward_length"),
      n_layer: keys.need("block_count"),
      n_head: keys.need("attention.head_count"),
      n_positions: keys.need("context_length"),
      layer_norm_epsilon: keys.need("attention.layer_norm_epsilon"),
      activation_function: "gelu_new",
      tie_word_embeddings: !keys.has("output.weight"),
    }),
  },
};

/** What Llama 3.1's frequencies are divided by: computed by the conversion, and stored as a tensor. */
const factorsName = "rope_freqs.weight";

/** Files of llama.cpp (gguf-py/gguf/constants.py). */
export const gguf: Dialect = {
  name: "GGUF",
  recognises: ({ config }) => typeof config?.value["general.architecture"] === "string",
  translate: async (checkpoint) => {
    const config = checkpoint.config!;
    const name = config.value["general.architecture"] as string;
    if (!Object.hasOwn(architectures, name)) {
      const known = Object.keys(architectures).join(", ");
      throw new CheckpointError(
        "unsupported",
        `${config.path}: "general.architecture" is ${written(name)}, which is not supported; supported are ${known}.`,
      );
    }
    const architecture = architectures[name]!;
    const keys = new Keys(name, checkpoint);
    if (Number(keys.get("expert_count") ?? 0) > 0) {
      throw keys.refusal("expert_count", "mixtures of experts are not supported in this format");
    }
    const factors = checkpoint.tensors.get(factorsName);
    const tensors = new Map(
      [...translated(checkpoint.tensors, architecture.names, /^rope_freqs\.weight$/)].map(
        ([name, tensor]): [string, TensorEntry] => [
          name,
          architecture.isTransposed?.test(name) ? transposed(tensor) : tensor,
        ],
      ),
    );
    const unknown = [...tensors.keys()].find((name) => checkpoint.tensors.has(name));
    if (unknown !== undefined) {
      throw new CheckpointError(
        "unsupported",
        `${checkpoint.directoryFile}: tensor ${quote(unknown)} has no place in a GGUF model of the architecture ${quote(name)}.`,
      );
    }
    const value = {
      model_type: architecture.modelType,
      vocab_size: checkpoint.tensors.get("token_embd.weight")?.shape[0],
      ...architecture.config(keys),
    };
    return {
      checkpoint: { ...checkpoint, tensors, config: { path: config.path, value } },
      differences: {
        ...(architecture.pairing && { pairing: architecture.pairing }),
        ...(factors && { frequencyFactors: [...(await readTensor(factors))] }),
      },
    };
  },
};

/** The metadata of one architecture, whose keys begin with its name. */
class Keys {
  constructor(
    private readonly architecture: string,
    private readonly checkpoint: Checkpoint,
  ) {}

  get(key: string): unknown {
    return this.checkpoint.config!.value[`${this.architecture}.${key}`];
  }

  need(key: string): unknown {
    const value = this.get(key);
    if (value === undefined) throw this.refusal(key, "this architecture needs it");
    return value;
  }

  /** Whether there is a tensor of this name. */
  has(tensor: string): boolean {
    return this.checkpoint.tensors.has(tensor);
  }

  refusal(key: string, expectation: string): Error {
    return configError(
      this.checkpoint.config!,
      `${this.architecture}.${key}`,
      this.get(key),
      expectation,
    );
  }
}

/** Channels of a head; those that are rotated must be all of them. */
function headSizeOf(keys: Keys): unknown {
  const stated = keys.get("attention.key_length");
  const implied = Number(keys.need("embedding_length")) / Number(keys.need("attention.head_count"));
  const size = stated ?? implied;
  const values = keys.get("attention.value_length") ?? size;
  if (values !== size) throw keys.refusal("attention.value_length", `expected ${written(size)}`);
  const rotated = keys.get("rope.dimension_count") ?? size;
  if (rotated !== size) throw keys.refusal("rope.dimension_count", `expected ${written(size)}`);
  return stated;
}

function scalingOf(keys: Keys): object | undefined {
  const type = keys.get("rope.scaling.type") ?? "none";
  // The key before scaling had types.
  const factor = keys.get("rope.scaling.factor") ?? keys.get("rope.scale_linear");
  if (type === "none" && (factor === undefined || factor === 1 || factor === 0)) return undefined;
  if (type === "yarn") {
    // llama.cpp keeps its bounds and magnitude in other keys than config.json does.
    throw keys.refusal("rope.scaling.type", "supported are none and linear");
  }
  return { rope_type: type === "none" ? "linear" : type, factor };
}
