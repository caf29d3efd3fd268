import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, editConfig, referenceOf, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { written } from "../support/idioms";
import { diagnoseHere } from "../support/pipeline";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** The fixture `llama` under a model_type of its own. */
function unknown(config: Readonly<Record<string, unknown>> = {}): string {
  const folder = copyFixture("llama", scratch());
  editConfig(folder, {
    model_type: "ours",
    architectures: ["OursForCausalLM"],
    rope_theta: 10_000,
    ...config,
  });
  return folder;
}

async function read(path: string) {
  return readArchitecture(await openCheckpoint(path));
}

describe("a config.json of a model_type that no family knows", () => {
  it("has the model inferred, and says so", async () => {
    const { source, settled, architecture } = await read(unknown());
    expect(source).toBe("inference");
    expect(architecture({}).notices).toEqual([
      '"model_type" is "ours", which is not known: the model is read from the names and shapes of its tensors.',
    ]);
    const told = Object.fromEntries(settled.map(({ name, by }) => [name, by]));
    expect(told).toMatchObject({
      heads: "num_attention_heads of config.json",
      "rotary-base": "rope_theta of config.json",
      epsilon: "rms_norm_eps of config.json",
      "norm-kind": "rms_norm_eps of config.json",
      activation: "hidden_act of config.json",
    });
  });

  it("computes what the same model of a known family does", async () => {
    const folder = unknown();
    const reading = { norm: "pre-ln", rotary: "halves", "rotary-span": "head", scale: "head" };
    writeFileSync(
      join(folder, "fathom.json"),
      JSON.stringify({ reading: { ...reading, "embedding-scale": 1 } }),
    );
    const { baseline } = await diagnoseHere(folder, {
      documents: tokensOf("llama"),
      metrics: ["variance"],
    });
    const expected = (referenceOf("llama")["baseline"] as { nll: number }).nll;
    expect(baseline!.nll).toBeCloseTo(expected, 4);
  });

  it.each<[string, unknown, string?]>([
    ["residual_multiplier", 0.22],
    ["attention_multiplier", 0.015625, "state scale in a fathom.json"],
    ["embedding_multiplier", 12, "state embedding-scale in a fathom.json"],
    ["logits_scaling", 8],
    ["logit_scale", 0.0625],
    ["scale_depth", 1.4],
    ["final_logit_softcapping", 30],
    ["sliding_window", 8],
    ["clip_qkv", 8],
    ["alibi", true],
    ["num_local_experts", 8],
    ["layer_types", ["full_attention", "linear_attention"]],
    ["rope_scaling", { rope_type: "yarn", factor: 4 }],
    ["partial_rotary_factor", 0.5],
    ["hidden_act", "mish"],
    ["is_encoder_decoder", true],
    ["architectures", ["OursForMaskedLM"]],
    ["qk_norm", true],
    ["position_embedding_type", "relative_key"],
    ["causal", false],
    ["is_causal", false],
    ["causal", 0],
    ["use_rope", false, "state positions in a fathom.json"],
  ])("is refused where it states %s: %j", async (key, value, way = "") => {
    const folder = unknown({ [key]: value });
    const message = await failureOf(read(folder), CheckpointError);
    expect(message).toContain(join(folder, "config.json"));
    expect(message).toContain(`"${key}" is ${JSON.stringify(value)}`);
    expect(message).toContain(way);
  });

  it.each<[string, unknown]>([
    ["residual_multiplier", 1],
    ["logit_scale", 1.0],
    ["final_logit_softcapping", null],
    ["sliding_window", null],
    ["sliding_window", 100_000],
    ["alibi", false],
    ["num_local_experts", 0],
    ["layer_types", ["full_attention", "full_attention"]],
    ["rope_scaling", null],
    ["rope_parameters", { rope_type: "default", rope_theta: 10000 }],
    ["partial_rotary_factor", 1],
    ["attention_dropout", 0.1],
    ["initializer_range", 0.02],
    ["grad_clip", 1],
    ["causal", true],
    ["is_causal", null],
    ["use_rope", true],
  ])("is inferred where it states %s: %j", async (key, value) => {
    expect((await read(unknown({ [key]: value }))).source).toBe("inference");
  });

  it("is refused where its heads are none that the tensors have", async () => {
    const message = await failureOf(read(unknown({ num_attention_heads: 5 })), CheckpointError);
    expect(message).toContain("heads=5 of num_attention_heads of config.json is not possible");
  });

  it("is inferred where fathom.json says that a key changes nothing, or states what it does", async () => {
    const folder = unknown({ logit_scale: 0.5, embedding_multiplier: 12 });
    writeFileSync(
      join(folder, "fathom.json"),
      JSON.stringify({
        ignoredConfigKeys: ["logit_scale"],
        reading: { "embedding-scale": "sqrt" },
      }),
    );
    const { architecture } = await read(folder);
    expect(architecture({}).notices!.join(" ")).toContain(
      "fathom.json says that these keys of the config change nothing of what the model computes: logit_scale",
    );
  });

  it("is refused with both reasons where its tensors are of nothing known", async () => {
    const folder = copyFixture("mixtral", scratch());
    editConfig(folder, { model_type: "ours" });
    const message = await failureOf(read(folder), CheckpointError);
    expect(message).toContain('"model_type" is "ours", which is not supported');
    expect(message).toContain("a mixture of experts");
  });
});

describe("settings that a training script saved", () => {
  it("are refused where one is not read, too", async () => {
    const folder = written(scratch(), "of timm");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model: { logit_softcap: 30 } }));
    const message = await failureOf(read(folder), CheckpointError);
    expect(message).toContain('"model.logit_softcap" is 30');
  });

  it.each([{ use_rope: false }, { scale_attn_weights: false }])(
    "are read where what they turn off is not there: %j",
    async (settings) => {
      const folder = written(scratch(), "of timm");
      writeFileSync(join(folder, "config.json"), JSON.stringify(settings));
      expect((await read(folder)).source).toBe("inference");
    },
  );

  it("are not the words of a table among them", async () => {
    const folder = written(scratch(), "of timm");
    const words = Array.from({ length: 500 }, (_, at) => [`word${at}`, at]);
    const stoi = { ...Object.fromEntries(words), experts: 3, alibi: 7, heads: 11 };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ stoi }));
    expect((await read(folder)).open.map(({ name }) => name)).toContain("heads");
  });

  it.each([
    [{ norm_first: false }, "post-ln", "norm_first of the checkpoint"],
    [{ use_lns: true }, "lns", "norm scheme of the checkpoint"],
  ])("say where norms stand: %j", async (settings, norm, by) => {
    const folder = written(scratch(), "of timm");
    writeFileSync(join(folder, "config.json"), JSON.stringify(settings));
    const { settled } = await read(folder);
    expect(settled).toContainEqual({
      name: "norm",
      value: norm,
      by: by.replace("the checkpoint", "config.json"),
    });
  });
});
