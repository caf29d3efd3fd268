import type * as z from "zod";
import { size } from "../config";
import { lineageFamily, windowSize } from "../llamaLineage";
import { qwenFeedForward, qwenMoeSchema } from "../qwenMoe";
import { qwen3Traits } from "./qwen3";

const schema = qwenMoeSchema.extend({
  num_experts: size.default(128),
  num_experts_per_tok: size.default(8),
  moe_intermediate_size: size.default(768),
});

/** Qwen3-MoE (arXiv 2505.09388): Qwen3 with a mixture of experts and none for every token. */
export const qwen3Moe = lineageFamily<z.infer<typeof schema>>(
  {
    ...qwen3Traits,
    family: "qwen3-moe",
    // What transformers 5 writes.
    otherNames: { num_local_experts: "num_experts" },
    schema,
    // As in its config class, unlike the dense models'.
    defaultHeadSize: undefined,
    window: (config) => (config.use_sliding_window === true ? windowSize(config) : undefined),
    readFeedForward: (reading) => qwenFeedForward(reading, () => undefined),
  },
  (config) => config["model_type"] === "qwen3_moe",
);
