import * as z from "zod";
import { epsilon, flag } from "../config";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeRotaryDecoder, rotaryDecoderKeys } from "../rotaryDecoder";
import { parallelUnless, settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  ...rotaryDecoderKeys,
  hidden_act: z.string().default("gelu_new"),
  layer_norm_eps: epsilon.default(1e-5),
  qk_layernorm: flag,
});

/**
 * Phi-1, 1.5 and 2 (arXiv 2306.11644, 2309.05463): parallel sublayers that share a norm, half of each
 * head rotated, and biases everywhere (modeling_phi.py of transformers).
 */
export const phi: Family = {
  name: "phi",
  recognises: (config) => config["model_type"] === "phi",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("phi", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked, parallelUnless(false));
    const parsed = reader.parse(schema);
    const norm = { kind: "layer", epsilon: parsed.layer_norm_eps } as const;
    return describeRotaryDecoder(reader, parsed, {
      scheme,
      defaultShare: 0.5,
      norm,
      norms: everywhere("input_layernorm", "input_layernorm"),
      finalNorm: "final_layernorm",
      projections: { isFused: false, hasBias: true },
      output: { name: "dense", hasBias: true },
      window: undefined,
      attention: (path, { headSize }) => {
        if (parsed.qk_layernorm !== true) return {};
        const ofHead = (name: string) =>
          reader.norm(`${path}.${name}`, { "head size": headSize }, norm);
        return { queryNorm: ofHead("q_layernorm"), keyNorm: ofHead("k_layernorm") };
      },
      feedForward: (path, hidden, inner) =>
        reader.feedForward(
          { up: `${path}.fc1`, down: `${path}.fc2` },
          inner,
          hidden,
          reader.activation("hidden_act", parsed.hidden_act),
        ),
      isTied: false,
      hasHeadBias: true,
    });
  },
};
