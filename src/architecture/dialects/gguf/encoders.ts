/** llama.cpp's architectures of encoders. */
import type { GgufArchitecture } from "./ggufArchitecture";
import { t5 } from "./t5";

/** BERT's layers, and those of what llama.cpp runs as BERT: RoBERTa without its first two positions. */
const bert: GgufArchitecture = {
  names: [
    [/^token_embd\./, "embeddings.word_embeddings."],
    [/^position_embd\./, "embeddings.position_embeddings."],
    [/^token_types\./, "embeddings.token_type_embeddings."],
    [/^token_embd_norm\./, "embeddings.LayerNorm."],
    [/^blk\.(\d+)\.attn_q\./, "encoder.layer.$1.attention.self.query."],
    [/^blk\.(\d+)\.attn_k\./, "encoder.layer.$1.attention.self.key."],
    [/^blk\.(\d+)\.attn_v\./, "encoder.layer.$1.attention.self.value."],
    [/^blk\.(\d+)\.attn_output\./, "encoder.layer.$1.attention.output.dense."],
    [/^blk\.(\d+)\.attn_output_norm\./, "encoder.layer.$1.attention.output.LayerNorm."],
    [/^blk\.(\d+)\.ffn_up\./, "encoder.layer.$1.intermediate.dense."],
    [/^blk\.(\d+)\.ffn_down\./, "encoder.layer.$1.output.dense."],
    [/^blk\.(\d+)\.layer_output_norm\./, "encoder.layer.$1.output.LayerNorm."],
    // Heads of other tasks, which tell no tokens.
    [/^cls\.output\./, "classifier."],
    [/^cls\./, "pooler.dense."],
  ],
  config: (keys) => {
    if (keys.need("attention.causal") !== false) {
      throw keys.refusal("attention.causal", "BERT attends to all tokens");
    }
    return {
      model_type: "bert",
      vocab_size: keys.shapeOf("token_embd.weight")[0],
      hidden_size: keys.need("embedding_length"),
      intermediate_size: keys.need("feed_forward_length"),
      num_hidden_layers: keys.need("block_count"),
      num_attention_heads: keys.need("attention.head_count"),
      max_position_embeddings: keys.shapeOf("position_embd.weight")[0],
      type_vocab_size: keys.shapeOf("token_types.weight")[0],
      layer_norm_eps: keys.need("attention.layer_norm_epsilon"),
      mask_token_id: keys.whole("tokenizer.ggml.mask_token_id"),
    };
  },
};

/** By `general.architecture`. */
export const encoders: Readonly<Record<string, GgufArchitecture>> = {
  bert,
  t5,
  t5encoder: t5,
};
