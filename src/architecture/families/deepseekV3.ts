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
  n_routed_experts: size.default(256),
  n_shared_experts: size.nullable().default(1),
  num_experts_per_tok: size.default(8),
  moe_intermediate_size: size.default(2048),
  first_k_dense_replace: z.int().nonnegative().default(3),
  n_group: size.default(8),
  topk_group: size.default(4),
  routed_scaling_factor: positive.default(2.5),
  norm_topk_prob: z
    .boolean()
    .nullish()
    .transform((stated) => stated ?? true),
  rope_interleave: z
    .boolean()
    .nullish()
    .transform((stated) => stated ?? true),
});

/** DeepSeek-V3 and R1 (arXiv 2412.19437): V2 with sigmoid scores, and a bias that balances the choice. */
export const deepseekV3 = lineageFamily<z.infer<typeof schema>>(
  {
    ...deepseekTraits,
    family: "deepseek-v3",
    schema,
    only: { ...deepseekTraits.only, scoring_func: "sigmoid", topk_method: "noaux_tc" },
    readAttention: (reading) => latentAttention(reading, reading.config.rope_interleave),
    readFeedForward: (reading) =>
      deepseekFeedForward(reading, (path, own, count) => ({
        ...own,
        scores: "sigmoid",
        choiceBias: reading.reader.tensors.take(`${path}.gate.e_score_correction_bias`, {
          n_routed_experts: count,
        }),
        groups: groupsOf(reading, count, 2),
        isNormalised: reading.config.norm_topk_prob,
      })),
    leftOut: ({ num_hidden_layers: layers }) => ({
      // The layers after the last, which predict tokens further on while the model is trained.
      tensors: new RegExp(`^(model\\.)?layers\\.${layers}\\.`),
      notice: `The checkpoint also holds a layer for multi-token prediction (layers.${layers}), which is left out: the next token is predicted without it.`,
    }),
  },
  (config) => config["model_type"] === "deepseek_v3",
);
