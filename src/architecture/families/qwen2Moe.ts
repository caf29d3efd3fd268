import * as z from "zod";
import { flag, size } from "../config";
import { gatedFeedForward, lineageFamily, windowSize } from "../llamaLineage";
import { qwenFeedForward, qwenMoeSchema } from "../qwenMoe";
import { llamaTraits } from "./llama";

const schema = qwenMoeSchema.extend({
  num_experts: size.default(60),
  num_experts_per_tok: size.default(4),
  moe_intermediate_size: size.default(1408),
  shared_expert_intermediate_size: size.default(5632),
  qkv_bias: flag,
  // transformers 5 writes 0 for none.
  sliding_window: z
    .literal(0)
    .transform(() => null)
    .or(size)
    .nullish(),
});

/** Qwen1.5-MoE and Qwen2-MoE (arXiv 2407.10671): many small experts, and a gated one for every token. */
export const qwen2Moe = lineageFamily<z.infer<typeof schema>>(
  {
    ...llamaTraits,
    family: "qwen2-moe",
    schema,
    biases: ({ qkv_bias }) => ({
      queryKeyValue: qkv_bias ?? true,
      attentionOutput: false,
      feedForward: false,
    }),
    // Unlike the dense models': every second of the first layers, where windows are switched on.
    window: (config, layer) => {
      if (config.use_sliding_window !== true) return undefined;
      const slides = config.layer_types
        ? config.layer_types[layer] === "sliding_attention"
        : layer % 2 === 0 && layer < (config.max_window_layers ?? 28);
      return slides ? windowSize(config) : undefined;
    },
    readFeedForward: (reading) =>
      qwenFeedForward(reading, (path) => {
        const { reader, config, hidden } = reading;
        const inner = { shared_expert_intermediate_size: config.shared_expert_intermediate_size };
        return {
          expert: gatedFeedForward(reading, `${path}.shared_expert`, inner),
          gate: reader.linear(`${path}.shared_expert_gate`, { "one gate": 1 }, hidden, {
            hasBias: false,
          }),
        };
      }),
  },
  (config) => config["model_type"] === "qwen2_moe",
);
