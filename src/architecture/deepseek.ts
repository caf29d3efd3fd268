import * as z from "zod";
import { flag, lineageSchema, rotaryOf, size, yarnScale } from "./config";
import type { Attention, FeedForward, Linear, MixtureOfExperts, Norm, Router } from "./description";
import { readExperts } from "./experts";
import type { Sizes } from "./familyReader";
import { plainAttention } from "./familyReader";
import type { LineageTraits, ModuleReading } from "./llamaLineage";
import { gatedFeedForward } from "./llamaLineage";
import { expertNames } from "./qwenMoe";
import { rotary } from "./rotary";

/** The keys that DeepSeek-V2 and V3 share; some defaults differ. */
export const deepseekSchema = lineageSchema.extend({
  q_lora_rank: size.nullable().default(1536),
  kv_lora_rank: size.default(512),
  qk_nope_head_dim: size.default(128),
  qk_rope_head_dim: size.default(64),
  v_head_dim: size.default(128),
  n_routed_experts: size,
  n_shared_experts: size.nullable(),
  num_experts_per_tok: size,
  moe_intermediate_size: size,
  first_k_dense_replace: z.int().nonnegative(),
  n_group: size.nullish(),
  topk_group: size.nullish(),
  routed_scaling_factor: z.number().positive(),
  norm_topk_prob: flag,
});

export type DeepseekConfig = z.infer<typeof deepseekSchema>;

/** What DeepSeek-V2 and V3 share. */
export const deepseekTraits = {
  biases: () => ({ queryKeyValue: false, attentionOutput: false, feedForward: false }),
  queryKeyNorm: false,
  window: () => undefined,
  only: { moe_layer_freq: 1 },
} as const satisfies Partial<LineageTraits>;

/** ε of the latents' norms, whatever that of the others is: modeling_deepseek_v2.py states none. */
const latentEpsilon = 1e-6;

/** Multi-head latent attention (arXiv 2405.04434). */
export function latentAttention(
  { reader, config, path: layerPath, hidden }: ModuleReading<DeepseekConfig>,
  isInterleaved: boolean,
): Attention {
  const heads = config.num_attention_heads;
  if ((config.num_key_value_heads ?? heads) !== heads) {
    throw reader.refusal(
      "num_key_value_heads",
      config.num_key_value_heads,
      `latent attention has as many as num_attention_heads, ${heads}`,
    );
  }
  const rotated = config.qk_rope_head_dim;
  if (rotated % 2 !== 0) {
    throw reader.refusal("qk_rope_head_dim", rotated, "rotary pairs need an even number");
  }
  const path = `${layerPath}.self_attn`;
  const hasBias = config.attention_bias ?? false;
  const headSize = config.qk_nope_head_dim + rotated;
  const rank = { kv_lora_rank: config.kv_lora_rank };
  const queries = {
    "num_attention_heads × (qk_nope_head_dim + qk_rope_head_dim)": heads * headSize,
  };
  const values = { "num_attention_heads × v_head_dim": heads * config.v_head_dim };
  const latentNorm = (name: string, channels: Sizes): Norm =>
    reader.norm(`${path}.${name}`, channels, { kind: "rms", epsilon: latentEpsilon });
  const plain = (name: string, output: Sizes, input: Sizes): Linear =>
    reader.linear(`${path}.${name}`, output, input, { hasBias: false });
  const queryRank = config.q_lora_rank === null ? undefined : { q_lora_rank: config.q_lora_rank };
  const latent = {
    query: queryRank && {
      down: reader.linear(`${path}.q_a_proj`, queryRank, hidden, { hasBias }),
      norm: latentNorm("q_a_layernorm", queryRank),
    },
    down: reader.linear(
      `${path}.kv_a_proj_with_mqa`,
      { "kv_lora_rank + qk_rope_head_dim": config.kv_lora_rank + rotated },
      hidden,
      { hasBias },
    ),
    rank: config.kv_lora_rank,
    norm: latentNorm("kv_a_layernorm", rank),
  };
  const keysAndValues = plain(
    "kv_b_proj",
    {
      "num_attention_heads × (qk_nope_head_dim + v_head_dim)":
        heads * (config.qk_nope_head_dim + config.v_head_dim),
    },
    rank,
  );
  const { theta, scaling } = rotaryOf(reader.config, config);
  return {
    ...plainAttention(heads, headSize, {
      query: queryRank ? plain("q_b_proj", queries, queryRank) : plain("q_proj", queries, hidden),
      key: keysAndValues,
      value: keysAndValues,
      output: reader.linear(`${path}.o_proj`, hidden, values, { hasBias }),
    }),
    valueSize: config.v_head_dim,
    latent,
    rotary: rotary(rotated, theta, scaling, isInterleaved ? "neighbours" : "halves"),
    scale: headSize ** -0.5 * stretchOfScores(config),
  };
}

