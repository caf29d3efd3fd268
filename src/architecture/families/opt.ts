import { t } from "@vscode/l10n";
import * as z from "zod";
import { flag, layerCount, size } from "../config";
import { describeStack } from "../stack";
import type { Head } from "../description";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  ffn_dim: size,
  max_position_embeddings: size,
  do_layer_norm_before: flag,
  _remove_final_layer_norm: flag,
  word_embed_proj_dim: size.nullish(),
  enable_bias: flag,
  layer_norm_elementwise_affine: flag,
  activation_function: z.string().default("relu"),
  tie_word_embeddings: flag,
});

/** A sequence begins at this row of the table of positions. */
const offset = 2;

/**
 * OPT (arXiv 2205.01068): learned positions and ReLU; the 350M model is Post-LN, and its embedding and
 * head have fewer channels than the stream. Galactica (arXiv 2211.09085) has neither biases nor weights of
 * norms (modeling_opt.py of transformers).
 */
export const opt: Family = {
  name: "opt",
  recognises: (config) => config["model_type"] === "opt",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("opt", checkpoint, config);
    const { tensors } = reader;
    const parsed = reader.parse(schema);
    const isPostNorm = parsed.do_layer_norm_before === false;
    const scheme = settleScheme(
      checkpoint,
      config,
      asked,
      isPostNorm
        ? { name: "post-ln", source: t('"do_layer_norm_before" is false in config.json') }
        : undefined,
    );
    const { hidden_size: hiddenSize, num_attention_heads: heads } = parsed;
    const headSize = reader.headSize("num_attention_heads", heads, hiddenSize);
    // OPTForCausalLM, OPTModel and its decoder alone.
    const prefix = ["model.decoder.", "decoder.", ""].find((candidate) =>
      tensors.has(`${candidate}embed_tokens.weight`),
    );
    const path = prefix ?? "model.decoder.";
    const hidden = { hidden_size: hiddenSize };
    const inner = { ffn_dim: parsed.ffn_dim };
    const embedded = { word_embed_proj_dim: parsed.word_embed_proj_dim ?? hiddenSize };
    const isProjected = embedded.word_embed_proj_dim !== hiddenSize;
    const vocabulary = { vocab_size: parsed.vocab_size, ...embedded };
    const tokens = tensors.take(`${path}embed_tokens.weight`, vocabulary);
    const places = parsed.max_position_embeddings + offset;
    const table = tensors.take(
      `${path}embed_positions.weight`,
      { "max_position_embeddings + 2": places },
      hidden,
    );
    const hasBias = parsed.enable_bias ?? true;
    const projection = (name: string, output: typeof hidden | typeof embedded) => {
      const input = output === hidden ? embedded : hidden;
      return reader.linear(`${path}${name}`, output, input, { hasBias: false });
    };
    const head = reader.head("lm_head.weight", tokens, vocabulary, {
      isTied: parsed.tie_word_embeddings ?? true,
      isExpected: path === "model.decoder.",
    });
    const projected = (plain: Head): Head => ({
      ...plain,
      transform: {
        dense: projection("project_out", embedded),
        activation: undefined,
        norm: undefined,
      },
    });
    const hasFinalNorm = !isPostNorm && parsed._remove_final_layer_norm !== true;
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize: parsed.ffn_dim,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.max_position_embeddings,
      layerNumber: parsed.num_hidden_layers,
      layers: `${path}layers`,
      norm: {
        kind: "layer",
        hasWeight: parsed.layer_norm_elementwise_affine ?? true,
        epsilon: 1e-5,
      },
      norms: everywhere("self_attn_layer_norm", "final_layer_norm"),
      attention: (layer) => {
        const part = (name: string) =>
          reader.linear(`${layer}.self_attn.${name}`, hidden, hidden, { hasBias });
        return plainAttention(heads, headSize, {
          query: part("q_proj"),
          key: part("k_proj"),
          value: part("v_proj"),
          output: part("out_proj"),
        });
      },
      feedForward: (layer) =>
        reader.feedForward(
          { up: `${layer}.fc1`, down: `${layer}.fc2` },
          inner,
          hidden,
          reader.activation("activation_function", parsed.activation_function),
          { hasBias },
        ),
      embedding: {
        ...plainEmbedding(tokens),
        tokenProjection: isProjected ? projection("project_in", hidden) : undefined,
        positions: { table, offset },
      },
      finalNorm: hasFinalNorm ? `${path}final_layer_norm` : undefined,
      head: head && isProjected ? projected(head) : head,
    });
  },
};
