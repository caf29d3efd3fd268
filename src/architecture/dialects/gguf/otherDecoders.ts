/** llama.cpp's architectures of decoders with tensor names of their own. */
import { readTensor } from "../../../checkpoint/readTensor";
import type { DecoderModules } from "./decoderModules";
import { baseOf, isTied, namesOf, vocabulary } from "./decoderModules";
import type { GgufArchitecture, Tensors } from "./ggufArchitecture";
import type { Keys } from "./keys";
import { rotatedShare, scalingOf } from "./positions";
import { byHead, renamedBeside, split, unstacked } from "./undo";

const gptNeoX: GgufArchitecture = {
  names: namesOf({
    tokens: "gpt_neox.embed_in",
    finalNorm: "gpt_neox.final_layer_norm",
    layer: "gpt_neox.layers",
    parts: {
      attn_norm: "input_layernorm",
      ffn_norm: "post_attention_layernorm",
      attn_qkv: "attention.query_key_value",
      attn_output: "attention.dense",
      ffn_up: "mlp.dense_h_to_4h",
      ffn_down: "mlp.dense_4h_to_h",
    },
  }),
  undo: [byHead(/\.query_key_value\./)],
  config: (keys) => ({
    model_type: "gpt_neox",
    vocab_size: vocabulary(keys),
    hidden_size: keys.need("embedding_length"),
    intermediate_size: keys.need("feed_forward_length"),
    num_hidden_layers: keys.need("block_count"),
    num_attention_heads: keys.need("attention.head_count"),
    layer_norm_eps: keys.need("attention.layer_norm_epsilon"),
    max_position_embeddings: keys.get("context_length"),
    attention_bias: keys.has("blk.0.attn_qkv.bias"),
    use_parallel_residual: keys.need("use_parallel_residual"),
    rotary_pct: rotatedShare(keys),
    rotary_emb_base: baseOf(keys),
    rope_scaling: scalingOf(keys),
    tie_word_embeddings: isTied(keys),
  }),
};

/** BLOOM's and Falcon's names of a layer's linears. */
const bloomParts = {
  attn_qkv: "self_attention.query_key_value",
  attn_output: "self_attention.dense",
  ffn_up: "mlp.dense_h_to_4h",
  ffn_down: "mlp.dense_4h_to_h",
};

const bloom: GgufArchitecture = {
  names: namesOf({
    tokens: "transformer.word_embeddings",
    finalNorm: "transformer.ln_f",
    layer: "transformer.h",
    parts: {
      attn_norm: "input_layernorm",
      ffn_norm: "post_attention_layernorm",
      ...bloomParts,
    },
    further: { token_embd_norm: "transformer.word_embeddings_layernorm" },
  }),
  undo: [byHead(/\.query_key_value\./)],
  config: (keys) => ({
    model_type: "bloom",
    vocab_size: vocabulary(keys),
    hidden_size: keys.need("embedding_length"),
    n_layer: keys.need("block_count"),
    n_head: keys.need("attention.head_count"),
    seq_length: keys.get("context_length"),
    layer_norm_epsilon: keys.need("attention.layer_norm_epsilon"),
    tie_word_embeddings: isTied(keys),
  }),
};

