import * as z from "zod";
import { flag, parseConfig, size } from "../config";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { describeGpt2, gpt2Sizes, plainGpt2 } from "../gpt2Lineage";
import { settleScheme } from "../settleScheme";

const schema = z.object({
  model_args: z.object({
    ...gpt2Sizes,
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
      ...plainGpt2(parsed),
      vocabularySize: parsed.vocab_size,
      positions: { block_size: parsed.block_size },
      activation: "gelu",
      hasBias: parsed.bias,
      isTied: true,
    });
  },
};

/** Whether a value is an object with all of these keys. */
function hasKeys(value: unknown, keys: readonly string[]): boolean {
  return typeof value === "object" && value !== null && keys.every((key) => key in value);
}
