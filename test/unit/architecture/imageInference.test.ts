import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/architecture/reading";
import type { PatchEmbedding } from "../../../src/architecture/description";
import { describeStatement } from "../../../src/architecture/statement/describeStatement";
import { readImageEnds } from "../../../src/architecture/inference/imageEnds";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  copyFixture,
  copyWithoutConfig,
  editWeights,
  evaluatedOn,
  referenceOf,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensors } from "../support/safetensors";
import {
  byRules,
  float32Tensor,
  floatsOf,
  renameTensors,
  rewriteSafetensors,
} from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** What the fixture is, said of it where its names do not. */
const truth: Settings = {
  heads: "4",
  norm: "pre",
  activation: "gelu",
  scale: "head",
  pool: "token",
  epsilon: "1e-12",
};

/** DeiT with two heads, under names of somebody's own. */
const ownNames = byRules(
  [/^deit\.embeddings\.(cls_token)/, "$1"],
  [/^deit\.embeddings\.distillation_token/, "dist_token"],
  [/^deit\.embeddings\.position_embeddings/, "pos_embedding"],
  [/^deit\.embeddings\.patch_embeddings\.projection/, "patch_embedding"],
  [/^deit\.encoder\.layer/, "transformer.layers"],
  [/attention\.attention\.(query|key|value)/, "attn.$1"],
  [/attention\.output\.dense/, "attn.out"],
  [/intermediate\.dense/, "mlp.fc1"],
  [/output\.dense/, "mlp.fc2"],
  [/layernorm_before/, "norm1"],
  [/layernorm_after/, "norm2"],
  [/^deit\.layernorm/, "mlp_head.0"],
  [/^cls_classifier/, "mlp_head.1"],
  [/^distillation_classifier/, "head_dist"],
);

function written(change: (tensors: StoredTensors) => void = () => undefined): string {
  const folder = copyWithoutConfig("deit-distilled", scratch());
  editWeights(folder, (tensors) => {
    renameTensors(tensors, ownNames);
    change(tensors);
  });
  return folder;
}

/** The convolution as a linear of a patch's pixels, each with its channels together. */
function asLinear(tensors: StoredTensors): void {
  const kernel = tensors.get("patch_embedding.weight")!;
  const [hidden, channels, rows, columns] = kernel.shape as [number, number, number, number];
  const numbers = floatsOf(kernel);
  const pixels = rows * columns;
  const turned = Array.from(numbers, (_, at) => {
    const [output, inner] = [Math.floor(at / (channels * pixels)), at % (channels * pixels)];
    const [pixel, channel] = [Math.floor(inner / channels), inner % channels];
    return numbers[(output * channels + channel) * pixels + pixel]!;
  });
  tensors.set("patch_embedding.weight", float32Tensor(turned, [hidden, channels * pixels]));
}

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

