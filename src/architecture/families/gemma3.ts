import { t } from "@vscode/l10n";
import * as z from "zod";
import { positive, size } from "../config";
import type { Rotary } from "../description";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import type { LineageTraits } from "../llamaLineage";
import { describeLineage, windowSize } from "../llamaLineage";
import { rotaryOfKind } from "../rotaryByKind";
import { settleScheme } from "../settleScheme";
import { isLocal, gemma2Schema, gemma2Traits } from "./gemma2";

const schema = gemma2Schema.extend({
  // Released configs of the larger models leave out what Gemma3TextConfig has as a default.
  vocab_size: size.default(262_208),
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: size.default(26),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.default(4),
  max_position_embeddings: size.default(131_072),
  final_logit_softcapping: positive.nullable().default(null),
  sliding_window_pattern: size.default(6),
});

type Gemma3Config = z.infer<typeof schema>;

const traits: LineageTraits<Gemma3Config> = {
  ...gemma2Traits,
  family: "gemma3",
  schema,
  // Its attention has the key, but modeling_gemma3.py caps no scores.
  only: { ...gemma2Traits.only, attn_logit_softcapping: null },
  queryKeyNorm: "head",
  window: (config, layer) =>
    isLocal(config, layer, config.sliding_window_pattern) ? windowSize(config) : undefined,
  attention: ({ query_pre_attn_scalar }) => ({ scale: query_pre_attn_scalar ** -0.5 }),
  rotary: rotaryOfLayer,
};

/**
 * Gemma 3 (arXiv 2503.19786): Gemma 2 without caps, a norm on each head's queries and keys, five local
 * layers to a global one, with rotary bases of their own. Of a model that also sees images the language
 * model is read; what is measured is text.
 */
export const gemma3: Family = {
  name: "gemma3",
  recognises: ({ model_type: type }) => type === "gemma3_text" || type === "gemma3",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("gemma3", checkpoint, withTextConfig(config));
    const scheme = settleScheme(checkpoint, reader.config, asked);
    return describeLineage(
      reader,
      scheme,
      {
        ...traits,
        leftOut: () => ({
          tensors: /^(model\.)?(vision_tower|multi_modal_projector)\./,
          notice: t(
            "The checkpoint also holds an image encoder, which is left out: the text is measured.",
          ),
        }),
      },
      // The last two as transformers nested the language model before and after 4.52.
      ["", "model.", "language_model.model.", "model.language_model."],
    );
  },
};

/** The keys of the language model: those of `text_config` where the model sees images too. */
function withTextConfig(config: FamilyReader["config"]): FamilyReader["config"] {
  const { text_config: text, tie_word_embeddings } = config.value;
  if (typeof text !== "object" || text === null) return config;
  return {
    ...config,
    value: { ...(tie_word_embeddings !== undefined && { tie_word_embeddings }), ...text },
  };
}

const ownBase = z.object({ rope_local_base_freq: positive.default(10_000) });

/** Local layers have a base of their own, and only global ones are stretched. */
function rotaryOfLayer(
  reader: FamilyReader,
  config: Gemma3Config,
  layer: number,
  headSize: number,
): Rotary {
  if (!isLocal(config, layer, config.sliding_window_pattern)) {
    const base = config.rope_theta ?? 1_000_000;
    return rotaryOfKind(reader, config, "full_attention", headSize, base);
  }
  const { rope_local_base_freq: base } = reader.parse(ownBase);
  return rotaryOfKind(reader, config, "sliding_attention", headSize, base);
}
