/** llama.cpp's architectures of models with Llama's tensor names. */
import type { GgufArchitecture } from "./ggufArchitecture";
import type { Names } from "../names";
import type { Keys } from "./keys";
import { scalingOf, wholeHeadSize } from "./positions";
import { asOneRow, fromHeads, unstacked } from "./undo";

const ends: Names = [
  [/^token_embd\.weight$/, "model.embed_tokens.weight"],
  [/^output_norm\.weight$/, "model.norm.weight"],
  [/^output\.weight$/, "lm_head.weight"],
];
const attention: Names = [
  [/^blk\.(\d+)\.attn_([qkv])\./, "model.layers.$1.self_attn.$2_proj."],
  [/^blk\.(\d+)\.attn_output\./, "model.layers.$1.self_attn.o_proj."],
  [/^blk\.(\d+)\.attn_([qk])_norm\./, "model.layers.$1.self_attn.$2_norm."],
];
const preNorms: Names = [
  [/^blk\.(\d+)\.attn_norm\./, "model.layers.$1.input_layernorm."],
  [/^blk\.(\d+)\.ffn_norm\./, "model.layers.$1.post_attention_layernorm."],
];
/** Norms before and after each sublayer; OLMo 2 has those after. */
const normsByPlace: Names = [
  [/^blk\.(\d+)\.attn_norm\./, "model.layers.$1.input_layernorm."],
  [/^blk\.(\d+)\.post_attention_norm\./, "model.layers.$1.post_attention_layernorm."],
  [/^blk\.(\d+)\.ffn_norm\./, "model.layers.$1.pre_feedforward_layernorm."],
  [/^blk\.(\d+)\.post_ffw_norm\./, "model.layers.$1.post_feedforward_layernorm."],
];
const feedForward: Names = [[/^blk\.(\d+)\.ffn_(gate|up|down)\./, "model.layers.$1.mlp.$2_proj."]];

const plainNames: Names = [...ends, ...attention, ...preNorms, ...feedForward];

/** All experts of a layer in one tensor of each kind. */
const stackedExperts: Names = [
  [/^blk\.(\d+)\.ffn_gate_inp\.weight$/, "model.layers.$1.mlp.gate.weight"],
  [/^blk\.(\d+)\.ffn_(gate|up|down)_exps\.weight$/, "model.layers.$1.mlp.experts.$2_proj.weight"],
];
const unstackedExperts = unstacked(
  /^(.*\.mlp\.experts)\.(gate|up|down)_proj\.weight$/,
  "$1.#.$2_proj.weight",
);

/** The keys that all of them have. */
function lineageConfig(modelType: string, keys: Keys): Readonly<Record<string, unknown>> {
  return {
    model_type: modelType,
    vocab_size: keys.shapeOf("token_embd.weight")[0],
    hidden_size: keys.need("embedding_length"),
    intermediate_size: keys.need("feed_forward_length"),
    num_hidden_layers: keys.need("block_count"),
    num_attention_heads: keys.need("attention.head_count"),
    num_key_value_heads: keys.get("attention.head_count_kv"),
    rms_norm_eps: keys.get("attention.layer_norm_rms_epsilon"),
    max_position_embeddings: keys.get("context_length"),
    head_dim: wholeHeadSize(keys),
    attention_bias: keys.has("blk.0.attn_q.bias"),
    mlp_bias: keys.has("blk.0.ffn_up.bias"),
    rope_theta: keys.get("rope.freq_base") ?? 10_000,
    rope_scaling: scalingOf(keys),
    tie_word_embeddings: !keys.has("output.weight"),
  };
}

function requireEpsilon(keys: Keys): void {
  keys.need("attention.layer_norm_rms_epsilon");
}

/** Llama and, where there are experts, Mixtral. */
const llama: GgufArchitecture = {
  names: [
    [/^blk\.(\d+)\.ffn_gate_inp\.weight$/, "model.layers.$1.block_sparse_moe.gate.weight"],
    ...(
      [
        ["gate", "w1"],
        ["down", "w2"],
        ["up", "w3"],
      ] as const
    ).flatMap(([name, theirs]): Names => {
      const experts = `model.layers.$1.block_sparse_moe.experts`;
      return [
        [new RegExp(`^blk\\.(\\d+)\\.ffn_${name}_exps\\.weight$`), `${experts}.${theirs}.weight`],
        // Before they were stacked, each was by itself.
        [
          new RegExp(`^blk\\.(\\d+)\\.ffn_${name}\\.(\\d+)\\.weight$`),
          `${experts}.$2.${theirs}.weight`,
        ],
      ];
    }),
    ...plainNames,
  ],
  undo: [unstacked(/^(.*\.block_sparse_moe\.experts)\.(w[123])\.weight$/, "$1.#.$2.weight")],
  // Queries and keys are permuted so that the channels of a rotary pair are neighbours.
  differences: { pairing: "neighbours" },
  config: (keys) => {
    requireEpsilon(keys);
    const experts = keys.get("expert_count") ?? 0;
    return experts === 0
      ? lineageConfig("llama", keys)
      : {
          ...lineageConfig("mixtral", keys),
          num_local_experts: experts,
          num_experts_per_tok: keys.need("expert_used_count"),
        };
  },
};

