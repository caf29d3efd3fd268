import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import type { Architecture, Factor, Norm, Sublayer } from "../../../src/architecture/description";
import { tensorsOf } from "../../../src/architecture/description";
import { rotary } from "../../../src/architecture/rotary";
import type { SchemeName } from "../../../src/architecture/schemes";
import { schemeNames } from "../../../src/architecture/schemes";
import { verifyCopies } from "../../../src/architecture/verifyCopies";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  copyFixture,
  editConfig,
  editWeights,
  fixture,
  fixtureNames,
  referenceOf,
  tinyLlamaConfig,
  tinyLlamaTensors,
  writeTinyLlama,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import type { StoredTensors } from "../support/safetensors";
import { byRules, float32Tensor, framed, renameTensors, setFloat } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
/** Tensors of the fixtures that tell no tokens. */
const otherHeads =
  /^(bert\.)?pooler\.|^lm_head\.bias$|^cls\.seq_relationship\.|^discriminator_predictions\./;
const llama3Scaling = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 16,
};

describe("an architecture", () => {
  it.each(fixtureNames)("of %s uses every tensor of the checkpoint", async (name) => {
    const checkpoint = await openCheckpoint(fixture(name));
    const { layers, ...rest } = (await readArchitecture(checkpoint, {})).architecture({});
    const used = new Set(tensorsOf({ layers, ...rest }).map(({ name }) => name));
    const inStack = [...checkpoint.tensors.keys()].filter(
      (tensor) => used.has(tensor) || !otherHeads.test(tensor),
    );
    expect(used).toEqual(new Set(inStack));
    const paths = (referenceOf(name)["layers"] as { path: string }[]).map(({ path }) => path);
    expect(layers.map(({ path }) => path)).toEqual(paths);
  });

  it.each([
    ["llama", "llama"],
    ["mistral", "mistral"],
    ["qwen2", "qwen2"],
    ["qwen3", "qwen3"],
  ])("of %s is of the family %s", async (name, family) => {
    expect((await described(fixture(name))).family).toBe(family);
  });

  it("is DeepSeek-LLM's where a Llama has its vocabulary", async () => {
    const tensors = tinyLlamaTensors();
    const folder = scratch();
    const vocabulary = 102_400;
    // Sparse files: the weights are holes.
    const header: Record<string, unknown> = {};
    let at = 0;
    for (const [name, { dtype, shape }] of tensors) {
      const sizes = /embed_tokens|lm_head/.test(name) ? [vocabulary, shape[1]!] : shape;
      const end = at + 4 * sizes.reduce((product, size) => product * size, 1);
      header[name] = { dtype, shape: sizes, data_offsets: [at, end] };
      at = end;
    }
    const file = join(folder, "model.safetensors");
    const head = framed(header);
    writeFileSync(file, head);
    truncateSync(file, head.length + at);
    const config = { ...tinyLlamaConfig, vocab_size: vocabulary };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    expect((await described(folder)).family).toBe("deepseek-llm");
  });

  it("knows heads, biases, head norms, windows and ties", async () => {
    const qwen3 = await described(fixture("qwen3"));
    expect(qwen3).toMatchObject({ hiddenSize: 24, heads: 4, keyValueHeads: 2, vocabularySize: 72 });
    expect(qwen3.layers[0]!.attention.module).toMatchObject({ headSize: 10, window: undefined });
    expect(qwen3.layers[0]!.attention.module.queryNorm?.weight?.shape).toEqual([10]);
    expect(qwen3.head).toMatchObject({ tied: true });
    expect(qwen3.embedding).toMatchObject({ tokens: qwen3.head!.weight });

    const qwen2 = await described(fixture("qwen2"));
    expect(qwen2.layers[0]!.attention.module.query.bias?.shape).toEqual([24]);
    expect(qwen2.layers[0]!.attention.module.output.bias).toBeUndefined();
    expect(qwen2.layers[0]!.attention.module.queryNorm).toBeUndefined();

    const tied = await described(fixture("llama-tied"));
    expect(tied.layers[0]!.attention.module.output.bias?.shape).toEqual([24]);
    expect(tied.layers[0]!.feedForward.module).toMatchObject({ down: { bias: { shape: [24] } } });
    expect(tied.finalNorm?.epsilon).toBe(0.01);

    expect(windowsOf(await described(fixture("mistral")))).toEqual([5, 5, 5, 5]);
    expect(windowsOf(qwen2)).toEqual([undefined, undefined, undefined, undefined]);
    const sliding = [undefined, undefined, 5, 5];
    expect(windowsOf(await described(fixture("qwen2-sliding")))).toEqual(sliding);
    expect(windowsOf(await described(fixture("qwen2-layer-types")))).toEqual(sliding);
  });

  it("takes a stack without a head, and one that is named without its prefix", async () => {
    const bare = writeTinyLlama(scratch(), (tensors) => {
      tensors.delete("lm_head.weight");
      renameTensors(tensors, byRules([/^model\./, ""]));
    });
    const { head, layers } = await described(bare);
    expect(head).toBeUndefined();
    expect(layers[2]!.path).toBe("layers.2");
  });

  it("ignores stored rotary frequencies, and takes a stored copy of a tied head to compare it", async () => {
    const folder = writeTinyLlama(
      scratch(),
      (tensors) => {
        const name = "model.layers.0.self_attn.rotary_emb.inv_freq";
        tensors.set(name, float32Tensor([1, 1], [2]));
      },
      { tie_word_embeddings: true },
    );
    const { head, embedding } = await described(folder);
    expect(embedding).toMatchObject({ tokens: head!.weight });
    expect(head).toMatchObject({
      tied: true,
      copy: { name: "lm_head.weight" },
    });
  });

  it("may not be tied to an embedding that the stored head differs from", async () => {
    const make = (change: (tensors: StoredTensors) => void) =>
      described(writeTinyLlama(scratch(), change, { tie_word_embeddings: true }));
    const embedding = "model.embed_tokens.weight";
    const same = await make((tensors) => tensors.set("lm_head.weight", tensors.get(embedding)!));
    await verifyCopies(same);
    const other = await make((tensors) => {
      setFloat(tensors.get("lm_head.weight")!, 3, 0.5);
    });
    expect(await failureOf(verifyCopies(other), CheckpointError)).toContain(
      'tensor "lm_head.weight" differs from "model.embed_tokens.weight"',
    );
  });
});

