import * as z from "zod";
import { layerCount, parseConfig, size } from "../config";
import { describeStack } from "../stack";
import type { Architecture } from "../description";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import type { Sizes } from "../familyReader";
import { FamilyReader, plainAttention } from "../familyReader";
import { describeGpt2, gpt2Sizes, plainGpt2 } from "../gpt2Lineage";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";
import { reshaped } from "../../checkpoint/views";

/** Layers, heads and channels of the names that stand for them as `model_type`. */
const presets: Readonly<Record<string, readonly [number, number, number]>> = {
  "openai-gpt": [12, 12, 768],
  gpt2: [12, 12, 768],
  "gpt2-medium": [24, 16, 1024],
  "gpt2-large": [36, 20, 1280],
  "gpt2-xl": [48, 25, 1600],
  "gopher-44m": [8, 16, 512],
  "gpt-mini": [6, 6, 192],
  "gpt-micro": [4, 4, 128],
  "gpt-nano": [3, 3, 48],
};

const settings = z
  .object({
    model_type: z.string().nullish(),
    n_layer: layerCount.nullish(),
    n_head: size.nullish(),
    n_embd: size.nullish(),
    block_size: size,
    vocab_size: size,
  })
  .transform(({ model_type: type, ...stated }) => {
    const [layers, heads, channels] = presets[type ?? ""] ?? [];
    return {
      ...stated,
      n_layer: stated.n_layer ?? layers,
      n_head: stated.n_head ?? heads,
      n_embd: stated.n_embd ?? channels,
    };
  })
  .pipe(
    z.object({
      ...gpt2Sizes,
      block_size: size,
      vocab_size: size,
    }),
  );

type Settings = z.infer<typeof settings>;

/**
 * minGPT (github.com/karpathy/minGPT, mingpt/model.py), its options at the top of the config, or
 * under `model` or `config`: as it first was, with a linear each for query, key and value, and as it later was, with
 * GPT-2's names.
 */
export const minGpt: Family = {
  name: "mingpt",
  recognises: (config, tensors) => {
    const options = optionsOf(config);
    const isFirst = tensors.has("tok_emb.weight") && tensors.has("blocks.0.attn.key.weight");
    // nanoGPT has an option for biases, and another activation.
    const isLater = tensors.has("transformer.wte.weight") && !("bias" in options);
    return "block_size" in options && (isFirst || isLater);
  },
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("mingpt", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const options = parseConfig({ ...config, value: optionsOf(config.value) }, settings);
    return reader.tensors.has("tok_emb.weight")
      ? describeFirst(reader, options, scheme)
      : describeGpt2(reader, {
          scheme,
          ...plainGpt2(options),
          vocabularySize: options.vocab_size,
          positions: { block_size: options.block_size },
          activation: "gelu_tanh",
          isTied: false,
        });
  },
};

function optionsOf(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const inner = config["model"] ?? config["config"];
  return typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : config;
}

function describeFirst(
  reader: FamilyReader,
  { n_layer, n_head: heads, n_embd: hiddenSize, block_size, vocab_size }: Settings,
  scheme: Architecture["scheme"],
): Architecture {
  const { tensors } = reader;
  const headSize = reader.headSize("n_head", heads, hiddenSize);
  const hidden = { n_embd: hiddenSize };
  const inner = { "4 × n_embd": 4 * hiddenSize };
  const linear = (path: string, output: Sizes = hidden, input: Sizes = hidden) =>
    reader.linear(path, output, input);
  const vocabulary = { vocab_size, ...hidden };
  const tokens = tensors.take("tok_emb.weight", vocabulary);
  const table = tensors.take("pos_emb", { one: 1, block_size, ...hidden });
  // Causal masks.
  tensors.ignore(/\.attn\.mask$/);
  return describeStack(reader, {
    scheme,
    heads,
    keyValueHeads: heads,
    hidden,
    feedForwardSize: 4 * hiddenSize,
    vocabularySize: vocab_size,
    contextLength: block_size,
    layerNumber: n_layer,
    layers: "blocks",
    norm: { kind: "layer", epsilon: 1e-5 },
    norms: everywhere("ln1", "ln2"),
    attention: (path) =>
      plainAttention(heads, headSize, {
        query: linear(`${path}.attn.query`),
        key: linear(`${path}.attn.key`),
        value: linear(`${path}.attn.value`),
        output: linear(`${path}.attn.proj`),
      }),
    feedForward: (path) => ({
      gate: undefined,
      up: linear(`${path}.mlp.0`, inner),
      down: linear(`${path}.mlp.2`, hidden, inner),
      activation: "gelu",
    }),
    embedding: {
      ...plainEmbedding(tokens),
      positions: { table: reshaped(table, [block_size, hiddenSize]), offset: 0 },
    },
    finalNorm: "ln_f",
    head: reader.head("head.weight", tokens, vocabulary, { isTied: false, isExpected: true }),
  });
}
