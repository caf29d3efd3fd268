import * as z from "zod";
import { epsilon, flag, layerCount, size } from "../config";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeGpt2 } from "../gpt2Lineage";
import { settleScheme } from "../settleScheme";

/** The keys of config.json that GPT-2 and GPT-BigCode share, under Hugging Face's names. */
const keys = {
  vocab_size: size,
  n_embd: size,
  n_layer: layerCount,
  n_head: size,
  n_positions: size,
  n_inner: size.nullish(),
  layer_norm_epsilon: epsilon.default(1e-5),
  scale_attn_weights: flag,
  scale_attn_by_inverse_layer_idx: flag,
  tie_word_embeddings: flag,
};

/** GPT-2 (Radford et al., 2019): linears are stored transposed (modeling_gpt2.py of transformers). */
export const gpt2 = gpt2Family("gpt2", "gelu_new", () => ({ isTransposed: true }));

/**
 * A family with GPT-2's config and tensor names.
 *
 * @param traits in what it differs from linears stored [output, input] and as many key-value heads
 */
export function gpt2Family(
  modelType: string,
  defaultActivation: string,
  traits: (
    config: Readonly<Record<string, unknown>>,
    heads: number,
  ) => { isTransposed?: boolean; keyValueHeads?: number; fusedGroups?: number },
): Family {
  const name = modelType.replaceAll("_", "-");
  const schema = z.object({ ...keys, activation_function: z.string().default(defaultActivation) });
  return {
    name,
    recognises: (config) => config["model_type"] === modelType,
    describe: (checkpoint, config, asked) => {
      const reader = new FamilyReader(name, checkpoint, config);
      const scheme = settleScheme(checkpoint, config, asked);
      const parsed = reader.parse(schema);
      reader.requireOnly("add_cross_attention", false);
      return describeGpt2(reader, {
        scheme,
        vocabularySize: parsed.vocab_size,
        hiddenSize: parsed.n_embd,
        heads: parsed.n_head,
        keyValueHeads: parsed.n_head,
        fusedGroups: 1,
        layerNumber: parsed.n_layer,
        feedForwardSize: parsed.n_inner ?? 4 * parsed.n_embd,
        positions: { n_positions: parsed.n_positions },
        activation: reader.activation("activation_function", parsed.activation_function),
        epsilon: parsed.layer_norm_epsilon,
        hasBias: true,
        isTransposed: false,
        isTied: parsed.tie_word_embeddings ?? true,
        isScaled: parsed.scale_attn_weights ?? true,
        isScaledByDepth: parsed.scale_attn_by_inverse_layer_idx ?? false,
        ...traits(config.value, parsed.n_head),
      });
    },
  };
}
