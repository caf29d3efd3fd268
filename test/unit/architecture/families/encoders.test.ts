import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
import { verifyCopies } from "../../../../src/architecture/verifyCopies";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { diagnoseHere } from "../../support/pipeline";
import { copyFixture, editConfig, editWeights, fixture, tokensOf } from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

async function described(folder: string) {
  return describeArchitecture(await openCheckpoint(folder));
}

describe("an encoder", () => {
  it("attends both ways, has its norms after the sums, and is asked for what a mask hides", async () => {
    const { scheme, layers, objective, finalNorm, embedding } = await described(fixture("bert"));
    expect(scheme).toEqual({ name: "post-ln", source: "the default of the family" });
    expect(layers[0]!.attention.module.isBidirectional).toBe(true);
    expect(layers[0]!.attention.sumNorm?.path).toBe(
      "bert.encoder.layer.0.attention.output.LayerNorm",
    );
    expect(finalNorm).toBeUndefined();
    expect(objective).toEqual({ kind: "masked-token", maskToken: 3 });
    expect(embedding).toMatchObject({ segment: { shape: [1, 24] } });
  });

  it("counts RoBERTa's positions from the row after the padding token's", async () => {
    const { embedding, contextLength } = await described(fixture("roberta"));
    expect(embedding).toMatchObject({ positions: { offset: 2 } });
    expect(contextLength).toBe(38);
  });

  it("runs ALBERT's shared layers as often as they are run", async () => {
    const { layers, embedding } = await described(fixture("albert"));
    expect(layers.map(({ path }) => /groups\.(\d)/.exec(path)?.[1]).join("")).toBe("000111");
    expect(layers[1]!.attention.module.query.weight).toEqual(
      layers[0]!.attention.module.query.weight,
    );
    expect(embedding).toMatchObject({ projection: { weight: { shape: [24, 10] } } });
  });

  it("says why there is no loss without a head, and with a head of another task", async () => {
    const reasons = async (name: string) => {
      const { layers, baseline, evaluation } = await diagnoseHere(fixture(name), {
        documents: tokensOf(name).slice(0, 2),
      });
      expect(baseline).toBeUndefined();
      expect(evaluation.objective).toBeUndefined();
      expect(layers[0]!.blockInfluence).toBeGreaterThan(0);
      expect(layers[0]!.jacobian).toBeDefined();
      return layers[0]!.unmeasured;
    };
    expect(await reasons("bert-stack")).toEqual([
      { metric: "pruning", reason: "the checkpoint has no language-model head" },
    ]);
    expect(await reasons("electra-discriminator")).toEqual([
      {
        metric: "pruning",
        reason:
          "the checkpoint is ELECTRA's discriminator, whose head tells replaced tokens from original ones and predicts no token",
      },
    ]);
  });

  it("names each norm of a shared layer once in the report", async () => {
    const { architecture } = await diagnoseHere(fixture("albert"), {
      documents: tokensOf("albert").slice(0, 1),
      metrics: ["variance"],
    });
    expect(architecture.norms?.map(({ path }) => path)).toEqual([
      "albert.embeddings.LayerNorm",
      "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.LayerNorm",
      "albert.encoder.albert_layer_groups.0.albert_layers.0.full_layer_layer_norm",
      "albert.encoder.albert_layer_groups.1.albert_layers.0.attention.LayerNorm",
      "albert.encoder.albert_layer_groups.1.albert_layers.0.full_layer_layer_norm",
      "predictions.LayerNorm",
    ]);
  });

  it("ignores buffers of old versions, and compares a bias that is stored twice", async () => {
    const folder = copyFixture("bert", scratch());
    editWeights(folder, (tensors) => {
      const bias = tensors.get("cls.predictions.bias")!;
      tensors.set("cls.predictions.decoder.bias", bias);
      tensors.set("bert.embeddings.position_ids", {
        dtype: "I64",
        shape: [1, 1],
        data: new Uint8Array(8),
      });
    });
    const architecture = await described(folder);
    expect(architecture.head?.bias?.name).toBe("cls.predictions.bias");
    await expect(verifyCopies(architecture)).resolves.toBeUndefined();
    editWeights(folder, (tensors) => {
      const bias = tensors.get("cls.predictions.decoder.bias")!;
      tensors.set("cls.predictions.decoder.bias", {
        ...bias,
        data: bias.data.map((byte) => byte ^ 1),
      });
    });
    const message = await verifyCopies(await described(folder)).catch((error: unknown) =>
      String(error),
    );
    expect(message).toContain(
      'tensor "cls.predictions.decoder.bias" differs from "cls.predictions.bias"',
    );
  });

  it.each([
    ["is_decoder", true, '"is_decoder" is true; supported is only false'],
    ["position_embedding_type", "relative_key", '"position_embedding_type" is "relative_key"'],
    ["mask_token_id", 72, '"mask_token_id" is 72'],
    ["hidden_act", "mish", '"hidden_act" is "mish"; supported are'],
    ["num_attention_heads", 5, '"num_attention_heads" is 5; it must divide the hidden size, 24'],
  ])("is refused where %s is %s", async (key, value, message) => {
    const folder = copyFixture("bert", scratch());
    editConfig(folder, { [key]: value });
    expect(await failureOf(described(folder), CheckpointError)).toContain(message);
  });
});
