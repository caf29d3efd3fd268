import * as z from "zod";
import { rows } from "../../checkpoint/views";
import { epsilon, flag, layerCount, size } from "../config";
import type { Architecture, LayerDescription, Linear } from "../description";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import type { NormKind, Sizes } from "../familyReader";
import { FamilyReader, partOf, plainAttention } from "../familyReader";
import { schemeNamed } from "../schemes";
import { settleScheme } from "../settleScheme";
import { everywhere, sublayers } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  n_embd: size,
  n_layer: layerCount,
  n_head: size,
  n_positions: size,
  n_inner: size.nullish(),
  activation_function: z.string().default("gelu_new"),
  layer_norm_epsilon: epsilon.default(1e-5),
  scale_attn_weights: flag,
  tie_word_embeddings: flag,
});

/**
 * GPT-2 (Radford et al., 2019): learned positions, a fused projection for query, key and value, and
 * linears stored transposed (modeling_gpt2.py of transformers).
 */
export const gpt2: Family = {
  name: "gpt2",
  recognises: (config) => config["model_type"] === "gpt2",
  describe: (checkpoint, config, asked): Architecture => {
    const reader = new FamilyReader("gpt2", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const { tensors } = reader;
    const parsed = reader.parse(schema);
    reader.requireOnly("scale_attn_by_inverse_layer_idx", false);
    reader.requireOnly("add_cross_attention", false);
    const { n_embd: hiddenSize, n_head: heads, n_layer: layerNumber } = parsed;
    const headSize = reader.headSize("n_head", heads, hiddenSize);
    const feedForwardSize = parsed.n_inner ?? 4 * hiddenSize;
    const activation = reader.activation("activation_function", parsed.activation_function);
    // A checkpoint of the stack alone (GPT2Model) lacks the prefix that the model with a head has.
    const prefix = tensors.has("wte.weight") ? "" : "transformer.";
    const hidden = { n_embd: hiddenSize };
    const inner = { n_inner: feedForwardSize };
    const norm: NormKind = { kind: "layer", epsilon: parsed.layer_norm_epsilon };

    const layer = (index: number): LayerDescription => {
      const path = `${prefix}h.${index}`;
      const conv = (name: string, output: Sizes, input: Sizes): Linear =>
        reader.linear(`${path}.${name}`, output, input, { isTransposed: true });
      const attention = () => {
        const fused = conv("attn.c_attn", { "3 × n_embd": 3 * hiddenSize }, hidden);
        const third = (at: number): Linear =>
          partOf(fused, (tensor) => rows(tensor, at * hiddenSize, (at + 1) * hiddenSize));
        const attention = plainAttention(heads, headSize, {
          query: third(0),
          key: third(1),
          value: third(2),
          output: conv("attn.c_proj", hidden, hidden),
        });
        return { ...attention, scale: parsed.scale_attn_weights === false ? 1 : attention.scale };
      };
      const feedForward = () => ({
        gate: undefined,
        up: conv("mlp.c_fc", inner, hidden),
        down: conv("mlp.c_proj", hidden, inner),
        activation,
      });
      return {
        path,
        ...sublayers(
          schemeNamed(scheme.name).placement(index, layerNumber),
          everywhere("ln_1", "ln_2"),
          {
            norm: (name) => reader.norm(`${path}.${name}`, hidden, norm),
            vector: (name) => tensors.take(`${path}.${name}`, hidden),
          },
          { attention, feedForward },
        ),
      };
    };

    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
    const positions = tensors.take(`${prefix}wpe.weight`, {
      n_positions: parsed.n_positions,
      ...hidden,
    });
    const layers = Array.from({ length: layerNumber }, (_, index) => layer(index));
    const finalNorm = reader.norm(`${prefix}ln_f`, hidden, norm);
    const head = reader.head("lm_head.weight", tokens, vocabulary, {
      isTied: parsed.tie_word_embeddings ?? true,
      isExpected: prefix !== "",
    });
    // Causal masks that old versions of transformers stored.
    tensors.ignore(/\.attn\.(bias|masked_bias)$/);
    return reader.finish({
      hiddenSize,
      heads,
      keyValueHeads: heads,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.n_positions,
      scheme,
      embedding: { ...plainEmbedding(tokens), positions: { table: positions, offset: 0 } },
      layers,
      finalNorm,
      head,
    });
  },
};
