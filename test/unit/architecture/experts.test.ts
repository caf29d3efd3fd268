import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture, MixtureOfExperts } from "../../../src/architecture/description";
import { isMixture } from "../../../src/architecture/description";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../src/checkpoint/readTensor";
import { copyFixture, editConfig, editWeights, fixture, readJson } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("a mixture of experts", () => {
  it.each([
    ["mixtral", "mixtral-fused"],
    ["qwen3-moe", "qwen3-moe-fused"],
  ])("of %s has the same numbers in both layouts, read in place", async (apart, fused) => {
    const [one, other] = [
      mixtureOf(await described(fixture(apart)), 1),
      await described(fixture(fused)),
    ];
    for (const [index, expert] of mixtureOf(other, 1).experts.entries()) {
      for (const part of ["gate", "up", "down"] as const) {
        const weight = expert[part]!.weight;
        expect(isReadInPlace(weight)).toBe(true);
        const same = one.experts[index]![part]!.weight;
        expect(weight.shape).toEqual(same.shape);
        expect(await readTensor(weight)).toEqual(await readTensor(same));
      }
    }
  });

  it("of Qwen2 stands in the layers that the config gives it, beside a gated shared expert", async () => {
    const { layers } = await described(fixture("qwen2-moe"));
    expect(layers.map(({ feedForward }) => isMixture(feedForward.module))).toEqual([
      true,
      false,
      true,
    ]);
    const { shared, router } = mixtureOf({ layers }, 0);
    expect(shared?.gate?.weight.shape).toEqual([1, 24]);
    expect(router).toMatchObject({ chosen: 2, isNormalised: false, scores: "softmax" });
  });

  it("of DeepSeek-V3 is chosen from the best groups, by scores with a bias", async () => {
    const architecture = await described(fixture("deepseek-v3"));
    expect(isMixture(architecture.layers[0]!.feedForward.module)).toBe(false);
    expect(mixtureOf(architecture, 1).router).toMatchObject({
      choiceBias: { shape: [6] },
      groups: { count: 3, chosen: 2, judgedBy: 2 },
      isNormalised: true,
      scale: 2.5,
      scores: "sigmoid",
    });
  });

  it("with layers for multi-token prediction is read without them, and says so", async () => {
    const folder = copyFixture("deepseek-v3", scratch());
    editWeights(folder, (tensors) => {
      tensors.set("model.layers.3.eh_proj.weight", float32Tensor([1, 2], [1, 2]));
    });
    const { layers, notices } = await described(folder);
    expect(layers).toHaveLength(3);
    expect(notices?.join()).toContain("multi-token prediction (layers.3");
    editWeights(folder, (tensors) => {
      tensors.set("model.layers.4.eh_proj.weight", float32Tensor([1, 2], [1, 2]));
    });
    expect(await failureOf(described(folder), CheckpointError)).toContain("model.layers.4.eh_proj");
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ["mixtral", { num_experts_per_tok: 6 }, ['"num_experts_per_tok" is 6', "num_local_experts, 5"]],
    [
      "mixtral",
      { num_local_experts: 6 },
      ['"model.layers.0.block_sparse_moe.gate.weight"', "[6, 24]"],
    ],
    ["qwen3-moe", { decoder_sparse_step: 0 }, ['"decoder_sparse_step" is 0']],
    ["deepseek-v2", { norm_topk_prob: true }, ['"norm_topk_prob" is true', "only false"]],
    ["deepseek-v2", { topk_method: "noaux_tc" }, ['"topk_method" is "noaux_tc"']],
    ["deepseek-v2", { n_group: 4 }, ['"n_group" is 4', "must divide n_routed_experts, 6"]],
    ["deepseek-v2", { topk_group: 4 }, ['"topk_group" is 4', "up to n_group, 3"]],
    ["deepseek-v2", { num_key_value_heads: 2 }, ['"num_key_value_heads" is 2', "latent attention"]],
    ["deepseek-v3", { scoring_func: "softmax" }, ['"scoring_func" is "softmax"', 'only "sigmoid"']],
    ["deepseek-v3", { n_group: 6 }, ['"n_group" is 6', "2 experts or more"]],
    [
      "deepseek-v3",
      { num_experts_per_tok: 5 },
      ['"num_experts_per_tok" is 5', "2 groups hold only 4 experts"],
    ],
    ["deepseek-v3", { moe_layer_freq: 2 }, ['"moe_layer_freq" is 2']],
    ["deepseek-v3", { qk_rope_head_dim: 7 }, ['"qk_rope_head_dim" is 7', "even number"]],
  ])("of %s with %j is refused", async (name, changes, words) => {
    const folder = copyFixture(name, scratch());
    editConfig(folder, changes);
    const message = await failureOf(described(folder), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });

  it("of DeepSeek-V3 is read as released, with keys that change nothing", async () => {
    const folder = copyFixture("deepseek-v3", scratch());
    const config = readJson(join(folder, "config.json")) as Record<string, unknown>;
    editConfig(folder, {
      ...config,
      moe_layer_freq: 1,
      norm_topk_prob: undefined,
      scoring_func: "sigmoid",
      topk_method: "noaux_tc",
    });
    expect(mixtureOf(await described(folder), 2).router.isNormalised).toBe(true);
  });
});

function mixtureOf({ layers }: Pick<Architecture, "layers">, layer: number): MixtureOfExperts {
  const { module } = layers[layer]!.feedForward;
  if (!isMixture(module)) throw new Error(`Layer ${layer} has no mixture.`);
  return module;
}

async function described(folder: string): Promise<Architecture> {
  return describeArchitecture(await openCheckpoint(folder));
}