describe("a model of images that is told from names and shapes", () => {
  const expected = (referenceOf("deit-distilled")["baseline"] as { nll: number }).nll;

  it.each<[string, (tensors: StoredTensors) => void, Settings]>([
    ["a convolution", () => undefined, {}],
    ["a linear", asLinear, { pixels: "channels-last" }],
  ])("computes what PyTorch computes where its patches go through %s", async (_, change, more) => {
    const { baseline, architecture } = await diagnoseHere(written(change), {
      documents: evaluatedOn("deit-distilled"),
      metrics: ["variance"],
      reading: { ...truth, gelu: "exact", ...more },
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    expect(architecture.reading!.source).toBe("inference");
  });

  it("has its layers' indices after a dot, or after an underscore where none has them so", async () => {
    const paths = async (from: RegExp, to: string) => {
      const folder = written((tensors) => {
        renameTensors(tensors, byRules([from, to]));
      });
      return (await read(folder)).architecture({}).layers.map(({ path }) => path);
    };
    const afterUnderscore = await paths(/^transformer\.layers\./, "stack.layer_");
    expect(afterUnderscore).toEqual(["stack.layer_0", "stack.layer_1"]);
    const afterDot = await paths(/^transformer\.layers\./, "stack_2.layers.");
    expect(afterDot).toEqual(["stack_2.layers.0", "stack_2.layers.1"]);
  });

  it("leaves open what weights do not tell", async () => {
    const { open } = await read(written(asLinear));
    const values = Object.fromEntries(open.map(({ name, values }) => [name, values]));
    expect(values).toMatchObject({
      pool: ["token", "mean", "normed-mean"],
      pixels: ["channels-first", "channels-last"],
    });
    expect(Object.keys(values)).not.toContain("rotary");
    expect(Object.keys(values)).not.toContain("embedding-scale");
  });

  it("is bidirectional, whatever says so, and is refused where something says otherwise", async () => {
    const folder = written();
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ is_causal: false }));
    expect((await read(folder)).source).toBe("inference");
    writeFileSync(config, JSON.stringify({ is_causal: true }));
    expect(await failureOf(read(folder), CheckpointError)).toContain('"is_causal" is true');
  });

  it("has no class to read but of a mean where it has no token for it", async () => {
    const path = written((tensors) => {
      tensors.delete("cls_token");
      tensors.delete("head_dist.weight");
      tensors.delete("head_dist.bias");
      tensors.set("pos_embedding", float32Tensor(Array<number>(5 * 24).fill(0), [1, 5, 24]));
    });
    const { open, architecture } = await read(path);
    expect(open).toContainEqual(
      expect.objectContaining({ name: "pool", values: ["mean", "normed-mean"] }),
    );
    expect(architecture({}).objective).toEqual({
      kind: "class",
      pooling: { isOfNormed: false, after: 1 },
    });
  });

  describe("whose patches are normed before and after their projection", () => {
    const pyVit = (change: (tensors: StoredTensors) => void = () => undefined): string => {
      const folder = copyFixture("py-vit", scratch());
      for (const file of ["config.json", "fathom.json"]) rmSync(join(folder, file));
      editWeights(folder, change);
      return folder;
    };
    const stated: Settings = {
      ...truth,
      epsilon: "1e-5",
      gelu: "exact",
      pixels: "channels-last",
      fused: "thirds",
    };
    const nll = (referenceOf("py-vit")["baseline"] as { nll: number }).nll;

    it("is described by roles, and read by them computes what PyTorch computes", async () => {
      const folder = pyVit();
      const { settled } = await read(folder);
      // `0.norm` and `1.net.0` are in the order of the two modules they are in.
      expect(settled.map(({ name }) => name)).not.toContain("norm-order");
      const { text } = await describeStatement(await openCheckpoint(folder));
      const { roles } = JSON.parse(text) as { roles: Record<string, string> };
      expect(roles).toMatchObject({
        "to_patch_embedding.1.weight": "pixel norm",
        "to_patch_embedding.1.bias": "pixel norm bias",
        "to_patch_embedding.3.weight": "patch norm",
        "transformer.layers.{layer}.0.norm.weight": "attention norm",
        "transformer.layers.{layer}.1.net.0.weight": "feed-forward norm",
      });
      for (const statement of [{}, { roles }]) {
        writeFileSync(join(folder, "fathom.json"), JSON.stringify(statement));
        const { baseline } = await diagnoseHere(folder, {
          documents: evaluatedOn("py-vit"),
          metrics: ["variance"],
          reading: stated,
        });
        expect(baseline!.nll).toBeCloseTo(nll, 4);
      }
    });

    it("tells the two norms by their places where a patch has as many pixels as channels", async () => {
      const checkpoint = await openCheckpoint(pyVit());
      const [some] = checkpoint.tensors.values();
      const shapes: Record<string, number[]> = {
        "patches.1.weight": [12],
        "patches.1.bias": [12],
        "patches.2.weight": [12, 12],
        "patches.3.weight": [12],
        "patches.3.bias": [12],
        pos_embedding: [4, 12],
      };
      const outer = new Map(
        Object.entries(shapes).map(([name, shape]) => [name, { ...some!, name, shape }]),
      );
      const ends = readImageEnds(checkpoint, { prefix: "layers.", layers: [new Map()], outer });
      expect(ends.pixelNorm!("channels-last").path).toBe("patches.1");
      expect([ends.patchNorm!.path, ends.embeddingNorm]).toEqual(["patches.3", undefined]);
    });

    it("has positions of its class token and its patches, and none of its registers", async () => {
      const numbers = (count: number, of: (at: number) => number): number[] =>
        Array.from({ length: count }, (_, at) => of(at));
      const registers = numbers(2 * 24, (at) => Math.sin(at));
      const loss = async (change: (tensors: StoredTensors) => void): Promise<number> => {
        const { baseline } = await diagnoseHere(pyVit(change), {
          documents: evaluatedOn("py-vit"),
          metrics: ["variance"],
          reading: stated,
        });
        return baseline!.nll;
      };
      const withoutPlaces = await loss((tensors) => {
        tensors.set("register_tokens", float32Tensor(registers, [1, 2, 24]));
        tensors.set("mask_token", float32Tensor(registers.slice(24), [1, 24]));
      });
      // The same of positions that are zero where the registers are.
      const withZeros = await loss((tensors) => {
        tensors.set("register_tokens", float32Tensor(registers, [1, 2, 24]));
        const table = floatsOf(tensors.get("pos_embedding")!);
        const zeros = Array<number>(2 * 24).fill(0);
        const rows = [...table.slice(0, 24), ...zeros, ...table.slice(24)];
        tensors.set("pos_embedding", float32Tensor(rows, [7, 24]));
      });
      expect(withoutPlaces).toBeCloseTo(withZeros, 5);
      expect(withoutPlaces).not.toBeCloseTo(nll, 2);
    });

    it("has no class token where that has no rows", async () => {
      const folder = pyVit((tensors) => {
        tensors.set("cls_token", float32Tensor([], [0, 24]));
        tensors.set("pos_embedding", float32Tensor(Array<number>(4 * 24).fill(0), [4, 24]));
      });
      const { open, architecture } = await read(folder);
      expect(open).toContainEqual(
        expect.objectContaining({ name: "pool", values: ["mean", "normed-mean"] }),
      );
      expect((architecture({}).embedding as PatchEmbedding).firstTokens).toEqual([]);
    });
  });

  it("must be stated where images have no labels, and is run as stated", async () => {
    const folder = written();
    const images = join(folder, "images.safetensors");
    rewriteSafetensors(images, (tensors) => tensors.delete("labels"));
    const run = (reading: Settings) =>
      diagnoseHere(folder, { documents: { images }, metrics: ["variance"], reading });
    const withoutHeads = Object.fromEntries(
      Object.entries(truth).filter(([name]) => name !== "heads"),
    );
    const message = await failureOf(run(withoutHeads), CheckpointError);
    expect(message).toContain("since the images have no labels");
    expect(message).toContain(
      "State it with --reading KEY=VALUE or in a fathom.json beside the checkpoint: heads=",
    );
    const { baseline, layers, architecture } = await run(truth);
    expect(baseline).toBeUndefined();
    expect(layers[1]!.outputVariance!.mean).toBeGreaterThan(0);
    expect(architecture.reading!.settled).toContainEqual({
      name: "gelu",
      value: "exact",
      by: "the usual, since nothing tells it",
    });
  });

  it.each<[string, (tensors: StoredTensors) => void, string[]]>([
    [
      "two convolutions",
      (tensors) => tensors.set("stem.weight", float32Tensor([0], [1, 1, 1, 1])),
      ["several convolutions", "stem.weight"],
    ],
    [
      "no positions",
      (tensors) => tensors.delete("pos_embedding"),
      ["no table of positions", "patch_embedding.weight"],
    ],
    [
      "images that are not square",
      (tensors) =>
        tensors.set("pos_embedding", float32Tensor(Array<number>(8 * 24).fill(0), [1, 8, 24])),
      ["not square", "pos_embedding"],
    ],
    [
      "another norm after its layers",
      (tensors) => {
        for (const part of ["weight", "bias"]) {
          tensors.set(`norm.${part}`, tensors.get(`mlp_head.0.${part}`)!);
        }
      },
      ["several norms after its layers", "norm.weight"],
    ],
    [
      "a vector of its channels that is not named as a norm",
      (tensors) => {
        for (const part of ["weight", "bias"]) {
          tensors.set(`gain.${part}`, tensors.get(`mlp_head.0.${part}`)!);
          tensors.delete(`mlp_head.0.${part}`);
        }
      },
      ["no place in a model of images", '"gain.weight"'],
    ],
    [
      "a tensor that has no place",
      (tensors) => tensors.set("gain", float32Tensor([0, 1], [2])),
      ["no place in a model of images", '"gain"'],
    ],
  ])("is refused with %s", async (_, change, words) => {
    const message = await failureOf(read(written(change)), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });
});