const falcon: GgufArchitecture = {
  names: namesOf({
    tokens: "transformer.word_embeddings",
    finalNorm: "transformer.ln_f",
    layer: "transformer.h",
    parts: bloomParts,
  }).concat([
    [/^blk\.(\d+)\.attn_norm_2\./, "transformer.h.$1.ln_attn."],
    [/^blk\.(\d+)\.attn_norm\./, "transformer.h.$1.input_layernorm."],
  ]),
  undo: [
    // Where attention has a norm of its own, the other one is the feed-forward's.
    renamedBeside(/\.ln_attn\./, /\.input_layernorm\./, ".ln_mlp."),
    byHead(/\.query_key_value\./),
  ],
  config: (keys) => {
    const hasNormEach = keys.has("blk.0.attn_norm_2.weight");
    const keyValueHeads = keys.get("attention.head_count_kv") ?? 1;
    const isNew = hasNormEach || keyValueHeads !== 1;
    return {
      model_type: "falcon",
      vocab_size: vocabulary(keys),
      hidden_size: keys.need("embedding_length"),
      ffn_hidden_size: keys.need("feed_forward_length"),
      num_hidden_layers: keys.need("block_count"),
      num_attention_heads: keys.need("attention.head_count"),
      num_kv_heads: keyValueHeads,
      new_decoder_architecture: isNew,
      multi_query: !isNew,
      num_ln_in_parallel_attn: hasNormEach ? 2 : 1,
      parallel_attn: true,
      bias: keys.has("blk.0.attn_qkv.bias"),
      layer_norm_epsilon: keys.need("attention.layer_norm_epsilon"),
      max_position_embeddings: keys.get("context_length"),
      rope_theta: baseOf(keys),
      rope_scaling: scalingOf(keys),
      tie_word_embeddings: isTied(keys),
    };
  },
};

const mpt: GgufArchitecture = {
  names: namesOf({
    tokens: "transformer.wte",
    finalNorm: "transformer.norm_f",
    layer: "transformer.blocks",
    parts: {
      attn_norm: "norm_1",
      ffn_norm: "norm_2",
      attn_qkv: "attn.Wqkv",
      attn_output: "attn.out_proj",
      ffn_up: "ffn.up_proj",
      ffn_down: "ffn.down_proj",
    },
  }),
  config: (keys) => {
    const heads = keys.need("attention.head_count");
    if ((keys.get("attention.head_count_kv") ?? heads) !== heads) {
      throw keys.refusal("attention.head_count_kv", `supported is a key for each query's head`);
    }
    const bias = keys.get("attention.max_alibi_bias") ?? 0;
    const hiddenSize = keys.number("embedding_length");
    return {
      model_type: "mpt",
      vocab_size: vocabulary(keys),
      d_model: hiddenSize,
      n_heads: heads,
      n_layers: keys.need("block_count"),
      expansion_ratio: keys.number("feed_forward_length") / hiddenSize,
      max_seq_len: keys.need("context_length"),
      layer_norm_epsilon: keys.need("attention.layer_norm_epsilon"),
      no_bias: !keys.has("blk.0.attn_qkv.bias"),
      attn_config: {
        alibi: bias !== 0,
        alibi_bias_max: bias,
        clip_qkv: keys.get("attention.clamp_kqv") ?? null,
      },
      tie_word_embeddings: isTied(keys),
    };
  },
};

/** Llama's attention with other norms and feed-forwards around it. */
const rotaryModules = (parts: Readonly<Record<string, string>>): DecoderModules => ({
  tokens: "model.embed_tokens",
  finalNorm: "model.norm",
  layer: "model.layers",
  parts: {
    attn_norm: "input_layernorm",
    ffn_norm: "post_attention_layernorm",
    attn_q: "self_attn.q_proj",
    attn_k: "self_attn.k_proj",
    attn_v: "self_attn.v_proj",
    attn_output: "self_attn.o_proj",
    ...parts,
  },
});

function rotaryConfig(modelType: string, keys: Keys): Readonly<Record<string, unknown>> {
  return {
    model_type: modelType,
    vocab_size: vocabulary(keys),
    hidden_size: keys.need("embedding_length"),
    intermediate_size: keys.need("feed_forward_length"),
    num_hidden_layers: keys.need("block_count"),
    num_attention_heads: keys.need("attention.head_count"),
    num_key_value_heads: keys.get("attention.head_count_kv") ?? keys.need("attention.head_count"),
    max_position_embeddings: keys.get("context_length"),
    partial_rotary_factor: rotatedShare(keys),
    rope_theta: baseOf(keys),
    tie_word_embeddings: isTied(keys),
  };
}

