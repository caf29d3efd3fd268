import * as z from "zod";
import { epsilon, flag, size } from "../config";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeRotaryDecoder, rotaryDecoderKeys } from "../rotaryDecoder";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  ...rotaryDecoderKeys,
  sliding_window: size.nullish(),
  // Grouped by default, unlike in other families.
  num_key_value_heads: size.nullish().default(2),
  hidden_act: z.string().default("gelu_pytorch_tanh"),
  norm_epsilon: epsilon.default(1e-5),
  use_bias: flag,
});

/**
 * StarCoder2 (arXiv 2402.19173): layer norms and a feed-forward without a gate around Llama's
 * attention, with biases (modeling_starcoder2.py of transformers).
 */
export const starcoder2: Family = {
  name: "starcoder2",
  recognises: (config) => config["model_type"] === "starcoder2",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("starcoder2", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const hasBias = parsed.use_bias ?? true;
    return describeRotaryDecoder(reader, parsed, {
      scheme,
      defaultShare: 1,
      norm: { kind: "layer", epsilon: parsed.norm_epsilon },
      norms: everywhere("input_layernorm", "post_attention_layernorm"),
      finalNorm: "norm",
      projections: { isFused: false, hasBias },
      output: { name: "o_proj", hasBias },
      window: parsed.sliding_window ?? undefined,
      feedForward: (path, hidden, inner) =>
        reader.feedForward(
          { up: `${path}.c_fc`, down: `${path}.c_proj` },
          inner,
          hidden,
          reader.activation("hidden_act", parsed.hidden_act),
          { hasBias },
        ),
      isTied: true,
      hasHeadBias: false,
    });
  },
};
