import { t } from "@vscode/l10n";
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
  num_nextn_predict_layers: size.max(100).default(1),
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
    otherNames: {
      num_local_experts: "n_routed_experts",
      num_mtp_layers: "num_nextn_predict_layers",
    },
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
    leftOut: ({ num_hidden_layers: layers, num_nextn_predict_layers: further }) => ({
      // They predict tokens further on while the model is trained.
      tensors: layersOf(layers, layers + further),
      notice: t(
        "The checkpoint also holds multi-token prediction (layers.{0} and what follows it), which is left out: the next token is predicted without it.",
        layers,
      ),
    }),
  },
  (config) => config["model_type"] === "deepseek_v3",
);

/** Tensors of the layers [start, end). */
function layersOf(start: number, end: number): RegExp {
  const indices = Array.from({ length: end - start }, (_, at) => start + at);
  return new RegExp(`^(model\\.)?layers\\.(${indices.join("|")})\\.`);
}