const qwen = (modelType: string): GgufArchitecture => ({
  names: plainNames,
  config: (keys) => {
    requireEpsilon(keys);
    return lineageConfig(modelType, keys);
  },
});

/** @param isNormalised whether the chosen experts' scores are divided by their sum, where not stated */
const qwenMoe = (modelType: string, isNormalised: boolean): GgufArchitecture => ({
  names: [
    ...stackedExperts,
    [/^blk\.(\d+)\.ffn_gate_inp_shexp\.weight$/, "model.layers.$1.mlp.shared_expert_gate.weight"],
    [
      /^blk\.(\d+)\.ffn_(gate|up|down)_shexp\.weight$/,
      "model.layers.$1.mlp.shared_expert.$2_proj.weight",
    ],
    ...plainNames,
  ],
  undo: [unstackedExperts, asOneRow(/\.shared_expert_gate\.weight$/)],
  config: (keys) => {
    requireEpsilon(keys);
    const experts = keys.number("expert_count");
    // Files from before the key had experts in rows of their tensors only.
    const inner = keys.get("expert_feed_forward_length") ?? keys.shapeOf(expertUps)[1];
    return {
      ...lineageConfig(modelType, keys),
      num_experts: experts,
      num_experts_per_tok: keys.need("expert_used_count"),
      moe_intermediate_size: inner,
      shared_expert_intermediate_size:
        keys.get("expert_shared_feed_forward_length") ??
        keys.shapeOf("blk.0.ffn_up_shexp.weight")[0],
      norm_topk_prob: keys.get("expert_weights_norm") ?? isNormalised,
      qkv_bias: keys.has("blk.0.attn_q.bias"),
    };
  },
});

const expertUps = "blk.0.ffn_up_exps.weight";

/** Gemmas, whose conversion adds 1 to the weights of norms: they are no distances from 1 any more. */
const gemma = (
  config: GgufArchitecture["config"],
  names: Names = [...ends, ...attention, ...normsByPlace, ...feedForward],
): GgufArchitecture => ({ names, differences: { normOffset: 0 }, config });

/**
 * What scores are divided by the root of: a head's channels, but the hidden size's share of a head in the
 * largest model of a generation, which llama.cpp too knows by its number of layers.
 */
function scoreScalar(keys: Keys, layersOfLargest: number): unknown {
  const isLargest = keys.get("block_count") === layersOfLargest;
  return isLargest
    ? keys.number("embedding_length") / keys.number("attention.head_count")
    : keys.need("attention.key_length");
}

/** A cap, of which zero caps nothing. */
function cap(keys: Keys, key: string, byDefault: number): unknown {
  const stated = keys.get(key) ?? byDefault;
  return stated === 0 ? null : stated;
}

const gemma1 = gemma((keys) => {
  requireEpsilon(keys);
  keys.need("attention.key_length");
  return lineageConfig("gemma", keys);
}, plainNames);

const gemma2 = gemma((keys) => {
  requireEpsilon(keys);
  return {
    ...lineageConfig("gemma2", keys),
    query_pre_attn_scalar: scoreScalar(keys, 46),
    // llama.cpp's own defaults, for files that were made before the keys.
    attn_logit_softcapping: cap(keys, "attn_logit_softcapping", 50),
    final_logit_softcapping: cap(keys, "final_logit_softcapping", 30),
    sliding_window: keys.get("attention.sliding_window") ?? 4096,
  };
});

const gemma3 = gemma((keys) => {
  requireEpsilon(keys);
  const pattern = keys.get("attention.sliding_window_pattern") ?? 6;
  if (typeof pattern !== "number") {
    throw keys.refusal("attention.sliding_window_pattern", "expected a number of layers");
  }
  return {
    ...lineageConfig("gemma3_text", keys),
    query_pre_attn_scalar: scoreScalar(keys, 62),
    final_logit_softcapping: cap(keys, "final_logit_softcapping", 0),
    sliding_window: keys.need("attention.sliding_window"),
    sliding_window_pattern: pattern,
    rope_theta: keys.get("rope.freq_base") ?? 1_000_000,
    rope_local_base_freq: keys.get("rope.freq_base_swa") ?? 10_000,
  };
});

const olmo: GgufArchitecture = {
  names: [...ends, ...attention, ...feedForward],
  differences: { pairing: "neighbours" },
  config: (keys) => {
    const epsilon = keys.get("attention.layer_norm_epsilon") ?? 1e-5;
    if (Math.fround(Number(epsilon)) !== Math.fround(1e-5)) {
      throw keys.refusal("attention.layer_norm_epsilon", "OLMo has 1e-5");
    }
    return {
      ...lineageConfig("olmo", keys),
      clip_qkv: keys.get("attention.clamp_kqv") ?? null,
    };
  },
};

