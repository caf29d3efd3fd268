import * as z from "zod";
import { flag, layerCount, parseConfig, size } from "../config";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeGpt2 } from "../gpt2Lineage";
import { settleScheme } from "../settleScheme";

const schema = z.object({
  model_args: z.object({
    n_layer: layerCount,
    n_head: size,
    n_embd: size,
    block_size: size,
    /** GPT-2's vocabulary, rounded up, where a run was not told of another. */
    vocab_size: size.nullish().transform((found) => found ?? 50_304),
    /** Absent before the option was: there were biases then. */
    bias: flag.transform((found) => found ?? true),
  }),
});

/** nanoGPT (github.com/karpathy/nanoGPT, model.py): GPT-2 with plain linears, its options under `model_args`. */
export const nanoGpt: Family = {
  name: "nanogpt",
  recognises: (config, tensors) =>
    hasKeys(config["model_args"], ["n_layer", "n_head", "n_embd", "block_size"]) &&
    tensors.has("transformer.wte.weight"),
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("nanogpt", checkpoint, config);
    const scheme = settleScheme(checkpoint, config, asked);
    const { model_args: parsed } = parseConfig(config, schema);
    return describeGpt2(reader, {
      scheme,
      vocabularySize: parsed.vocab_size,
      hiddenSize: parsed.n_embd,
      heads: parsed.n_head,
      keyValueHeads: parsed.n_head,
      fusedGroups: 1,
      layerNumber: parsed.n_layer,
      feedForwardSize: 4 * parsed.n_embd,
      positions: { block_size: parsed.block_size },
      activation: "gelu",
      epsilon: 1e-5,
      hasBias: parsed.bias,
      isTransposed: false,
      isTied: true,
      isScaled: true,
    });
  },
};

/** Whether a value is an object with all of these keys. */
function hasKeys(value: unknown, keys: readonly string[]): boolean {
  return typeof value === "object" && value !== null && keys.every((key) => key in value);
}
