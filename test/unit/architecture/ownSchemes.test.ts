import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/architecture/reading";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { schemeNames } from "../../../src/architecture/schemes";
import { settingValue } from "../../../src/architecture/settingValues";
import { describeStatement } from "../../../src/architecture/statement/describeStatement";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyWithoutConfig, editWeights, referenceOf, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { diagnoseHere } from "../support/pipeline";
import { byRules, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** What the sample's training code has, said of it where names do not. */
const truth: Settings = {
  heads: "4",
  activation: "silu",
  positions: "rotary",
  rotary: "halves",
  "rotary-base": "10000",
  "rotary-span": "head",
  scale: "head",
  "embedding-scale": "1",
  "norm-kind": "rms",
  epsilon: "1e-5",
  attention: "causal",
};

/** The sample's parameters under names of somebody's own, which say of norms and vectors their order. */
const ownNames = byRules(
  [/^model\.embed_tokens/, "wte"],
  [/^model\.norm/, "out_norm"],
  [/^model\.layers/, "stack"],
  [/self_attn\.([qkvo])_proj/, "mixer.w$1"],
  [/mlp\.gate_proj/, "ffn.w1"],
  [/mlp\.down_proj/, "ffn.w2"],
  [/mlp\.up_proj/, "ffn.w3"],
);

/** A layer's norms in the order of the sublayers they belong to. */
const normsInOrder = [
  "input_layernorm",
  "post_attention_layernorm",
  "pre_feedforward_layernorm",
  "post_feedforward_layernorm",
];

/** The fixture of a scheme, as code of somebody's own writes it: under other names, without a config. */
function written(scheme: string, vectors?: (isOfAttention: boolean) => string): string {
  const folder = copyWithoutConfig(`scheme-${scheme}`, scratch());
  editWeights(folder, (tensors) => {
    const normsOf = (layer: string): string[] =>
      normsInOrder.filter((norm) => tensors.has(`${layer}${norm}.weight`));
    const layerOf = (name: string): string => /^model\.layers\.\d+\./.exec(name)?.[0] ?? "";
    const orders = new Map(
      [...tensors.keys()].map((name) => [layerOf(name), normsOf(layerOf(name))]),
    );
    renameTensors(tensors, (name) => {
      const norm = normsInOrder.find((known) => name.includes(`.${known}.`));
      const numbered = norm
        ? name.replace(norm, `norm_${orders.get(layerOf(name))!.indexOf(norm) + 1}`)
        : name;
      const vector = /(attention|feed_forward)_(layer|residual)_scale$/.exec(numbered);
      const renamed =
        vector && vectors
          ? numbered.replace(vector[0], vectors(vector[1] === "attention"))
          : numbered;
      return ownNames(renamed);
    });
  });
  return folder;
}

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

const nllOf = (scheme: string): number =>
  (referenceOf(`scheme-${scheme}`)["baseline"] as { nll: number }).nll;

describe("the norm schemes of code of one's own", () => {
  // LayerNorm Scaling and Pre-LN have no fixture of this code.
  const schemes = schemeNames.filter((name) => name !== "lns" && name !== "pre-ln");

  it.each(schemes)("%s computes what PyTorch computes", async (scheme) => {
    const { baseline, architecture, layers } = await diagnoseHere(written(scheme), {
      documents: tokensOf(`scheme-${scheme}`),
      metrics: ["variance", "jacobian"],
      probes: 256,
      reading: {
        ...truth,
        norm: scheme,
        ...(scheme === "group-ln" && { "norm-groups": "3" }),
        ...(scheme === "sandwich" && { "norm-order": "norm_1,norm_2,norm_3,norm_4" }),
      },
    });
    expect(baseline!.nll).toBeCloseTo(nllOf(scheme), 4);
    expect(architecture.reading!.source).toBe("inference");
    expect(architecture.normScheme).toBe(scheme);
    const expected = referenceOf(`scheme-${scheme}`)["layers"] as {
      outputVariance: { mean: number };
      jacobian: { identityDistance: number };
    }[];
    for (const [index, layer] of layers.entries()) {
      const { outputVariance, jacobian } = expected[index]!;
      expect(layer.outputVariance!.mean / outputVariance.mean).toBeCloseTo(1, 4);
      expect(layer.jacobian!.identityDistance / jacobian.identityDistance).toBeCloseTo(1, 1);
    }
  });

  it.each<[string, string]>([
    ["omega_attn", "omega_ffn"],
    ["attn_omega", "mlp_omega"],
    ["omega1", "omega2"],
    ["attention_ratio_change", "fc_ratio_change"],
  ])("tells Admin by its vectors %s and %s", async (attention, feedForward) => {
    const path = written("admin", (isOfAttention) => (isOfAttention ? attention : feedForward));
    const { settled } = await read(path);
    const norm = settled.find(({ name }) => name === "norm");
    expect(norm).toEqual({
      name: "norm",
      value: "admin",
      by: "its layers have the vectors of Admin",
    });
    const message = await failureOf(read(path, { norm: "post-ln" }), CheckpointError);
    expect(message).toContain("norm=post-ln is not possible; it could be admin");
  });

  it("leaves open whose vectors they are where names do not tell", async () => {
    for (const scheme of ["admin", "layerscale"]) {
      const path = written(scheme, (isOfAttention) => (isOfAttention ? "scale_1" : "scale_2"));
      const { open } = await read(path);
      expect(open.find(({ name }) => name === "norm")?.values).toEqual(["layerscale", "admin"]);
      const { baseline } = await diagnoseHere(path, {
        documents: tokensOf(`scheme-${scheme}`),
        metrics: ["variance"],
        reading: { ...truth, norm: scheme },
      });
      expect(baseline!.nll).toBeCloseTo(nllOf(scheme), 4);
    }
  });

  it("refuses vectors that scale and are not one for each sublayer", async () => {
    const path = written("admin", () => "scale");
    const message = await failureOf(read(path), CheckpointError);
    expect(message).toContain('"stack.0.scale"');
    expect(message).toContain("vectors that scale");
  });

  it("knows Group-LN by its number of groups, or tries every number", async () => {
    const path = written("group-ln");
    const byNumber = await read(path, { ...truth, "norm-groups": "3" });
    expect(byNumber.architecture({}).scheme.name).toBe("group-ln");
    const { finalNorm, layers } = byNumber.architecture({});
    expect([finalNorm!.groups, layers[0]!.feedForward.inputNorm!.groups]).toEqual([3, 3]);
    const byName = await read(path, { ...truth, norm: "group-ln" });
    expect(byName.open).toEqual([
      expect.objectContaining({ name: "norm-groups", values: ["2", "3", "4", "6", "8", "12"] }),
    ]);
    const message = await failureOf(
      read(path, { norm: "group-ln", "norm-groups": "5" }),
      CheckpointError,
    );
    expect(message).toContain("norm-groups=5 is not possible; it could be 2, 3, 4, 6, 8, 12");
    const idle = failureOf(read(path, { norm: "pre-ln", "norm-groups": "3" }), CheckpointError);
    expect(await idle).toContain("norm-groups=3 says nothing of this model");
  });

  it("reads them by the roles and readings of a described fathom.json", async () => {
    for (const scheme of ["admin", "group-ln"]) {
      const path = written(scheme, (isOfAttention) => (isOfAttention ? "omega_1" : "omega_2"));
      const { text } = await describeStatement(await openCheckpoint(path));
      const statement = JSON.parse(text) as { roles: Record<string, string> };
      if (scheme === "admin") {
        expect(statement.roles).toMatchObject({
          "stack.{layer}.omega_1": "attention residual scale",
          "stack.{layer}.omega_2": "feed-forward residual scale",
        });
      }
      const numbers = Object.entries({ ...truth, norm: scheme }).map(
        ([name, value]) => [name, settingValue(value)] as const,
      );
      const reading = {
        ...Object.fromEntries(numbers),
        ...(scheme === "group-ln" && { "norm-groups": 3 }),
      };
      writeFileSync(join(path, "fathom.json"), JSON.stringify({ roles: statement.roles, reading }));
      const { baseline, architecture } = await diagnoseHere(path, {
        documents: tokensOf(`scheme-${scheme}`),
        metrics: ["variance"],
      });
      expect(baseline!.nll).toBeCloseTo(nllOf(scheme), 4);
      expect(architecture.reading!.source).toBe("statement");
    }
  });
});
