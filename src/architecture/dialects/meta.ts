import * as z from "zod";
import type { Checkpoint } from "../../checkpoint/checkpoint";
import { epsilon, flag, layerCount, parseConfig, positive, size } from "../config";
import { translated } from "./names";
import type { Dialect } from "./dialect";

/** Meta's names of a Llama's tensors, and Hugging Face's. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^tok_embeddings\.weight$/, "model.embed_tokens.weight"],
  [/^norm\.weight$/, "model.norm.weight"],
  [/^output\.weight$/, "lm_head.weight"],
  [/^(layers\.\d+)\.attention_norm\.weight$/, "model.$1.input_layernorm.weight"],
  [/^(layers\.\d+)\.ffn_norm\.weight$/, "model.$1.post_attention_layernorm.weight"],
  [/^(layers\.\d+)\.attention\.w([qkvo])\.weight$/, "model.$1.self_attn.$2_proj.weight"],
  [/^(layers\.\d+)\.feed_forward\.w1\.weight$/, "model.$1.mlp.gate_proj.weight"],
  [/^(layers\.\d+)\.feed_forward\.w2\.weight$/, "model.$1.mlp.down_proj.weight"],
  [/^(layers\.\d+)\.feed_forward\.w3\.weight$/, "model.$1.mlp.up_proj.weight"],
];

/** Rotary tables that are computed again from the base. */
const left = /^(rope\.freqs|freqs_cis|freqs_cos|freqs_sin)$/;

const schema = z.object({
  dim: size,
  n_layers: layerCount,
  n_heads: size,
  n_kv_heads: size.nullish(),
  norm_eps: epsilon.nullish(),
  rope_theta: positive.nullish(),
  use_scaled_rope: flag,
  max_seq_len: size.nullish(),
  seq_len: size.nullish(),
});

/**
 * Llama as its first code has it (github.com/meta-llama/llama, llama/model.py): consolidated.*.pth with
 * params.json, and llama2.c's ckpt.pt (under `model_args`) and .bin. Rotary pairs are neighbours there.
 */
export const meta: Dialect = {
  name: "Meta's names",
  recognises: (checkpoint) =>
    ["dim", "n_layers", "n_heads"].every((key) => key in (paramsOf(checkpoint) ?? {})) &&
    checkpoint.tensors.has("tok_embeddings.weight") &&
    [...checkpoint.tensors.keys()].every(
      (name) => left.test(name) || names.some(([pattern]) => pattern.test(name)),
    ),
  translate: (checkpoint) => {
    const config = { path: checkpoint.config!.path, value: paramsOf(checkpoint)! };
    const params = parseConfig(config, schema);
    const { tensors } = checkpoint;
    // The file states how the inner size is rounded, or nothing; the weights are of what came out.
    const [inner] = tensors.get("layers.0.feed_forward.w1.weight")?.shape ?? [];
    const [vocabulary] = tensors.get("tok_embeddings.weight")!.shape;
    const contextLength = params.max_seq_len ?? params.seq_len;
    const value = {
      model_type: "llama",
      vocab_size: vocabulary,
      hidden_size: params.dim,
      intermediate_size: inner,
      num_hidden_layers: params.n_layers,
      num_attention_heads: params.n_heads,
      num_key_value_heads: params.n_kv_heads ?? params.n_heads,
      // Both codes' default, which neither of them saves.
      rms_norm_eps: params.norm_eps ?? 1e-5,
      rope_theta: params.rope_theta ?? 10_000,
      ...(contextLength && { max_position_embeddings: contextLength }),
      ...(params.use_scaled_rope === true && { rope_scaling: llama31Scaling }),
      tie_word_embeddings: !tensors.has("output.weight"),
    };
    return Promise.resolve({
      checkpoint: {
        ...checkpoint,
        config: { ...config, value },
        tensors: translated(tensors, names, (name) => left.test(name)),
      },
      differences: { pairing: "neighbours" },
    });
  },
};

/** Constants of llama-models' apply_scaling. */
const llama31Scaling = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

function paramsOf({ config }: Checkpoint): Readonly<Record<string, unknown>> | undefined {
  const inner = config?.value["model_args"];
  return typeof inner === "object" && inner !== null
    ? (inner as Record<string, unknown>)
    : config?.value;
}
