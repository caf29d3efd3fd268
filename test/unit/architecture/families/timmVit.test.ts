import { expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
import type { Architecture } from "../../../../src/architecture/description";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture, readJson } from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import type { StoredTensors } from "../../support/safetensors";
import { byRules, float32Tensor, renameTensors } from "../../support/safetensors";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const stated = readJson(`${fixture("timm-vit")}/config.json`) as {
  model_args: Record<string, unknown>;
};

async function described(
  changes: Record<string, unknown>,
  weights: (tensors: StoredTensors) => void = () => undefined,
  name = "timm-vit",
): Promise<Architecture> {
  const folder = copyFixture(name, scratch());
  editConfig(folder, changes);
  editWeights(folder, weights);
  return describeArchitecture(await openCheckpoint(folder));
}

const withArguments = (changes: Record<string, unknown>) => ({
  model_args: { ...stated.model_args, ...changes },
});

it("tells what is pooled, and where the norm is, from the config and the tensors", async () => {
  const objectives = ["timm-vit", "timm-vit-registers", "timm-vit-mean"].map(
    async (name) => (await described({}, undefined, name)).objective,
  );
  expect(await Promise.all(objectives)).toEqual([
    { kind: "class" },
    { kind: "class", pooling: { after: 2, isOfNormed: false } },
    { kind: "class", pooling: { after: 0, isOfNormed: true } },
  ]);
});

it("reads LayerScale under the names of DeiT III's own files", async () => {
  const { layers, scheme } = await described(
    {},
    (tensors) => {
      renameTensors(tensors, byRules([/ls(\d)\.gamma$/, "gamma_$1"]));
    },
    "timm-vit-registers",
  );
  expect(scheme.name).toBe("layerscale");
  expect(layers[1]!.feedForward.branchScale).toMatchObject({ name: "blocks.1.gamma_2" });
});

it("knows the ε and the activation that an architecture's name stands for", async () => {
  const read = await described({}, undefined, "timm-vit-clip");
  expect(read.finalNorm!.epsilon).toBe(1e-5);
  expect(read.layers[0]!.feedForward.module).toMatchObject({ activation: "quick_gelu" });
  const other = await described(withArguments({ act_layer: "gelu_tanh" }));
  expect(other.layers[0]!.feedForward.module).toMatchObject({ activation: "gelu_tanh" });
});

it.each([
  [{ architecture: "resnet50" }, '"architecture" is "resnet50"; supported are vit_*'],
  [{ architecture: "vit_base_patch16_siglip_224" }, "its activation differs"],
  [withArguments({ num_heads: null }), "has 24 channels instead of 768"],
  [withArguments({ num_heads: 5 }), '"model_args.num_heads" is 5; it must divide the hidden size'],
  [withArguments({ norm_layer: "rmsnorm" }), '"model_args.norm_layer" is "rmsnorm"'],
  [withArguments({ act_layer: "mish" }), '"model_args.act_layer" is "mish"'],
  [withArguments({ img_size: [9, 12] }), "it must divide model_args.img_size, 9 × 12"],
  [withArguments({ img_size: [8, 16] }), "pos_embed"],
  [{ ...withArguments({ global_pool: null }), global_pool: "max" }, '"global_pool" is "max"'],
])("is refused with %j", async (changes, words) => {
  expect(await failureOf(described(changes), CheckpointError)).toContain(words);
});

it("is refused with a pooling of its own", async () => {
  const read = described({}, (tensors) => tensors.set("attn_pool.latent", float32Tensor([1], [1])));
  expect(await failureOf(read, CheckpointError)).toContain("attn_pool.latent");
});

it("has no loss without a head", async () => {
  const { head, whyNoHead } = await described({ num_classes: 0 }, (tensors) => {
    tensors.delete("head.weight");
    tensors.delete("head.bias");
  });
  expect(head).toBeUndefined();
  expect(whyNoHead).toContain("no head that tells classes");
});

it("has no biases after its projections where the model was made so", async () => {
  const { layers } = await described({}, (tensors) => {
    for (const name of [...tensors.keys()]) {
      if (/\.(attn\.proj|mlp\.fc[12])\.bias$/.test(name)) tensors.delete(name);
    }
  });
  const { attention, feedForward } = layers[0]!;
  expect(attention.module.output.bias).toBeUndefined();
  expect(feedForward.module).toMatchObject({ up: { bias: undefined }, down: { bias: undefined } });
});
