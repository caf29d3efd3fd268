import { expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
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

it("says of a whole T5 that its encoder alone is measured, and why", async () => {
  const folder = copyFixture("t5-encoder", scratch());
  editWeights(folder, (tensors) => {
    const norm = tensors.get("encoder.final_layer_norm.weight")!;
    tensors.set("decoder.final_layer_norm.weight", norm);
    for (const layer of [0, 1])
      tensors.set(`decoder.block.${layer}.layer.0.layer_norm.weight`, norm);
  });
  const { whyNoHead, notices } = await described(folder);
  expect(whyNoHead).toContain("only the encoder is measured");
  expect(notices![0]).toContain("layers of the encoder alone. The 2 layers of the decoder are not");
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
