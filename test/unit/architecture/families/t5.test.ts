import { expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
import type { Stack } from "../../../../src/architecture/description";
import { sublayersOf } from "../../../../src/architecture/description";
import { readArchitecture } from "../../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture } from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

async function described(folder: string) {
  return describeArchitecture(await openCheckpoint(folder));
}

it("shares the first layer's table of relative biases among all layers of T5's encoder", async () => {
  const { layers, whyNoHead } = await described(fixture("t5-encoder"));
  const tables = layers.map(({ attention }) => attention.module.relativeBias?.table.name);
  expect(new Set(tables)).toEqual(
    new Set(["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]),
  );
  expect(layers[0]!.attention.module.scale).toBe(1);
  expect(whyNoHead).toBe("the checkpoint is an encoder without a head that tells tokens");
});

it("measures T5's decoder where there is one with a head, and the encoder where it is asked for", async () => {
  const checkpoint = await openCheckpoint(fixture("t5-decoder"));
  const decoder = describeArchitecture(checkpoint);
  expect(decoder.stack).toBe("decoder");
  expect(decoder.layers.map(({ path }) => path)).toEqual(
    [0, 1, 2].map((n) => `decoder.block.${n}`),
  );
  expect(decoder.encoder?.layers.map(({ path }) => path)).toEqual(
    [0, 1].map((n) => `encoder.block.${n}`),
  );
  expect(decoder.layers.map(sublayersOf)[0]).toEqual([
    "attention",
    "crossAttention",
    "feedForward",
  ]);
  expect(decoder.head).toMatchObject({ tied: true, scale: 1 / Math.sqrt(24) });
  expect(decoder.objective).toEqual({
    kind: "span-corruption",
    firstSentinel: 71,
    startToken: 0,
    endToken: 1,
  });

  const encoder = describeArchitecture(checkpoint, undefined, "encoder");
  expect(encoder.stack).toBe("encoder");
  expect(encoder.layers).toHaveLength(2);
  expect(encoder.whyNoHead).toContain("the encoder is measured");
  expect(encoder.notices![0]).toContain("layers of the encoder, without the decoder");
});

it("does not scale the state for a head of its own, in the configs of transformers 4 and 5", async () => {
  const folder = copyFixture("t5-v1_1-decoder", scratch());
  const before = await described(folder);
  expect(before.head).toMatchObject({ tied: false, scale: 1, weight: { name: "lm_head.weight" } });
  editConfig(folder, { tie_word_embeddings: true, scale_decoder_outputs: false });
  expect((await described(folder)).head).toEqual(before.head);
});

it("takes the decoder without a head for what it is: the encoder by default, no loss when asked", async () => {
  const folder = copyFixture("t5-decoder", scratch());
  editConfig(folder, { architectures: ["T5Model"] });
  expect((await described(folder)).stack).toBe("encoder");
  const { head, stack, whyNoHead } = describeArchitecture(
    await openCheckpoint(folder),
    undefined,
    "decoder",
  );
  expect({ head, stack, whyNoHead }).toEqual({
    head: undefined,
    stack: "decoder",
    whyNoHead: "the checkpoint's decoder has no head",
  });
});

it("takes a stack alone whose config states a head of its own for one without a head", async () => {
  const folder = copyFixture("t5-v1_1-decoder", scratch());
  editConfig(folder, { architectures: ["T5Model"] });
  editWeights(folder, (tensors) => tensors.delete("lm_head.weight"));
  const checkpoint = await openCheckpoint(folder);
  expect(describeArchitecture(checkpoint, undefined, "decoder").head).toBeUndefined();
  editConfig(folder, { architectures: ["T5ForConditionalGeneration"] });
  await expect(described(folder)).rejects.toThrow("lm_head.weight");
});

it("takes the first sentinel of released models from their tokenizer's size", async () => {
  const folder = copyFixture("t5-decoder", scratch());
  editConfig(folder, { vocab_size: 32128 });
  editWeights(folder, (tensors) => {
    tensors.set("shared.weight", {
      dtype: "F32",
      shape: [32128, 24],
      data: new Uint8Array(32128 * 96),
    });
  });
  expect((await described(folder)).objective).toMatchObject({ firstSentinel: 32099 });
});

it("ignores the table of relative biases that old checkpoints have in the cross-attention", async () => {
  const folder = copyFixture("t5-decoder", scratch());
  editWeights(folder, (tensors) => {
    const table = tensors.get(
      "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    )!;
    tensors.set("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", table);
  });
  expect((await described(folder)).layers).toHaveLength(3);
});

it("a stack that the checkpoint has not is refused", async () => {
  const asked = async (name: string, stack: Stack) =>
    readArchitecture(await openCheckpoint(fixture(name)), { stack });
  expect(await failureOf(asked("t5-encoder", "decoder"), CheckpointError)).toContain(
    'the stack "decoder" was asked for, but there is only an encoder',
  );
  expect(await failureOf(asked("llama", "decoder"), CheckpointError)).toContain("read as llama");
  expect((await asked("t5-encoder", "encoder")).architecture({}).stack).toBe("encoder");
});

it.each(["parallel", "deepnorm"] as const)(
  "the scheme %s is refused in a decoder",
  async (scheme) => {
    const checkpoint = await openCheckpoint(fixture("t5-decoder"));
    const described = Promise.resolve().then(() => describeArchitecture(checkpoint, scheme));
    expect(await failureOf(described, CheckpointError)).toContain(
      `the norm scheme ${scheme} is not`,
    );
  },
);

it.each([
  ["eos_token_id", 72, '"eos_token_id" is 72'],
  ["decoder_start_token_id", 99, '"decoder_start_token_id" is 99'],
  ["relative_attention_max_distance", 4, "it must exceed half of"],
])("T5's decoder is refused where %s is %s", async (key, value, message) => {
  const folder = copyFixture("t5-decoder", scratch());
  editConfig(folder, { [key]: value });
  expect(await failureOf(described(folder), CheckpointError)).toContain(message);
});

it.each([
  ["feed_forward_proj", "gated-mish", '"feed_forward_proj" is "mish"'],
  ["relative_attention_num_buckets", 6, '"relative_attention_num_buckets" is 6'],
  ["relative_attention_max_distance", 2, '"relative_attention_max_distance" is 2'],
])("T5 is refused where %s is %s", async (key, value, message) => {
  const folder = copyFixture("t5-encoder", scratch());
  editConfig(folder, { [key]: value });
  expect(await failureOf(described(folder), CheckpointError)).toContain(message);
});
