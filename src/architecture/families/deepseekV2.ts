import * as z from "zod";
import { positive, size } from "../config";
import {
  deepseekFeedForward,
  deepseekSchema,
  deepseekTraits,
  groupsOf,
  latentAttention,
} from "../deepseek";
import { lineageFamily } from "../llamaLineage";

const schema = deepseekSchema.extend({
  n_routed_experts: size.default(64),
  n_shared_experts: size.nullable().default(2),
  moe_intermediate_size: size.default(1407),
  first_k_dense_replace: z.int().nonnegative().default(0),
  routed_scaling_factor: positive.default(1),
  topk_method: z.enum(["greedy", "group_limited_greedy"]).default("greedy"),
});

/** DeepSeek-V2 (arXiv 2405.04434): latent attention, and experts of which the best groups are asked. */
export const deepseekV2 = lineageFamily<z.infer<typeof schema>>(
  {
    ...deepseekTraits,
    family: "deepseek-v2",
    otherNames: { num_experts: "n_routed_experts" },
    schema,
    // DeepSeek's own code normalises or scales the weights; that of transformers only ever scales them.
    only: { ...deepseekTraits.only, norm_topk_prob: false, scoring_func: "softmax" },
    readAttention: (reading) => latentAttention(reading, true),
    readFeedForward: (reading) =>
      deepseekFeedForward(reading, (_, own, count) => ({
        ...own,
        scores: "softmax",
        choiceBias: undefined,
        groups: reading.config.topk_method === "greedy" ? undefined : groupsOf(reading, count, 1),
        isNormalised: false,
      })),
  },
  (config) => config["model_type"] === "deepseek_v2",
);
