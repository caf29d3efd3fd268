import * as z from "zod";
import { epsilon, flag } from "../config";
import type { Norm } from "../description";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeRotaryDecoder, rotaryDecoderKeys } from "../rotaryDecoder";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  ...rotaryDecoderKeys,
  hidden_act: z.string().default("silu"),
  layer_norm_eps: epsilon.default(1e-5),
  use_qkv_bias: flag,
  qk_layernorm: flag,
});

/**
 * StableLM 2 and StableLM 3B (arXiv 2402.17834): Llama with layer norms and a quarter of each head
 * rotated; the larger ones have parallel sublayers that share a norm, and a norm for each head's
 * queries and keys (modeling_stablelm.py of transformers).
 */
export const stableLm: Family = {
  name: "stablelm",
  recognises: (config) => ["stablelm", "stablelm_epoch"].includes(config["model_type"] as string),
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("stablelm", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const norm = { kind: "layer", epsilon: parsed.layer_norm_eps } as const;
    const inputNorm = "input_layernorm";
    return describeRotaryDecoder(reader, parsed, {
      scheme,
      defaultShare: 0.25,
      norm,
      norms: everywhere(
        inputNorm,
        scheme.name === "parallel" ? inputNorm : "post_attention_layernorm",
      ),
      finalNorm: "norm",
      projections: { isFused: false, hasBias: parsed.use_qkv_bias ?? false },
      output: { name: "o_proj", hasBias: false },
      window: undefined,
      attention: (path, { heads, keyValueHeads, headSize }) => {
        if (parsed.qk_layernorm !== true) return {};
        const ofEachHead = (name: string, count: number): Norm[] =>
          Array.from({ length: count }, (_, head) =>
            reader.norm(
              `${path}.${name}.norms.${head}`,
              { "head size": headSize },
              { ...norm, hasBias: false },
            ),
          );
        return {
          headNorms: {
            query: ofEachHead("q_layernorm", heads),
            key: ofEachHead("k_layernorm", keyValueHeads),
          },
        };
      },
      feedForward: (path, hidden, inner) => {
        const linear = (name: string, ...sizes: [typeof hidden, typeof hidden]) =>
          reader.linear(`${path}.${name}`, ...sizes, { hasBias: false });
        return {
          gate: linear("gate_proj", inner, hidden),
          up: linear("up_proj", inner, hidden),
          down: linear("down_proj", hidden, inner),
          activation: reader.activation("hidden_act", parsed.hidden_act),
        };
      },
      isTied: false,
      hasHeadBias: false,
    });
  },
};