describe("a norm scheme", () => {
  const scalesOf = ({ layers }: Architecture): number[] =>
    layers.map(({ attention }) => attention.inputScale);
  const lns = [1, 1 / Math.sqrt(2), 1 / Math.sqrt(3)];

  it("is Pre-LN where nothing says otherwise, and says so", async () => {
    const architecture = await described(writeTinyLlama(scratch()));
    expect(architecture.scheme.name).toBe("pre-ln");
    expect(architecture.scheme.source).toContain("weights cannot tell");
    expect(scalesOf(architecture)).toEqual([1, 1, 1]);
  });

  it.each([
    { layer_norm_scaling: true },
    { layer_norm_scaling: 1 },
    { use_lns: true },
    { norm_scheme: "LNS" },
    { norm_type: "layer_norm_scaling" },
  ])("is LayerNorm Scaling where config.json states %j", async (config) => {
    const architecture = await described(writeTinyLlama(scratch(), undefined, config));
    expect(architecture.scheme).toEqual({ name: "lns", source: "stated in config.json" });
    expect(scalesOf(architecture)).toEqual(lns);
    expect(architecture.layers.map(({ feedForward }) => feedForward.inputScale)).toEqual(lns);
  });

  it("is LayerNorm Scaling where its factors are stored as a buffer", async () => {
    const folder = writeTinyLlama(scratch(), (tensors) => {
      for (const layer of [0, 1, 2]) {
        tensors.set(
          `model.layers.${layer}.ln_scale`,
          float32Tensor([1 / Math.sqrt(layer + 1)], []),
        );
      }
    });
    const { scheme } = await described(folder);
    expect(scheme).toEqual({ name: "lns", source: "the tensor model.layers.0.ln_scale" });
  });

  it("is what the user says, whatever the config states", async () => {
    const folder = writeTinyLlama(scratch(), undefined, { use_lns: true });
    const asked = await described(folder, "pre-ln");
    expect(asked.scheme).toEqual({
      name: "pre-ln",
      source: "as asked; config.json states lns",
      overruled: "lns",
    });
    expect(scalesOf(asked)).toEqual([1, 1, 1]);
    expect(scalesOf(await described(writeTinyLlama(scratch()), "lns"))).toEqual(lns);
  });

  it.each(schemeNames.filter((name) => !["pre-ln", "lns"].includes(name)))(
    "%s is told by the config, and gives each sublayer the norms of its formula",
    async (name) => {
      const { scheme, layers } = await described(fixture(`scheme-${name}`));
      expect(scheme).toEqual({ name, source: "stated in config.json" });
      const formulas = layers.map(({ attention, feedForward, isParallel }) =>
        [formulaOf(attention), formulaOf(feedForward)].join(isParallel ? " beside " : ", then "),
      );
      expect(formulas).toMatchSnapshot(name);
    },
  );

  it.each([
    ["sandwich", "model.layers.0.pre_feedforward_layernorm.weight"],
    ["layerscale", "model.layers.0.attention_layer_scale"],
    ["admin", "model.layers.0.attention_residual_scale"],
  ] as const)("%s is told by its tensors alone", async (name, tensor) => {
    const folder = copyFixture(`scheme-${name}`, scratch());
    editConfig(folder, { norm_scheme: undefined });
    expect((await described(folder)).scheme).toEqual({ name, source: `the tensor ${tensor}` });
  });

  it("keeps Llama's names of norms wherever they stand, and needs no final norm after Post-LN", async () => {
    const folder = writeTinyLlama(scratch(), (tensors) => tensors.delete("model.norm.weight"));
    const { layers, finalNorm } = await described(folder, "post-ln");
    expect(layers[1]!.attention.sumNorm?.path).toBe("model.layers.1.input_layernorm");
    expect(layers[1]!.feedForward.sumNorm?.path).toBe("model.layers.1.post_attention_layernorm");
    expect(finalNorm).toBeUndefined();
    expect(await refusalOf(folder)).toContain('tensor "model.norm.weight" is missing');
  });

  it("lets parallel sublayers share a norm, and no others", async () => {
    const folder = writeTinyLlama(scratch(), (tensors) => {
      for (const layer of [0, 1, 2]) {
        tensors.delete(`model.layers.${layer}.post_attention_layernorm.weight`);
      }
    });
    const { layers } = await described(folder, "parallel");
    expect(layers[2]!.feedForward.inputNorm).toEqual(layers[2]!.attention.inputNorm);
    expect(await refusalOf(folder)).toContain(
      'tensor "model.layers.0.post_attention_layernorm.weight" is missing',
    );
  });

  it("leaves no norm unused: one that the scheme has no place for is refused", async () => {
    const folder = copyFixture("scheme-sandwich", scratch());
    await expect(described(folder, "reordered")).rejects.toThrow(/input_layernorm.* have no place/);
  });

  it.each(["scheme-group-ln", "gpt2"])("of groups is what it says in %s", async (name) => {
    const folder = copyFixture(name, scratch());
    editConfig(folder, { norm_groups: 4 });
    const { layers, finalNorm, scheme } = await described(folder);
    expect(scheme.name).toBe("group-ln");
    expect([layers[1]!.attention.inputNorm?.groups, finalNorm?.groups]).toEqual([4, 4]);
    const asked = await described(folder, "pre-ln");
    expect([asked.layers[1]!.attention.inputNorm?.groups, asked.finalNorm?.groups]).toEqual([1, 1]);
  });

  it("with two norms a sublayer is refused where there is one", async () => {
    const llama = writeTinyLlama(scratch(), undefined, { norm_scheme: "sandwich" });
    expect(await refusalOf(llama)).toContain("pre_feedforward_layernorm.weight");
    await expect(described(fixture("gpt2"), "sandwich")).rejects.toThrow(/no name for another/);
  });

  it("may not be stated twice", async () => {
    const folder = writeTinyLlama(scratch(), undefined, { use_lns: true, norm_type: "pre-ln" });
    expect(await refusalOf(folder)).toContain(
      "config.json: states more than one norm scheme (pre-ln, lns)",
    );
  });
});

