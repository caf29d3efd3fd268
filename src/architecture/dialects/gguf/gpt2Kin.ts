/** llama.cpp's architectures of models with GPT-2's modules. */
import type { DecoderModules } from "./decoderModules";
import { baseOf, isTied, namesOf, vocabulary } from "./decoderModules";
import type { GgufArchitecture } from "./ggufArchitecture";
import type { Keys } from "./keys";
import { rotatedShare, scalingOf } from "./positions";
import { turned } from "./undo";

const gpt2Modules: DecoderModules = {
  tokens: "transformer.wte",
  finalNorm: "transformer.ln_f",
  layer: "transformer.h",
  parts: {
    attn_norm: "ln_1",
    ffn_norm: "ln_2",
    attn_qkv: "attn.c_attn",
    attn_output: "attn.c_proj",
    ffn_up: "mlp.c_fc",
    ffn_down: "mlp.c_proj",
  },
  further: { position_embd: "transformer.wpe" },
};

function gpt2Config(modelType: string, keys: Keys): Readonly<Record<string, unknown>> {
  return {
    model_type: modelType,
    vocab_size: vocabulary(keys),
    n_embd: keys.need("embedding_length"),
    n_inner: keys.need("feed_forward_length"),
    n_layer: keys.need("block_count"),
    n_head: keys.need("attention.head_count"),
    n_positions: keys.need("context_length"),
    layer_norm_epsilon: keys.need("attention.layer_norm_epsilon"),
    tie_word_embeddings: isTied(keys),
  };
}

const gpt2: GgufArchitecture = {
  names: namesOf(gpt2Modules),
  undo: [turned(/\.(c_attn|c_proj|c_fc)\.weight$/)],
  config: (keys) => gpt2Config("gpt2", keys),
};

const starcoder: GgufArchitecture = {
  names: namesOf(gpt2Modules),
  config: (keys) => {
    if ((keys.get("attention.head_count_kv") ?? 1) !== 1) {
      throw keys.refusal("attention.head_count_kv", "StarCoder has one for all queries");
    }
    return { ...gpt2Config("gpt_bigcode", keys), multi_query: true };
  },
};

const gptJ: GgufArchitecture = {
  names: namesOf({
    tokens: "transformer.wte",
    finalNorm: "transformer.ln_f",
    layer: "transformer.h",
    parts: {
      attn_norm: "ln_1",
      attn_q: "attn.q_proj",
      attn_k: "attn.k_proj",
      attn_v: "attn.v_proj",
      attn_output: "attn.out_proj",
      ffn_up: "mlp.fc_in",
      ffn_down: "mlp.fc_out",
    },
  }),
  config: (keys) => {
    if (baseOf(keys) !== 10_000) throw keys.refusal("rope.freq_base", "GPT-J's is 10000");
    if (scalingOf(keys) !== undefined) throw keys.refusal("rope.scaling.type", "expected none");
    return { ...gpt2Config("gptj", keys), rotary_dim: keys.need("rope.dimension_count") };
  },
};

/** Qwen before Qwen1.5. */
const qwen: GgufArchitecture = {
  names: namesOf({
    ...gpt2Modules,
    parts: { ...gpt2Modules.parts, ffn_up: "mlp.w1", ffn_gate: "mlp.w2" },
    further: {},
  }),
  config: (keys) => ({
    model_type: "qwen",
    vocab_size: vocabulary(keys),
    hidden_size: keys.need("embedding_length"),
    intermediate_size: keys.need("feed_forward_length"),
    num_hidden_layers: keys.need("block_count"),
    num_attention_heads: keys.need("attention.head_count"),
    kv_channels: keys.number("embedding_length") / keys.number("attention.head_count"),
    max_position_embeddings: keys.get("context_length"),
    layer_norm_epsilon: keys.need("attention.layer_norm_rms_epsilon"),
    rotary_pct: rotatedShare(keys),
    rotary_emb_base: baseOf(keys),
    no_bias: true,
    tie_word_embeddings: isTied(keys),
  }),
};

/** By `general.architecture`. */
export const gpt2Kin: Readonly<Record<string, GgufArchitecture>> = {
  gpt2,
  starcoder,
  gptj: gptJ,
  qwen,
};
