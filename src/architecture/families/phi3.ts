import * as z from "zod";
import { rows } from "../../checkpoint/views";
import { epsilon, size } from "../config";
import type { Family } from "../family";
import { FamilyReader, partOf } from "../familyReader";
import { describeRotaryDecoder, rotaryDecoderKeys } from "../rotaryDecoder";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  ...rotaryDecoderKeys,
  sliding_window: size.nullish(),
  original_max_position_embeddings: size.nullish().default(4096),
  hidden_act: z.string().default("silu"),
  rms_norm_eps: epsilon.default(1e-5),
});

/**
 * Phi-3 and Phi-4 (arXiv 2404.14219, 2412.08905): Llama's layers with query, key and value in one
 * linear, and gate and up in another (modeling_phi3.py of transformers).
 */
export const phi3: Family = {
  name: "phi3",
  recognises: (config) => config["model_type"] === "phi3",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("phi3", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const rotation = parsed.rope_parameters ?? parsed.rope_scaling;
    const kind = rotation?.rope_type ?? rotation?.type;
    if (kind === "yarn") {
      // transformers reads it as LongRoPE here; the first Phi-3 meant another thing by it.
      throw reader.refusal("rope_scaling.type", kind, "supported are default, su and longrope");
    }
    const rowsOfEach = parsed.intermediate_size;
    return describeRotaryDecoder(reader, parsed, {
      scheme,
      defaultShare: 1,
      norm: { kind: "rms", epsilon: parsed.rms_norm_eps },
      norms: everywhere("input_layernorm", "post_attention_layernorm"),
      finalNorm: "norm",
      projections: { isFused: true, hasBias: false },
      output: { name: "o_proj", hasBias: false },
      window: parsed.sliding_window ?? undefined,
      feedForward: (path, hidden, inner) => {
        const both = { "2 × intermediate_size": 2 * rowsOfEach };
        const fused = reader.linear(`${path}.gate_up_proj`, both, hidden, { hasBias: false });
        return {
          gate: partOf(fused, (tensor) => rows(tensor, 0, rowsOfEach)),
          up: partOf(fused, (tensor) => rows(tensor, rowsOfEach, 2 * rowsOfEach)),
          down: reader.linear(`${path}.down_proj`, hidden, inner, { hasBias: false }),
          activation: reader.activation("hidden_act", parsed.hidden_act),
        };
      },
      isTied: false,
      hasHeadBias: false,
    });
  },
};