const phi2: GgufArchitecture = {
  names: namesOf({
    ...rotaryModules({
      attn_qkv: "self_attn.qkv",
      attn_output: "self_attn.dense",
      ffn_up: "mlp.fc1",
      ffn_down: "mlp.fc2",
    }),
    finalNorm: "model.final_layernorm",
  }),
  // Files of the first conversion have them fused, as the first release had.
  undo: [
    split(/\.self_attn\.qkv\./, [".self_attn.q_proj.", ".self_attn.k_proj.", ".self_attn.v_proj."]),
  ],
  config: (keys) => ({
    ...rotaryConfig("phi", keys),
    rope_scaling: scalingOf(keys),
    layer_norm_eps: keys.need("attention.layer_norm_epsilon"),
  }),
};

const phi3: GgufArchitecture = {
  names: namesOf(
    rotaryModules({
      attn_qkv: "self_attn.qkv_proj",
      ffn_up: "mlp.gate_up_proj",
      ffn_down: "mlp.down_proj",
    }),
  ),
  readByConfig: /^rope_factors_(long|short)\.weight$/,
  config: async (keys, tensors) => {
    const window = keys.get("attention.sliding_window") ?? 0;
    return {
      ...rotaryConfig("phi3", keys),
      rope_scaling: await longRope(keys, tensors),
      original_max_position_embeddings: keys.get("rope.scaling.original_context_length") ?? null,
      rms_norm_eps: keys.need("attention.layer_norm_rms_epsilon"),
      sliding_window: window === 0 ? null : window,
    };
  },
};

/** LongRoPE's factors are tensors, and its magnitude is computed by the conversion. */
async function longRope(keys: Keys, tensors: Tensors): Promise<object | undefined> {
  const factors = tensors.get("rope_factors_short.weight");
  if (factors === undefined) return scalingOf(keys);
  return {
    rope_type: "longrope",
    short_factor: [...(await readTensor(factors))],
    attention_factor: keys.need("rope.scaling.attn_factor"),
  };
}

const gated = { ffn_gate: "mlp.gate_proj", ffn_up: "mlp.up_proj", ffn_down: "mlp.down_proj" };

const stableLm: GgufArchitecture = {
  names: namesOf(
    rotaryModules({
      attn_q_norm: "self_attn.q_layernorm",
      attn_k_norm: "self_attn.k_layernorm",
      ...gated,
    }),
  ),
  undo: [unstacked(/\.([qk]_layernorm)\.weight$/, ".$1.norms.#.weight")],
  config: (keys) => ({
    ...rotaryConfig("stablelm", keys),
    rope_scaling: scalingOf(keys),
    layer_norm_eps: keys.need("attention.layer_norm_epsilon"),
    use_qkv_bias: keys.has("blk.0.attn_q.bias"),
    qk_layernorm: keys.has("blk.0.attn_q_norm.weight"),
    // The conversion states it of models that say nothing, too; llama.cpp goes by the norm.
    use_parallel_residual: !keys.has("blk.0.ffn_norm.weight"),
  }),
};

const starcoder2: GgufArchitecture = {
  names: namesOf(rotaryModules({ ffn_up: "mlp.c_fc", ffn_down: "mlp.c_proj" })),
  config: (keys) => ({
    ...rotaryConfig("starcoder2", keys),
    rope_scaling: scalingOf(keys),
    norm_epsilon: keys.need("attention.layer_norm_epsilon"),
    use_bias: keys.has("blk.0.attn_q.bias"),
    sliding_window: null,
  }),
};

/** By `general.architecture`. */
export const otherDecoders: Readonly<Record<string, GgufArchitecture>> = {
  gptneox: gptNeoX,
  bloom,
  falcon,
  mpt,
  phi2,
  phi3,
  stablelm: stableLm,
  starcoder2,
};