/** A sublayer as a formula, norms and vectors by their paths within the layer. */
function formulaOf(sublayer: Sublayer<unknown>): string {
  const { inputNorm, inputScale, branchNorm, branchScale, streamScale, sumNorm } = sublayer;
  const nameOf = (path: string): string => path.replace(/^model\.layers\.\d+\./, "");
  const normed = (norm: Norm | undefined, inner: string): string =>
    norm
      ? `${nameOf(norm.path)}${norm.groups > 1 ? ` in ${norm.groups} groups` : ""}(${inner})`
      : inner;
  const times = (factor: Factor, inner: string): string =>
    factor === 1
      ? inner
      : `${typeof factor === "number" ? factor.toFixed(3) : nameOf(factor.name)} ⊙ ${inner}`;
  const branch = normed(branchNorm, `f(${times(inputScale, normed(inputNorm, "x"))})`);
  return normed(sumNorm, `${times(streamScale, "x")} + ${times(branchScale, branch)}`);
}

describe("a config", () => {
  it("is needed", async () => {
    const folder = scratch();
    writeTinyLlama(folder);
    const elsewhere = scratch();
    const file = join(elsewhere, "model.safetensors");
    writeFileSync(
      file,
      framed({ w: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4)),
    );
    expect(await refusalOf(elsewhere)).toBe(
      `${file}: there is no config.json beside it; one is needed to know the architecture.`,
    );
  });

  it.each([
    ["rwkv", '"rwkv"'],
    [undefined, "missing"],
    [7, "7"],
    ["\u001b[2J", '"\\u001b[2J"'],
  ])("of model_type %j is answered with what is supported", async (model_type, found) => {
    const folder = writeTinyLlama(scratch(), undefined, { model_type });
    const refusal = await refusalOf(folder);
    const start = `${join(folder, "config.json")}: "model_type" is ${found}, which is not supported; `;
    expect(refusal.startsWith(start)).toBe(true);
    expect(refusal.slice(start.length)).toMatch(
      /^supported are deepseek-llm, llama, [a-z0-9, -]+\.$/,
    );
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ hidden_size: undefined }, ['"hidden_size" is missing']],
    [{ hidden_size: "64" }, ['"hidden_size" is "64"']],
    [{ hidden_size: -8 }, ['"hidden_size" is -8']],
    [{ hidden_size: 8.5 }, ['"hidden_size" is 8.5']],
    [{ num_hidden_layers: 0 }, ['"num_hidden_layers" is 0']],
    [{ num_hidden_layers: 1e9 }, ['"num_hidden_layers" is 1000000000']],
    [
      { num_attention_heads: 3, num_key_value_heads: 3 },
      ['"num_attention_heads" is 3', "divide hidden_size, 8"],
    ],
    [
      { num_attention_heads: 2, num_key_value_heads: 3 },
      ['"num_key_value_heads" is 3', "must divide num_attention_heads, 2"],
    ],
    [{ head_dim: 5 }, ['"head_dim" is 5', "even number"]],
    [{ hidden_act: "mish" }, ['"hidden_act" is "mish"', "supported are silu"]],
    [{ hidden_act: "constructor" }, ['"hidden_act" is "constructor"', "supported are silu"]],
    [
      { rope_scaling: { type: "longrope", factor: 4 } },
      ['"longrope"', "supported are default, linear"],
    ],
    [{ rope_scaling: { type: "yarn" } }, ['"rope_scaling.factor" is missing', "yarn"]],
    [
      { rope_scaling: { rope_type: "llama3" } },
      ['"rope_scaling.high_freq_factor" is missing', "llama3"],
    ],
    [
      { rope_scaling: { ...llama3Scaling, high_freq_factor: 1 } },
      ['"rope_scaling.high_freq_factor" is 1', "must exceed low_freq_factor, 1"],
    ],
    [{ rope_scaling: { kind: "linear" } }, ['"rope_scaling" is {"kind":"linear"}']],
    [{ norm_scheme: "keel" }, ['"keel"', "supported are pre-ln, lns, post-ln"]],
    [{ norm_scheme: "group-ln" }, ['"norm_groups" is missing', "number of groups"]],
    [{ norm_groups: 3 }, ['"norm_groups" is 3', "must divide the hidden size, 8"]],
    [{ layer_norm_scaling: "yes" }, ['"layer_norm_scaling" is "yes"', "expected true or false"]],
    [{ rope_scaling: { rope_type: "linear" } }, ['"rope_scaling.factor" is missing', "linear"]],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, ["partial_rotary_factor", "0.5"]],
    [{ rope_theta: 0 }, ['"rope_theta" is 0']],
    [{ rms_norm_eps: -1 }, ['"rms_norm_eps" is -1']],
    [{ rms_norm_eps: "1e-6" }, ['"rms_norm_eps" is "1e-6"', "expected a number"]],
    [
      { rope_scaling: { type: "dynamic", factor: 2 }, max_position_embeddings: undefined },
      ['"max_position_embeddings" is missing', "dynamic"],
    ],
    [
      { rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { rope_type: "default" } },
      ['"rope_parameters" is', "versions of transformers differ"],
    ],
  ])("with %j is refused by key and value", async (changes, words) => {
    const folder = writeTinyLlama(scratch(), undefined, changes);
    const message = await refusalOf(folder);
    expect(message.startsWith(join(folder, "config.json"))).toBe(true);
    for (const word of words) expect(message).toContain(word);
  });

  it.each<Record<string, unknown>>([
    { hidden_act: "gelu_pytorch_tanh" },
    { rope_scaling: { type: "linear", factor: 2 } },
    { rope_scaling: { type: "dynamic", factor: 2 } },
    { rope_scaling: llama3Scaling },
    { rope_scaling: { type: "yarn", factor: 4, original_max_position_embeddings: 8 } },
    { rope_scaling: {} },
    { rope_scaling: llama3Scaling, rope_parameters: llama3Scaling },
    { model_type: "mistral", attention_bias: true },
    { norm_type: "rms_norm" },
    { rope_parameters: { rope_type: "default", rope_theta: 5e5 } },
    { head_dim: 4 },
    { max_position_embeddings: null, tie_word_embeddings: null, torch_dtype: "float32" },
  ])("with %j is accepted", async (changes) => {
    const folder = writeTinyLlama(scratch(), undefined, changes);
    expect((await described(folder)).layers).toHaveLength(3);
  });
});

