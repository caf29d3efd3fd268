import type { TensorEntry } from "../../../checkpoint/checkpoint";
import { readTensor } from "../../../checkpoint/readTensor";
import { rows } from "../../../checkpoint/views";
import type { Stack } from "../../description";
import type { Names } from "../names";
import type { GgufArchitecture, Tensors } from "./ggufArchitecture";
import type { Keys } from "./keys";
import { renamedBeside } from "./undo";

/** T5, whole or its encoder alone. */
export const t5: GgufArchitecture = {
  names: [
    [/^token_embd\./, "shared."],
    [/^output\./, "lm_head."],
    ...namesOfStack("enc", "encoder", { feedForward: 1 }),
    ...namesOfStack("dec", "decoder", { crossAttention: 1, feedForward: 2 }),
  ],
  undo: [
    // Beside a gate, what it is multiplied by has a number.
    renamedBeside(/\.wi_0\./, /\.wi\./, ".wi_1."),
  ],
  config: async (keys, tensors) => ({
    model_type: "t5",
    vocab_size: keys.shapeOf("token_embd.weight")[0],
    d_model: keys.need("embedding_length"),
    d_kv: keys.need("attention.key_length"),
    d_ff: keys.need("feed_forward_length"),
    num_layers: keys.need("block_count"),
    num_decoder_layers: keys.get("decoder_block_count"),
    num_heads: keys.need("attention.head_count"),
    relative_attention_num_buckets: keys.need("attention.relative_buckets_count"),
    // What llama.cpp has for all of them.
    relative_attention_max_distance: 128,
    layer_norm_epsilon:
      keys.get("attention.layer_norm_rms_epsilon") ?? keys.need("attention.layer_norm_epsilon"),
    feed_forward_proj: keys.has("enc.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu",
    decoder_start_token_id: keys.get("decoder_start_token_id"),
    eos_token_id: keys.whole("tokenizer.ggml.eos_token_id"),
    ...(await headOf(keys, tensors)),
  }),
};

/** Sublayers are numbered from the attention, 0, on. */
function namesOfStack(
  ours: "enc" | "dec",
  theirs: Stack,
  at: { readonly crossAttention?: number; readonly feedForward: number },
): Names {
  const layer = `${theirs}.block.$1.layer`;
  const attention = (kind: string, module: string, place: number): Names => [
    [
      new RegExp(`^${ours}\\.blk\\.(\\d+)\\.${kind}_([qkvo])\\.`),
      `${layer}.${place}.${module}.$2.`,
    ],
    [
      new RegExp(`^${ours}\\.blk\\.(\\d+)\\.${kind}_rel_b\\.`),
      `${layer}.${place}.${module}.relative_attention_bias.`,
    ],
    [new RegExp(`^${ours}\\.blk\\.(\\d+)\\.${kind}_norm\\.`), `${layer}.${place}.layer_norm.`],
  ];
  const feedForward = (part: string, module: string): Names[number] => [
    new RegExp(`^${ours}\\.blk\\.(\\d+)\\.ffn_${part}\\.`),
    `${layer}.${at.feedForward}.${module}.`,
  ];
  return [
    [new RegExp(`^${ours}\\.output_norm\\.`), `${theirs}.final_layer_norm.`],
    ...attention("attn", "SelfAttention", 0),
    ...(at.crossAttention === undefined
      ? []
      : attention("cross_attn", "EncDecAttention", at.crossAttention)),
    feedForward("norm", "layer_norm"),
    feedForward("gate", "DenseReluDense.wi_0"),
    feedForward("up", "DenseReluDense.wi"),
    feedForward("down", "DenseReluDense.wo"),
  ];
}

/**
 * Whether the head is the embedding, before which T5 scales the state: the format does not state it, and
 * some files hold the embedding twice. T5 1.1 and its kin have a head of its own, and scale nothing.
 */
async function headOf(keys: Keys, tensors: Tensors): Promise<object> {
  const [embedding, head] = [tensors.get("token_embd.weight"), tensors.get("output.weight")];
  if (!keys.has("dec.output_norm.weight") || embedding === undefined) return {};
  if (head === undefined) return { tie_word_embeddings: true };
  const isCopy = await areAlike(embedding, head);
  return { tie_word_embeddings: false, scale_decoder_outputs: isCopy };
}

/** Rows that are compared: of two matrices trained apart, not one is alike. */
const comparedRows = 8;

/** Whether the first rows of both point the same way; rounding to blocks turns them a little. */
async function areAlike(one: TensorEntry, other: TensorEntry): Promise<boolean> {
  if (one.shape.length !== 2 || one.shape.join() !== other.shape.join()) return false;
  const count = Math.min(comparedRows, one.shape[0]!);
  const [a, b] = [await readTensor(rows(one, 0, count)), await readTensor(rows(other, 0, count))];
  const product = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return product(a, b) > 0.9 * Math.sqrt(product(a, a) * product(b, b));
}
