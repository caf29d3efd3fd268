import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture } from "../../../src/architecture/description";
import { verifyCopies } from "../../../src/architecture/verifyCopies";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture, readJson } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("an OLMo", () => {
  it("has norms without parameters, and clamps", async () => {
    const { layers, finalNorm } = await described(fixture("olmo"));
    expect(layers[0]!.attention.inputNorm).toMatchObject({ kind: "layer", epsilon: 1e-5 });
    expect(layers[0]!.attention.inputNorm?.weight).toBeUndefined();
    expect(finalNorm?.bias).toBeUndefined();
    expect(layers[0]!.attention.module.clip).toBe(0.8);
  });

  it("of the second generation has its norms after each sublayer, by default", async () => {
    const { layers, scheme } = await described(fixture("olmo2"));
    expect(scheme).toEqual({ name: "reordered", source: "the default of the family" });
    expect(layers[0]!.attention.inputNorm).toBeUndefined();
    expect(layers[0]!.feedForward.branchNorm?.path).toBe(
      "model.layers.0.post_feedforward_layernorm",
    );
    expect(layers[0]!.attention.module).toMatchObject({
      normsSpan: "heads",
      keyNorm: { weight: { shape: [12] } },
    });
  });
});

describe("an OLMo of the third generation", () => {
  const changed = (changes: Record<string, unknown>): Promise<Architecture> => {
    const folder = copyFixture("olmo3", scratch());
    editConfig(folder, changes);
    return described(folder);
  };

  it("has windows where layer_types says, and stretches what it rotates elsewhere alone", async () => {
    const { layers } = await changed({});
    const modules = layers.map(({ attention }) => attention.module);
    expect(modules.map(({ window }) => window)).toEqual([5, undefined, 5]);
    const magnitudes = modules.map(({ rotary }) => rotary!.magnitude);
    expect(magnitudes).toEqual([1, 0.1 * Math.log(8) + 1, 1]);
  });

  it("has them in all but every fourth layer where nothing is said", async () => {
    const { layers } = await changed({ layer_types: undefined });
    expect(layers.map(({ attention }) => attention.module.window)).toEqual([5, 5, 5]);
  });

  it("is refused with a base that versions of transformers give to other layers", async () => {
    const message = await failureOf(changed({ rope_theta: 10_000 }), CheckpointError);
    expect(message).toContain('"rope_theta" is 10000; versions of transformers differ');
    const kind = { rope_type: "default", rope_theta: 10_000 };
    const rope_parameters = { full_attention: kind, sliding_attention: kind };
    const { layers } = await changed({
      rope_theta: undefined,
      rope_scaling: null,
      rope_parameters,
    });
    const [, second] = layers[0]!.attention.module.rotary!.inverseFrequencies;
    expect(second).toBeCloseTo(10_000 ** (-2 / 6), 12);
  });
});

describe("an OLMo-core model", () => {
  it("is scaled as its block says, and its buffers agree", async () => {
    const architecture = await described(fixture("olmo-core-lns"));
    const { layers, scheme } = architecture;
    expect(scheme.name).toBe("lns");
    expect(layers.map(({ attention }) => attention.inputScale)).toEqual(
      [1, 2, 3, 4].map((n) => 1 / Math.sqrt(n)),
    );
    expect(architecture.statedScales).toHaveLength(4);
    await verifyCopies(architecture);
  });

  it("may not hold other factors: the tensor, its value and the expected one are named", async () => {
    const folder = copyFixture("olmo-core-lns", scratch());
    editWeights(folder, (tensors) => {
      tensors.set("blocks.2.ln_scale", float32Tensor([0.5], []));
    });
    const message = await failureOf(verifyCopies(await described(folder)), CheckpointError);
    expect(message).toContain('tensor "blocks.2.ln_scale" is 0.5; LayerNorm Scaling');
    expect(message).toContain("0.5773503");
  });

  it.each<[Record<string, unknown>, Record<string, unknown>, string[]]>([
    [{ name: "normalized" }, {}, ['"name" is "normalized"']],
    [{}, { name: "moe" }, ['"block.name" is "moe"']],
    [{}, { attention_residual_alpha: 0.5 }, ['"block.attention_residual_alpha" is 0.5']],
    [{}, { attention: undefined }, ['"block.attention" is missing']],
    [{ block_overrides: { 1: {} } }, {}, ['"block_overrides" is']],
  ])("with %j and in its block %j is refused", async (model, block, words) => {
    const folder = copyFixture("olmo-core-lns", scratch());
    const config = readJson(join(folder, "config.json")) as { model: { block: object } };
    editConfig(folder, {
      model: { ...config.model, ...model, block: { ...config.model.block, ...block } },
    });
    const message = await failureOf(described(folder), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });
});

async function described(folder: string): Promise<Architecture> {
  return describeArchitecture(await openCheckpoint(folder));
}