describe("tensors that contradict the config", () => {
  const path = "model.layers.1.self_attn.q_proj.weight";

  it.each<[string, (tensors: StoredTensors) => void, Record<string, unknown>, string[]]>([
    [
      "a hidden size of its own",
      () => undefined,
      { hidden_size: 16, head_dim: 4 },
      [
        'model.safetensors: tensor "model.embed_tokens.weight": shape is [11, 8]',
        "expected [11, 16] (vocab_size × hidden_size of config.json)",
      ],
    ],
    [
      "another vocabulary",
      () => undefined,
      { vocab_size: 12 },
      ['tensor "model.embed_tokens.weight": shape is [11, 8]; expected [12, 8]'],
    ],
    [
      "fewer layers: the first left over is named",
      () => undefined,
      { num_hidden_layers: 2 },
      [
        'tensor "model.layers.2.input_layernorm.weight" and 8 more',
        "have no place in a llama model with the layers",
      ],
    ],
    [
      "more layers: the first missing is named",
      () => undefined,
      { num_hidden_layers: 4 },
      [
        'model.safetensors: tensor "model.layers.3.input_layernorm.weight" is missing',
        "expected shape [8] (hidden_size of config.json)",
      ],
    ],
    [
      "another number of key-value heads",
      () => undefined,
      { num_key_value_heads: 2 },
      [
        'tensor "model.layers.0.self_attn.k_proj.weight": shape is [4, 8]',
        "expected [8, 8] (num_key_value_heads × head_dim × hidden_size of config.json)",
      ],
    ],
    [
      "a missing tensor",
      (tensors) => tensors.delete(path),
      {},
      [`tensor "${path}" is missing; expected shape [8, 8]`],
    ],
    [
      "a missing head, though the model's prefix is there",
      (tensors) => tensors.delete("lm_head.weight"),
      {},
      ['tensor "lm_head.weight" is missing; expected shape [11, 8]'],
    ],
    [
      "a flat shape",
      (tensors) => {
        tensors.get(path)!.shape = [64];
      },
      {},
      [`tensor "${path}": shape is [64]; expected [8, 8]`],
    ],
    [
      "integers",
      (tensors) => {
        tensors.set(path, { dtype: "I8", shape: [8, 8], data: new Uint8Array(64) });
      },
      {},
      [`tensor "${path}": dtype is I8; expected a floating-point type`],
    ],
    [
      "biases that no option speaks of",
      (tensors) =>
        tensors.set("model.layers.0.mlp.up_proj.bias", float32Tensor(Array(12).fill(0), [12])),
      {},
      ['tensor "model.layers.0.mlp.up_proj.bias" has no place in a llama model'],
    ],
    [
      "an option whose biases are not there",
      () => undefined,
      { mlp_bias: true },
      ['tensor "model.layers.0.mlp.gate_proj.bias" is missing; expected shape [12]'],
    ],
    [
      "an adapter beside the weights",
      (tensors) => tensors.set("model.layers.0.lora_A", float32Tensor([1], [1])),
      {},
      ['tensor "model.layers.0.lora_A" has no place'],
    ],
  ])("by %s are refused", async (_, change, config, words) => {
    const message = await refusalOf(writeTinyLlama(scratch(), change, config));
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain("\n");
  });

  it("are accepted again once the config agrees", async () => {
    const folder = copyFixture("llama", scratch());
    editConfig(folder, { num_hidden_layers: 3 });
    await refusalOf(folder);
    editWeights(folder, (tensors) => {
      for (const name of [...tensors.keys()]) {
        if (name.startsWith("model.layers.3.")) tensors.delete(name);
      }
    });
    expect((await described(folder)).layers).toHaveLength(3);
  });
});

