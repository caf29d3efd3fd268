import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/architecture/reading";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { UndecidedReadingError } from "../../../src/diagnosis/readings/undecided";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { readTensor } from "../../../src/checkpoint/readTensor";
import { copyFixture, referenceOf, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { heads, idioms, truth, written } from "../support/idioms";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensors } from "../support/safetensors";
import { byRules, float32Tensor, floatsOf, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";
import { floats, pickled, tensorCode, zipFile } from "../support/torchFiles";

const scratch = scratchFolders();

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

describe("a model told from names and shapes", () => {
  const expected = (referenceOf("gpt2")["baseline"] as { nll: number }).nll;

  it.each(Object.keys(idioms))("in the idiom %s computes what PyTorch computes", async (idiom) => {
    const isFused = idiom === "of timm";
    const { baseline, architecture } = await diagnoseHere(written(scratch(), idiom), {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: { ...truth, ...(isFused && { fused: "thirds" }) },
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    expect(architecture.reading!.source).toBe("inference");
  });

  it("takes the only attention of a layer for self-attention, whatever it is called", async () => {
    const path = written(scratch(), "of nn.TransformerEncoderLayer", (tensors) => {
      renameTensors(tensors, byRules([/self_attn/, "multihead_attn"]));
    });
    const { settled } = await read(path);
    expect(settled).toContainEqual(expect.objectContaining({ name: "scale", value: "head" }));
    const { baseline } = await diagnoseHere(path, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: truth,
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
  });

  /** Vectors λ after both sublayers, whose last linears are divided by them: the same is computed. */
  const withLayerScale = (names: readonly [string, string]) => (tensors: StoredTensors) => {
    const scales = Array.from({ length: 24 }, (_, channel) => 0.5 + channel / 16);
    for (const index of [0, 1, 2, 3]) {
      const layer = `encoder.layers.${index}.`;
      for (const [at, linear] of ["self_attn.out_proj", "linear2"].entries()) {
        for (const name of [`${layer}${linear}.weight`, `${layer}${linear}.bias`]) {
          const tensor = tensors.get(name)!;
          const inputs = tensor.shape[1] ?? 1;
          const divided = Array.from(
            floatsOf(tensor),
            (value, place) => value / scales[Math.floor(place / inputs)]!,
          );
          tensors.set(name, float32Tensor(divided, tensor.shape));
        }
        tensors.set(`${layer}${names[at]!}`, float32Tensor(scales, [24]));
      }
    }
  };

  it.each<[string, string]>([
    ["ls1.gamma", "ls2.gamma"],
    ["gamma_1", "gamma_2"],
    ["layer_scale1.lambda1", "layer_scale2.lambda1"],
    ["ls_attn.weight", "ls_mlp.weight"],
  ])("knows LayerScale by its vectors %s and %s", async (...names) => {
    const path = written(scratch(), "of nn.TransformerEncoderLayer", withLayerScale(names));
    const others = Object.fromEntries(Object.entries(truth).filter(([name]) => name !== "norm"));
    const { baseline } = await diagnoseHere(path, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: others,
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    expect((await read(path)).architecture({}).scheme.name).toBe("layerscale");
    const message = await failureOf(read(path, { norm: "pre-ln" }), CheckpointError);
    expect(message).toContain("norm=pre-ln is not possible; it could be layerscale");
  });

  it("leaves open what a decoder of nn.TransformerDecoderLayer attends to beside itself", async () => {
    const folder = copyFixture("torch-decoder", scratch());
    for (const file of ["config.json", "fathom.json"]) rmSync(join(folder, file));
    const proposal = await read(folder);
    const memory = proposal.open.find(({ name }) => name === "memory");
    expect(memory?.values).toEqual(["causal", "zeros", "whole"]);
    const { layers, encoder, embedding, notices } = proposal.architecture({ memory: "causal" });
    const [{ attention, crossAttention, feedForward }] = layers as [(typeof layers)[number]];
    const norms = [attention, crossAttention!, feedForward].map(({ inputNorm }) => inputNorm!.path);
    expect(norms.map((path) => path.split(".").at(-1))).toEqual(["norm1", "norm2", "norm3"]);
    expect(crossAttention!.module.isBidirectional).toBe(false);
    expect(encoder).toMatchObject({ embedding, layers: [] });
    expect(notices!.join(" ")).toContain("up to each");
    const ofZeros = proposal.architecture({ memory: "zeros" }).encoder!;
    expect(ofZeros.embedding).toMatchObject({ scale: 0, positions: undefined });
    const ofWhole = proposal.architecture({ memory: "whole" });
    expect(ofWhole.layers[0]!.crossAttention!.module.isBidirectional).toBe(true);
  });

  it("knows the heads where each has a tensor of its own", async () => {
    for (const idiom of ["of a module for each head", "of TransformerLens"]) {
      const { settled } = await read(written(scratch(), idiom));
      expect(settled).toContainEqual(
        expect.objectContaining({ name: "heads", value: String(heads) }),
      );
    }
  });

  it("leaves open what weights do not tell", async () => {
    const { open, settled } = await read(written(scratch(), "of nn.TransformerEncoderLayer"));
    const names = open.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["heads", "norm", "activation"]));
    // PyTorch's own attention has one scale; that of other code is for the evidence.
    expect(settled).toContainEqual(expect.objectContaining({ name: "scale", value: "head" }));
    const other = await read(written(scratch(), "of timm"));
    expect(other.open.map(({ name }) => name)).toContain("scale");
    expect(names).not.toContain("norm-kind");
    expect(names).not.toContain("rotary");
  });

  it("is refused where it predicts nothing, with its readings and their losses", async () => {
    const run = diagnoseHere(written(scratch(), "of nn.TransformerEncoderLayer"), {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: { ...truth, norm: undefined as unknown as string },
    });
    const message = await failureOf(run, UndecidedReadingError);
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    const { candidates } = error as UndecidedReadingError;
    expect(candidates.length).toBeGreaterThan(1);
    const losses = candidates.map(({ nll }) => nll!);
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect(message).toContain("under no reading of its tensors does it predict");
    expect(message).toContain("norm=post-ln");
    expect(message).toContain("--reading KEY=VALUE");
  });

  /** The final norm, under the prefix of the layers. */
  const normInStack = (tensors: StoredTensors): void => {
    for (const name of ["weight", "bias"]) {
      tensors.set(`encoder.layers.norm.${name}`, tensors.get(`norm.${name}`)!);
      tensors.delete(`norm.${name}`);
    }
  };

  it("reads every tensor beside its numbered layers, a norm's bias among them", async () => {
    const path = written(scratch(), "of nn.TransformerEncoderLayer", normInStack);
    const { baseline, architecture } = await diagnoseHere(path, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: truth,
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    const { finalNorm } = (await read(path)).architecture({});
    expect(finalNorm!.bias!.name).toBe("encoder.layers.norm.bias");
    expect(architecture.reading!.source).toBe("inference");
  });

  /** Frequencies of a head's pairs, and the cosines and sines of two positions. */
  const turned = (base: number) => {
    const pairs = Array.from({ length: 4 }, (_, pair) => base ** (-pair / 4));
    const table = (of: (angle: number) => number) =>
      float32Tensor(
        [0, 1].flatMap((place) => [...pairs, ...pairs].map((angle) => of(place * angle))),
        [2, 8],
      );
    return { inv_freq: float32Tensor(pairs, [4]), cos: table(Math.cos), sin: table(Math.sin) };
  };
  const ofLayer = (index: number, name: string) => `blocks.${index}.attn.rotary_emb.${name}`;
  /** Three heads of 8 channels, without a table of positions. */
  const withRotary = (change: (tensors: StoredTensors) => void) =>
    written(scratch(), "of timm", (tensors) => {
      tensors.delete("pos_embed");
      change(tensors);
    });

  it("reads rotary positions that are held several times and are the same", async () => {
    const { settled } = await read(
      withRotary((tensors) => {
        const { inv_freq, cos, sin } = turned(500);
        tensors.set("rotary.inv_freq", inv_freq);
        for (const index of [0, 1, 2, 3]) {
          tensors.set(ofLayer(index, "inv_freq"), inv_freq);
          tensors.set(ofLayer(index, "cos_cached"), cos);
          tensors.set(ofLayer(index, "sin_cached"), sin);
        }
      }),
    );
    expect(settled).toContainEqual(expect.objectContaining({ name: "rotary-base", value: "500" }));
  });

  it.each<[string, (tensors: StoredTensors) => void, string[]]>([
    [
      "its layers",
      (tensors) => {
        for (const index of [0, 1, 2, 3]) {
          tensors.set(ofLayer(index, "inv_freq"), turned(index === 1 ? 500 : 10_000).inv_freq);
        }
      },
      [ofLayer(0, "inv_freq"), ofLayer(1, "inv_freq")],
    ],
    [
      "two sets around its layers",
      (tensors) => {
        tensors.set("rotary_global.inv_freq", turned(10_000).inv_freq);
        tensors.set("rotary_local.inv_freq", turned(500).inv_freq);
      },
      ["rotary_global.inv_freq", "rotary_local.inv_freq"],
    ],
    [
      "frequencies and tables",
      (tensors) => {
        tensors.set("rotary.inv_freq", turned(10_000).inv_freq);
        tensors.set("rotary.cos", turned(500).cos);
        tensors.set("rotary.sin", turned(500).sin);
      },
      ["rotary.inv_freq", "rotary.cos", "rotary.sin"],
    ],
    [
      "cosines without sines",
      (tensors) => tensors.set("rotary.cos", turned(500).cos),
      ["rotary.cos"],
    ],
    [
      "tables that begin with no angle of zero",
      (tensors) => {
        tensors.set("rotary.cos", turned(500).sin);
        tensors.set("rotary.sin", turned(500).cos);
      },
      ["rotary.cos", "rotary.sin"],
    ],
  ])(
    "is refused with rotary positions of which it cannot tell one way of turning: %s",
    async (_, change, names) => {
      const message = await failureOf(read(withRotary(change)), CheckpointError);
      expect(message).toContain("rotary");
      for (const name of names) expect(message).toContain(`"${name}"`);
    },
  );

  const perHead = "of a module for each head";
  /** A query, key and value of all heads each, of as many axes. */
  const asConvolutions = (kernel: number, isOutputToo: boolean) => (tensors: StoredTensors) => {
    for (const index of [0, 1, 2, 3]) {
      for (const name of [...tensors.keys()]) {
        if (name.startsWith(`blocks.${index}.sa.heads.`)) tensors.delete(name);
      }
      for (const name of ["query", "key", "value"]) {
        const numbers = Array.from({ length: 24 * 24 * kernel }, (_, at) => Math.sin(at));
        tensors.set(`blocks.${index}.sa.${name}.weight`, float32Tensor(numbers, [24, 24, kernel]));
      }
      if (isOutputToo) tensors.get(`blocks.${index}.sa.proj.weight`)!.shape.push(1);
    }
  };

  it.each([true, false])(
    "reads convolutions over one position as linears, and no heads from them (output: %s)",
    async (isOutputToo) => {
      const { open, architecture } = await read(
        written(scratch(), perHead, asConvolutions(1, isOutputToo)),
      );
      expect(open.map(({ name }) => name)).toContain("heads");
      const { query, output } = architecture({ heads: "4" }).layers[0]!.attention.module;
      expect(query.weight.shape).toEqual([24, 24]);
      expect(output.weight.shape).toEqual([24, 24]);
    },
  );

  it("is refused with convolutions over several positions", async () => {
    const path = written(scratch(), perHead, asConvolutions(3, false));
    const message = await failureOf(read(path), CheckpointError);
    expect(message).toContain("neither linears nor, all of them, one matrix for each head");
    expect(message).toContain("blocks.0.sa.query.weight");
  });

  const first = "encoder.layers.0.";
  it.each<[string, (tensors: StoredTensors) => void, string[]]>([
    [
      "a third linear beside the feed-forward",
      (tensors) =>
        tensors.set(`${first}linear3.weight`, float32Tensor(Array<number>(9).fill(0), [3, 3])),
      ["layers that are not alike", "linear3.weight"],
    ],
    [
      "a layer missing",
      (tensors) => {
        for (const name of [...tensors.keys()]) {
          if (name.startsWith("encoder.layers.1.")) tensors.delete(name);
        }
      },
      ["but not", "encoder.layers.1"],
    ],
    [
      "no norm in a layer",
      (tensors) => {
        for (const name of [...tensors.keys()]) if (/layers.*norm/.test(name)) tensors.delete(name);
      },
      ["has 0 norms in a layer", "in_proj_weight"],
    ],
    [
      "a norm over batches",
      (tensors) => tensors.set(`${first}norm1.running_mean`, float32Tensor([0], [1])),
      ["a norm over batches", "running_mean"],
    ],
    [
      "attention to another sequence in one layer alone",
      (tensors) => tensors.set(`${first}multihead_attn.in_proj_weight`, float32Tensor([0], [1, 1])),
      ["not alike", "multihead_attn"],
    ],
    [
      "an encoder beside a decoder that attends to it",
      (tensors) => {
        for (const [name, tensor] of [...tensors]) {
          if (!name.startsWith("encoder.layers.")) continue;
          const own = name.replace("encoder", "decoder");
          tensors.set(own, tensor);
          tensors.set(own.replace("self_attn", "multihead_attn"), tensor);
        }
      },
      ["decoder.layers.0.multihead_attn.", "the output of another stack", '"encoder.layers.*"'],
    ],
    [
      "a tensor around the layers that has no place",
      (tensors) => tensors.set("gain", float32Tensor([0, 1], [2])),
      ["neither an embedding, a norm nor a head", '"gain"'],
    ],
    [
      "a tensor beside its numbered layers that has no place",
      (tensors) => {
        normInStack(tensors);
        tensors.set("encoder.layers.weird.weight", float32Tensor([0, 1], [2]));
      },
      ["neither an embedding, a norm nor a head", '"encoder.layers.weird.weight"'],
    ],
    [
      "vectors beside its norms that are not named as norms",
      (tensors) => {
        for (const index of [0, 1, 2, 3]) {
          for (const name of ["mix_a", "mix_b"]) {
            const ones = float32Tensor(Array<number>(24).fill(1), [24]);
            tensors.set(`encoder.layers.${index}.${name}.weight`, ones);
          }
        }
      },
      ["neither attention, feed-forward nor a norm", "mix_a.weight", "mix_b.weight"],
    ],
    [
      "vectors that scale without a name that says what",
      (tensors) => {
        for (const index of [0, 1, 2, 3]) {
          for (const name of ["scale_a", "scale_b"]) {
            const ones = float32Tensor(Array<number>(24).fill(1), [24]);
            tensors.set(`encoder.layers.${index}.${name}.weight`, ones);
          }
        }
      },
      ["one for the attention and one for the feed-forward", "scale_a.weight", "scale_b.weight"],
    ],
    [
      "a norm's bias without its weight",
      (tensors) => tensors.delete("norm.weight"),
      ["neither an embedding, a norm nor a head", '"norm.bias"'],
    ],
    [
      "a recurrent layer",
      (tensors) => tensors.set("rnn.weight_hh_l0", float32Tensor([0], [1, 1])),
      ["a recurrent layer", "rnn.weight_hh_l0"],
    ],
  ])("is refused with %s", async (_, change, words) => {
    const path = written(scratch(), "of nn.TransformerEncoderLayer", change);
    const message = await failureOf(read(path), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });

  const numbersOf = (...shape: number[]) =>
    float32Tensor(
      Array.from({ length: shape.reduce((product, size) => product * size) }, (_, at) =>
        Math.sin(at),
      ),
      shape,
    );

  it.each<[string, string, number[], boolean]>([
    ["a linear of the stream called score", "score.weight", [3, 24], true],
    ["scores of all pairs of places", "score", [3, 16, 16], false],
    ["a table whose name only begins so", "score_bias.weight", [32, 3], false],
    ["a linear of another width called score", "score.weight", [3, 7], false],
  ])("has a head of another task beside its own in %s alone", async (_, name, shape, isRead) => {
    const path = written(scratch(), "of timm", (tensors) => {
      tensors.set(name, numbersOf(...shape));
    });
    if (isRead) expect((await read(path)).architecture({ heads: "3" }).head!.tied).toBe(true);
    else {
      const message = await failureOf(read(path), CheckpointError);
      expect(message).toContain("neither an embedding, a norm nor a head");
      expect(message).toContain(`"${name}"`);
    }
  });

  it.each([
    ["attn.freqs_cis", true],
    ["mlp.filter", false],
    ["mlp.freqs_filter", false],
  ])("leaves complex numbers aside under names of rotary angles alone: %s", async (own, isLeft) => {
    const change = (tensors: StoredTensors): void => {
      for (const index of [0, 1, 2, 3]) {
        const table = { dtype: "C64", shape: [8], data: new Uint8Array(64) };
        tensors.set(`blocks.${index}.${own}`, table);
      }
    };
    const path = withRotary(change);
    if (isLeft) expect((await read(path)).open.map(({ name }) => name)).toContain("heads");
    else {
      const message = await failureOf(read(path), CheckpointError);
      expect(message).toContain("has in its layers what is neither attention, feed-forward nor");
      expect(message).toContain(`"blocks.0.${own}"`);
    }
  });

  it.each([
    ["freqs_cis", [16, 4, 2], true],
    ["gains_cis", [16, 4, 2], false],
    ["freqs", [16, 4], true],
    ["rotary.inv_freq", [16, 4], false],
  ])("leaves a table of rotary angles aside: %s of %j", async (name, shape, isLeft) => {
    const path = withRotary((tensors) => tensors.set(name, numbersOf(...shape)));
    if (isLeft) expect((await read(path)).open.map((one) => one.name)).toContain("heads");
    else {
      const message = await failureOf(read(path), CheckpointError);
      expect(message).toContain("neither an embedding, a norm nor a head");
      expect(message).toContain(`"${name}"`);
    }
  });

  it.each([
    [[2, 24], true],
    [[24, 2], true],
    [[24, 150], false],
  ])("tells a head of few classes by its outputs: %j", async (shape, isOfFew) => {
    const path = written(scratch(), "of timm", (tensors) => {
      tensors.set("head.weight", numbersOf(...shape));
    });
    if (isOfFew) {
      const { whyNoHead } = (await read(path)).architecture({ heads: "3" });
      expect(whyNoHead).toContain("tells classes of texts");
    } else {
      const message = await failureOf(read(path), CheckpointError);
      expect(message).toContain("a head of another shape");
    }
  });

  it.each([
    ["its embedding's numbers is tied", 1, true],
    ["others is its own, though both count from the beginning of what they unpack to", 2, false],
  ])("in a deflated archive whose head has %s", async (_, factor, isTied) => {
    const { tensors } = await openCheckpoint(written(scratch(), "of timm"));
    const names = [...tensors.keys()];
    const members = await Promise.all(
      [...tensors.values()].map(async (tensor, at) => {
        const numbers = await readTensor(tensor);
        const data = tensor.name === "head.weight" ? numbers.map((one) => factor * one) : numbers;
        return { name: `archive/data/${at}`, data: floats(...data), isDeflated: true };
      }),
    );
    const root = pickled.dict(
      Object.fromEntries(
        names.map((name, at) => [name, tensorCode(String(at), tensors.get(name)!.shape)]),
      ),
    );
    const file = join(scratch(), "model.pt");
    writeFileSync(
      file,
      zipFile([{ name: "archive/data.pkl", data: pickled.whole(root) }, ...members]),
    );
    const { architecture } = await read(file);
    expect(architecture({ heads: String(heads), fused: "thirds" }).head!.tied).toBe(isTied);
  });

  it.each([
    [{ heads: "5" }, "heads=5 is not possible"],
    [{ norm: "sideways" }, "norm=sideways is unknown"],
    [{ activation: "tanh" }, "activation=tanh is not possible"],
  ] satisfies [Settings, string][])("refuses the statement %j", async (settings, words) => {
    const message = await failureOf(read(written(scratch(), "of timm"), settings), CheckpointError);
    expect(message).toContain(words);
  });
});

const shared = fileURLToPath(new URL("../../../../shared/checkpoints/", import.meta.url));

describe.skipIf(!existsSync(shared))("a real checkpoint", () => {
  it("slm4096-nanogpt is read, its heads being stated in it and GELU's forms left to the evidence", async () => {
    const { architecture, settled, open } = await read(join(shared, "slm4096-nanogpt"));
    expect(settled).toContainEqual(
      expect.objectContaining({ name: "heads", value: "4", by: "config.n_head of the checkpoint" }),
    );
    expect(open).toContainEqual(
      expect.objectContaining({ name: "gelu", values: ["exact", "tanh", "quick"] }),
    );
    const { head, layers } = architecture({ activation: "gelu", gelu: "quick" });
    expect(head!.tied).toBe(true);
    expect(layers[3]!.feedForward.module).toMatchObject({ activation: "quick_gelu" });
  });

  it("vit-mnist-postln is read as a model of images of 28 × 28 pixels", async () => {
    const { architecture, open } = await read(join(shared, "vit-mnist-postln"));
    const { embedding, layers, vocabularySize } = architecture({ norm: "post-ln", heads: "8" });
    expect(embedding).toMatchObject({
      image: { channels: 1, height: 28, width: 28 },
      patch: [7, 7],
    });
    expect(layers).toHaveLength(6);
    expect(vocabularySize).toBe(10);
    expect(open.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["norm", "heads", "activation", "pool"]),
    );
  });
});

describe.skipIf(!existsSync(shared))("a real checkpoint that is no plain transformer", () => {
  it.each([
    ["hybridstories/best.pt", "state-space", "blocks.0.ssm.A_log"],
    ["patchtst-batchnorm", "a norm over batches", "running_mean"],
    ["retsim-gau", "no layers with attention", "gau_layers.0.beta"],
    ["sasrec", "norms around its layers", "attention_layernorms.0.weight"],
    ["decision-transformer", "several embeddings", "action_embedding.0.weight"],
  ])("%s is refused, naming what shows it", async (path, what, tensor) => {
    const message = await failureOf(read(join(shared, path)), CheckpointError);
    expect(message).toContain(what);
    expect(message).toContain(tensor);
  });

  it("no-mlp-residual-gpt is refused by what it predicts, naming its one norm", async () => {
    const run = diagnoseHere(join(shared, "no-mlp-residual-gpt"), {
      documents: Array.from({ length: 8 }, (_, document) =>
        Array.from({ length: 24 }, (_, at) => (7 * document + 11 * at) % 65),
      ),
      metrics: ["variance"],
      reading: {},
    });
    const message = await failureOf(run, CheckpointError);
    expect(message).toContain("transformer_decoders.0.layer_norm.weight");
    expect(message).toContain("under no reading of its tensors");
  });
});