const olmo2: GgufArchitecture = {
  names: [...ends, ...attention, ...normsByPlace, ...feedForward],
  config: (keys) => {
    requireEpsilon(keys);
    return lineageConfig("olmo2", keys);
  },
};

/** DeepSeek-V2 and V3: latent attention, and experts of which the first layers have none. */
const deepseek2: GgufArchitecture = {
  names: [
    ...stackedExperts,
    [/^blk\.(\d+)\.exp_probs_b\.bias$/, "model.layers.$1.mlp.gate.e_score_correction_bias"],
    [
      /^blk\.(\d+)\.ffn_(gate|up|down)_shexp\.weight$/,
      "model.layers.$1.mlp.shared_experts.$2_proj.weight",
    ],
    [
      /^blk\.(\d+)\.attn_(q_a|q_b|k_b|v_b|kv_b)\.weight$/,
      "model.layers.$1.self_attn.$2_proj.weight",
    ],
    [/^blk\.(\d+)\.attn_kv_a_mqa\.weight$/, "model.layers.$1.self_attn.kv_a_proj_with_mqa.weight"],
    [/^blk\.(\d+)\.attn_(q|kv)_a_norm\.weight$/, "model.layers.$1.self_attn.$2_a_layernorm.weight"],
    ...plainNames,
  ],
  undo: [
    unstackedExperts,
    fromHeads(/\.k_b_proj\.weight$/, { values: ".v_b_proj.weight", both: ".kv_b_proj.weight" }),
  ],
  config: (keys) => {
    requireEpsilon(keys);
    const rotated = keys.number("rope.dimension_count");
    const isSigmoid = keys.get("expert_gating_func") === 2;
    const groups = keys.get("expert_group_count");
    if (groups === undefined) {
      const why = "without it nothing tells among which experts a token's are chosen";
      throw keys.refusal("expert_group_count", why);
    }
    const shared = keys.get("expert_shared_count") ?? 0;
    return {
      model_type: isSigmoid ? "deepseek_v3" : "deepseek_v2",
      vocab_size: keys.shapeOf("token_embd.weight")[0],
      hidden_size: keys.need("embedding_length"),
      intermediate_size: keys.need("feed_forward_length"),
      num_hidden_layers: keys.need("block_count"),
      num_attention_heads: keys.need("attention.head_count"),
      rms_norm_eps: keys.need("attention.layer_norm_rms_epsilon"),
      max_position_embeddings: keys.get("context_length"),
      tie_word_embeddings: !keys.has("output.weight"),
      rope_theta: keys.get("rope.freq_base") ?? 10_000,
      rope_scaling: stretchOfDeepseek(keys),
      q_lora_rank: keys.get("attention.q_lora_rank") ?? null,
      kv_lora_rank: keys.need("attention.kv_lora_rank"),
      qk_rope_head_dim: rotated,
      // Since keys and values are stored by head, these are of the heads, and the others of the latent.
      qk_nope_head_dim:
        keys.number(keys.firstOf("attention.key_length_mla", "attention.key_length")) - rotated,
      v_head_dim: keys.number(keys.firstOf("attention.value_length_mla", "attention.value_length")),
      first_k_dense_replace: keys.get("leading_dense_block_count") ?? 0,
      moe_intermediate_size: keys.need("expert_feed_forward_length"),
      n_routed_experts: keys.need("expert_count"),
      n_shared_experts: shared === 0 ? null : shared,
      num_experts_per_tok: keys.need("expert_used_count"),
      routed_scaling_factor: keys.get("expert_weights_scale") ?? 1,
      norm_topk_prob: keys.get("expert_weights_norm") ?? false,
      n_group: groups,
      topk_group: keys.get("expert_group_used_count") ?? 1,
      topk_method: isSigmoid ? "noaux_tc" : groups === 1 ? "greedy" : "group_limited_greedy",
    };
  },
};

/** YaRN, whose magnitude of scores DeepSeek states beside: a tenth of it is in the file. */
function stretchOfDeepseek(keys: Keys): object | undefined {
  const scaling = scalingOf(keys);
  const tenth = keys.get("rope.scaling.yarn_log_multiplier");
  if (scaling === undefined || typeof tenth !== "number") return scaling;
  const magnitude = Number((tenth * 10).toPrecision(6));
  // The magnitude of what is rotated is not stated; llama.cpp takes it to be the same.
  return { ...scaling, mscale: magnitude, mscale_all_dim: magnitude };
}

/** By `general.architecture`. */
export const llamaKin: Readonly<Record<string, GgufArchitecture>> = {
  llama,
  qwen2: qwen("qwen2"),
  qwen3: qwen("qwen3"),
  qwen2moe: qwenMoe("qwen2_moe", false),
  qwen3moe: qwenMoe("qwen3_moe", true),
  gemma: gemma1,
  gemma2,
  gemma3,
  olmo,
  olmo2,
  deepseek2,
};