describe("rotary frequencies", () => {
  it("fall geometrically", () => {
    const { inverseFrequencies } = rotary(4, 10_000, { type: "default" });
    expect(inverseFrequencies).toEqual([1, 0.01]);
  });

  it("are divided under linear scaling", () => {
    const { inverseFrequencies } = rotary(4, 10_000, { type: "linear", factor: 4 });
    expect(inverseFrequencies).toEqual([0.25, 0.0025]);
  });

  it("are kept, blended or divided under Llama 3's scaling", () => {
    const scaling = {
      type: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 8192,
    } as const;
    const plain = rotary(128, 500_000, { type: "default" }).inverseFrequencies;
    const { inverseFrequencies } = rotary(128, 500_000, scaling);
    for (const [pair, frequency] of plain.entries()) {
      const wavelength = (2 * Math.PI) / frequency;
      const found = inverseFrequencies[pair]!;
      if (wavelength < 8192 / 4) expect(found).toBe(frequency);
      else if (wavelength > 8192) expect(found).toBe(frequency / 8);
      else {
        expect(found).toBeLessThan(frequency);
        expect(found).toBeGreaterThan(frequency / 8);
      }
    }
    // Between them: 2.5 turns over the original context are half way.
    const theta = (8192 / (2.5 * 2 * Math.PI)) ** 2;
    const [, middle] = rotary(4, theta, scaling).inverseFrequencies;
    const unscaled = theta ** -0.5;
    expect(middle).toBeCloseTo((unscaled / 8 + unscaled) / 2, 12);
  });
});

async function described(folder: string, scheme?: SchemeName): Promise<Architecture> {
  return describeArchitecture(await openCheckpoint(folder), scheme);
}

function refusalOf(folder: string): Promise<string> {
  return failureOf(described(folder), CheckpointError);
}

function windowsOf({ layers }: Architecture): (number | undefined)[] {
  return layers.map(({ attention }) => attention.module.window);
}
