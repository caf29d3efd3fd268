import * as z from "zod";
import { flag, lineageSchema, size } from "./config";
import type { FeedForward, MixtureOfExperts } from "./description";
import { readExperts, softmaxRouter } from "./experts";
import type { ModuleReading } from "./llamaLineage";
import { gatedFeedForward } from "./llamaLineage";

/** The keys that Qwen2-MoE and Qwen3-MoE share; their defaults differ. */
export const qwenMoeSchema = lineageSchema.extend({
  num_experts: size,
  num_experts_per_tok: size,
  moe_intermediate_size: size,
  norm_topk_prob: flag,
  decoder_sparse_step: size.default(1),
  mlp_only_layers: z.array(z.int().nonnegative()).nullish(),
});

export type QwenMoeConfig = z.infer<typeof qwenMoeSchema>;

/** What the experts of a layer are called, and the linears of each. */
export const expertNames = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

/** A layer's mixture of experts, or its plain feed-forward where the config says that it has none. */
export function qwenFeedForward(
  reading: ModuleReading<QwenMoeConfig>,
  shared: (path: string) => MixtureOfExperts["shared"],
): FeedForward | MixtureOfExperts {
  const { config, layer } = reading;
  const path = `${reading.path}.mlp`;
  const isSparse =
    config.mlp_only_layers?.includes(layer) !== true &&
    (layer + 1) % config.decoder_sparse_step === 0;
  if (!isSparse) {
    return gatedFeedForward(reading, path, { intermediate_size: config.intermediate_size });
  }
  const count = { num_experts: config.num_experts };
  return {
    router: softmaxRouter(reading, `${path}.gate`, count, config.norm_topk_prob ?? false),
    experts: readExperts(reading, {
      path: `${path}.experts`,
      count,
      inner: { moe_intermediate_size: config.moe_intermediate_size },
      names: expertNames,
    }),
    shared: shared(path),
  };
}