/** By how much a stretched context raises the scores, where the config states `mscale_all_dim`. */
function stretchOfScores(config: DeepseekConfig): number {
  const parameters = config.rope_parameters ?? config.rope_scaling ?? {};
  const isStretched = (parameters.rope_type ?? parameters.type ?? "default") !== "default";
  if (!isStretched || !parameters.mscale_all_dim) return 1;
  return yarnScale(parameters.factor ?? 1, parameters.mscale_all_dim) ** 2;
}

/** A mixture of experts, or in the first layers a plain feed-forward. */
export function deepseekFeedForward(
  reading: ModuleReading<DeepseekConfig>,
  route: (
    path: string,
    own: Pick<Router, "projection" | "chosen" | "scale">,
    count: number,
  ) => Router,
): FeedForward | MixtureOfExperts {
  const { reader, config, layer, hidden } = reading;
  const path = `${reading.path}.mlp`;
  if (layer < config.first_k_dense_replace) {
    return gatedFeedForward(reading, path, { intermediate_size: config.intermediate_size });
  }
  const { n_routed_experts: experts, n_shared_experts: shared, moe_intermediate_size } = config;
  const count = { n_routed_experts: experts };
  const router = route(
    path,
    {
      projection: reader.linear(`${path}.gate`, count, hidden, { hasBias: false }),
      chosen: reader.chosen("num_experts_per_tok", config.num_experts_per_tok, count),
      scale: config.routed_scaling_factor,
    },
    experts,
  );
  return {
    router,
    experts: readExperts(reading, {
      path: `${path}.experts`,
      count,
      inner: { moe_intermediate_size },
      names: expertNames,
    }),
    shared:
      shared === null
        ? undefined
        : {
            expert: gatedFeedForward(reading, `${path}.shared_experts`, {
              "moe_intermediate_size × n_shared_experts": moe_intermediate_size * shared,
            }),
            gate: undefined,
          },
  };
}

/** The groups that limit a token's choice. @throws CheckpointError when the experts do not fall into them */
export function groupsOf(
  { reader, config }: ModuleReading<DeepseekConfig>,
  count: number,
  judgedBy: number,
): NonNullable<Router["groups"]> {
  const { n_group: groups, topk_group: chosen } = config;
  if (!groups || count % groups !== 0) {
    throw reader.refusal("n_group", groups, `it must divide n_routed_experts, ${count}`);
  }
  if (count / groups < judgedBy) {
    throw reader.refusal("n_group", groups, `groups of ${judgedBy} experts or more are judged`);
  }
  if (!chosen || chosen > groups) {
    throw reader.refusal("topk_group", chosen, `expected a number up to n_group, ${groups}`);
  }
  if (config.num_experts_per_tok > (chosen * count) / groups) {
    throw reader.refusal(
      "num_experts_per_tok",
      config.num_experts_per_tok,
      `${chosen} groups hold only ${(chosen * count) / groups} experts`,
    );
  }
  return { count: groups, chosen, judgedBy };
}
