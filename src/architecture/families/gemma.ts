import * as z from "zod";
import { lineageSchema } from "../config";
import type { LineageTraits } from "../llamaLineage";
import { lineageFamily } from "../llamaLineage";

/** What the Gemmas share: norms stored as their distance from 1, and a scaled, tied embedding. */
export const gemmaTraits = {
  biases: ({ attention_bias }) => ({
    queryKeyValue: attention_bias ?? false,
    attentionOutput: attention_bias ?? false,
    feedForward: false,
  }),
  queryKeyNorm: false,
  defaultHeadSize: 256,
  window: () => undefined,
  norm: { weightOffset: 1 },
  // Rounded to the embedding's type where the model runs in bfloat16; here everything is float32.
  embeddingScale: ({ hidden_size }) => Math.sqrt(hidden_size),
  isTied: true,
  only: { use_bidirectional_attention: false },
} as const satisfies Partial<LineageTraits>;

/** Gemma (arXiv 2403.08295): Llama with those, and a GELU. */
export const gemma = lineageFamily(
  {
    ...gemmaTraits,
    family: "gemma",
    schema: lineageSchema.extend({ hidden_act: z.string().default("gelu_pytorch_tanh") }),
    // The released configs say "gelu" and mean its approximation, as GemmaConfig knows.
    activation: ({ hidden_act: name }) => [
      "hidden_act",
      name === "gelu" ? "gelu_pytorch_tanh" : name,
    ],
  },
  (config) => config["model_type"] === "gemma",
);
