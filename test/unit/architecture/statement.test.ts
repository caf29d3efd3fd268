import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import type { Architecture } from "../../../src/architecture/description";
import type { Proposal, Settings } from "../../../src/architecture/reading";
import { describeStatement } from "../../../src/architecture/statement/describeStatement";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { limits } from "../../../src/checkpoint/limits";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, editWeights, fixture, referenceOf, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { heads, idioms, truth, written } from "../support/idioms";
import { diagnoseHere } from "../support/pipeline";
import { float32Tensor, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

interface StatementFile {
  reading?: Record<string, string | number>;
  guess?: Record<string, string | number>;
  roles?: Record<string, string>;
  [key: string]: unknown;
}

function state(folder: string, statement: StatementFile | string): string {
  const text = typeof statement === "string" ? statement : JSON.stringify(statement);
  writeFileSync(join(folder, "fathom.json"), text);
  return folder;
}

async function described(path: string): Promise<StatementFile> {
  const { text } = await describeStatement(await openCheckpoint(path));
  return JSON.parse(text) as StatementFile;
}

async function read(path: string, stated: Parameters<typeof readArchitecture>[1] = {}) {
  return readArchitecture(await openCheckpoint(path), stated);
}

/** A reading's numbers in fathom.json, from settings as --reading has them. */
function asNumbers(settings: Settings): Record<string, string | number> {
  const numbers = ["heads", "epsilon", "rotary-base", "embedding-scale"];
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      numbers.includes(name) && value !== "sqrt" ? Number(value) : value,
    ]),
  );
}

describe("fathom.json", () => {
  const expected = (referenceOf("gpt2")["baseline"] as { nll: number }).nll;

  it.each(Object.keys(idioms))(
    "described in the idiom %s and read again is the same model",
    async (idiom) => {
      const folder = written(scratch(), idiom);
      const before = await read(folder);
      const statement = await described(folder);
      state(folder, statement);
      const after = await read(folder);
      expect(after.source).toBe("statement");
      expect(after.architecture({})).toEqual(before.architecture({}));
      expect(after.open).toEqual(before.open);
      // And is computed as what it is, once what nothing told is moved where it is taken as stated.
      const isFused = idiom === "of timm";
      state(folder, {
        roles: statement.roles!,
        reading: {
          ...statement.reading,
          ...asNumbers(truth),
          ...(isFused && { fused: "thirds" }),
        },
      });
      const { baseline, architecture } = await diagnoseHere(folder, {
        documents: tokensOf("gpt2"),
        metrics: ["variance"],
      });
      expect(baseline!.nll).toBeCloseTo(expected, 4);
      expect(architecture.reading!.source).toBe("statement");
      expect(architecture.reading!.settled).toContainEqual({
        name: "norm",
        value: "pre-ln",
        by: "fathom.json",
      });
      expect(architecture.normSchemeSource).toBe("fathom.json");
    },
  );

  it("described of every fixture that is inferred and read again is the same model", async () => {
    const inferred: string[] = [];
    for (const name of readdirSync(fixture("."))) {
      if (!existsSync(join(fixture(name), "model.safetensors"))) continue;
      const folder = copyFixture(name, scratch());
      for (const file of ["config.json", "fathom.json"])
        rmSync(join(folder, file), { force: true });
      const before = await read(folder).catch(() => undefined);
      if (before?.source !== "inference") continue;
      state(folder, await described(folder));
      const after = await read(folder);
      expect(computed(after), name).toEqual(computed(before));
      inferred.push(name);
    }
    expect(inferred).toEqual(
      expect.arrayContaining(["llama", "qwen3", "gpt2", "phi3", "torch-decoder"]),
    );
  });

  it("gives every tensor a role by its pattern", async () => {
    const { roles } = await described(written(scratch(), "of a module for each head"));
    expect(roles).toMatchObject({
      "token_embedding_table.weight": "token embedding",
      "blocks.{layer}.sa.heads.{head}.key.weight": "key",
      "blocks.{layer}.sa.heads.{head}.key.bias": "key bias",
      "blocks.{layer}.sa.heads.{head}.tril": "unused",
      "blocks.{layer}.ffwd.net.0.weight": "feed-forward up",
      "blocks.{layer}.ln2.bias": "feed-forward norm bias",
      "lm_head.weight": "head",
    });
  });

  it("keeps what is guessed apart from what is known", async () => {
    const { reading, guess } = await described(written(scratch(), "of a module for each head"));
    expect(reading).toMatchObject({ heads, "norm-kind": "layer" });
    expect(guess).toMatchObject({ norm: "pre-ln", activation: "gelu", epsilon: 1e-5 });
  });

  it("has a guess tried first, also one that would not have been", async () => {
    const folder = written(scratch(), "of a module for each head");
    state(folder, { guess: { norm: "post-ln", epsilon: 1e-7 } });
    const { open } = await read(folder);
    expect(open.find(({ name }) => name === "norm")!.values[0]).toBe("post-ln");
    expect(open.find(({ name }) => name === "epsilon")!.values).toContain("1e-7");
  });

  it("names tensors that no name tells", async () => {
    const folder = written(scratch(), "of timm");
    const known = await described(folder);
    editWeights(folder, (tensors) => {
      renameTensors(tensors, strange);
    });
    await failureOf(read(folder), CheckpointError);
    const roles = Object.fromEntries(
      Object.entries(known.roles!).map(([name, role]) => [strange(name), role]),
    );
    state(folder, { roles, reading: { ...asNumbers(truth), fused: "thirds" } });
    const { baseline, architecture } = await diagnoseHere(folder, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    expect(architecture.norms!.map(({ path }) => path)).toContain("z0.five1");
  });

  it("is under the user's own word", async () => {
    const folder = state(written(scratch(), "of timm"), { reading: { norm: "post-ln", heads: 2 } });
    const { settled } = await read(folder, { settings: { norm: "pre-ln" } });
    expect(settled).toContainEqual({ name: "norm", value: "pre-ln", by: "as asked" });
    expect(settled).toContainEqual({ name: "heads", value: "2", by: "fathom.json" });
  });

  it("is over what was chosen once, which is over nothing that tells", async () => {
    const folder = state(written(scratch(), "of timm"), { reading: { norm: "post-ln" } });
    const chosen = { norm: "pre-ln", activation: "relu", "norm-kind": "rms" };
    const { settled } = await read(folder, { chosen });
    const by = Object.fromEntries(settled.map((setting) => [setting.name, setting.by]));
    expect(by).toMatchObject({
      norm: "fathom.json",
      activation: "chosen by you",
      "norm-kind": "norms have biases",
    });
  });

  const query = "blocks.{layer}.attn.qkv.weight";
  it.each<[string, (statement: StatementFile) => unknown, string[]]>([
    ["that is no JSON", () => "{", ["is not JSON"]],
    ["that is no object", () => "[]", ["is not a JSON object"]],
    ["of a mebibyte", () => " ".repeat(limits.statementBytes + 1), ["the limit is 1000000"]],
    ["with an unknown key", () => ({ rols: {} }), ['"rols" is not known', "reading", "roles"]],
    [
      "with an unknown setting",
      () => ({ reading: { hedas: 4 } }),
      ['in "reading" "hedas" is not known', "heads"],
    ],
    [
      "with a value that a setting has not",
      () => ({ reading: { rotary: "sideways" } }),
      ['"reading.rotary" is "sideways"', "expected one of halves, neighbours"],
    ],
    [
      "with a text for a number",
      () => ({ guess: { heads: "4" } }),
      ['"guess.heads" is "4"', "a whole number"],
    ],
    [
      "with a value that this model has not",
      () => ({ reading: { heads: 5 } }),
      ["the reading heads=5 of fathom.json is not possible"],
    ],
    [
      "with a setting that says nothing of this model",
      () => ({ reading: { rotary: "halves" } }),
      ["the reading rotary=halves of fathom.json says nothing of this model"],
    ],
    [
      "with an unknown role",
      ({ roles }) => ({ roles: { ...roles, [query]: "qwery" } }),
      ['"qwery"', query, "expected one of token embedding"],
    ],
    [
      "with a role to be filled in",
      ({ roles }) => ({ roles: { ...roles, [query]: "unknown" } }),
      ['"unknown"', query, "say what it does"],
    ],
    [
      "with a pattern of no tensor",
      ({ roles }) => ({ roles: { ...roles, "blocks.{layer}.attn.bias": "unused" } }),
      ['"blocks.{layer}.attn.bias" matches no tensor'],
    ],
    [
      "without a tensor",
      ({ roles }) => ({ roles: without(roles!, query) }),
      ["states none of tensor", "blocks.0.attn.qkv.weight"],
    ],
    [
      "with two patterns of one tensor",
      ({ roles }) => ({ roles: { ...roles, "blocks.0.attn.qkv.weight": "unused" } }),
      ["has two roles", "blocks.0.attn.qkv.weight", query],
    ],
    [
      "with two tensors of one role",
      ({ roles }) => ({ roles: { ...roles, [query]: "attention output" } }),
      ["are both stated as", "blocks.0.attn.proj.weight", "blocks.0.attn.qkv.weight"],
    ],
    [
      "without a role that every model has",
      ({ roles }) => ({
        roles: {
          ...roles,
          "blocks.{layer}.attn.proj.weight": "unused",
          "blocks.{layer}.attn.proj.bias": "unused",
        },
      }),
      ['states no tensor to be "attention output"'],
    ],
    [
      "with a linear stated as another",
      ({ roles }) => ({
        roles: {
          ...roles,
          "blocks.{layer}.mlp.fc1.weight": "feed-forward down",
          "blocks.{layer}.mlp.fc1.bias": "feed-forward down bias",
          "blocks.{layer}.mlp.fc2.weight": "feed-forward up",
          "blocks.{layer}.mlp.fc2.bias": "feed-forward up bias",
        },
      }),
      ["blocks.0.mlp.fc", "but its shape is that of"],
    ],
    [
      "with a layer's role without its layer",
      ({ roles }) => ({ roles: { ...roles, "norm.weight": "query norm" } }),
      ['"norm.weight" is of "query norm"', "expected {layer}"],
    ],
    [
      "with a placeholder twice",
      ({ roles }) => ({ roles: { ...roles, "a.{layer}.{layer}": "unused" } }),
      ["names a placeholder twice"],
    ],
    [
      "with digits after a placeholder",
      ({ roles }) => ({ roles: { ...roles, "a.{layer}1": "unused" } }),
      ["right after a placeholder"],
    ],
  ])("is refused %s", async (_, change, words) => {
    const folder = written(scratch(), "of timm");
    const changed = change(await described(folder));
    state(folder, changed as StatementFile);
    const message = await failureOf(read(folder), CheckpointError);
    expect(message).toContain(folder);
    for (const word of words) expect(message).toContain(word);
  });

  it("is refused where a layer lacks what its pattern names", async () => {
    const folder = written(scratch(), "of timm");
    const statement = await described(folder);
    editWeights(folder, (tensors) => tensors.delete("blocks.1.attn.qkv.bias"));
    const message = await failureOf(read(state(folder, statement)), CheckpointError);
    expect(message).toContain('"blocks.{layer}.attn.qkv.bias" matches no tensor of layer 1');
  });

  it("puts the tensors' own names into what inference refuses", async () => {
    const folder = written(scratch(), "of timm");
    const statement = await described(folder);
    editWeights(folder, (tensors) => {
      for (const name of [...tensors.keys()]) {
        if (name.endsWith("qkv.bias")) tensors.set(name, float32Tensor([0], [1]));
        if (name.endsWith("attn.proj.weight")) tensors.set(name, float32Tensor([1, 2], [1, 2]));
      }
    });
    const message = await failureOf(read(state(folder, statement)), CheckpointError);
    expect(message).toContain('"blocks.0.attn.qkv.weight"');
    expect(message).not.toContain("qkv_proj");
    expect(message).not.toContain("layers.0");
  });

  it("of a known family states the norm scheme, and nothing else but roles", async () => {
    const folder = state(copyFixture("llama", scratch()), { reading: { norm: "post-ln" } });
    const { architecture, settled } = await read(folder);
    expect(architecture({}).scheme).toMatchObject({
      name: "post-ln",
      source: "stated in fathom.json",
    });
    expect(settled).toEqual([{ name: "norm", value: "post-ln", by: "fathom.json" }]);
    expect((await read(folder, { scheme: "pre-ln" })).architecture({}).scheme.name).toBe("pre-ln");

    state(folder, { reading: { heads: 4 } });
    const message = await failureOf(read(folder), CheckpointError);
    expect(message).toContain('the family llama, which settles "heads"');
    expect(message).toContain("unless it states roles");
    expect(await described(folder)).toEqual({ reading: { norm: "pre-ln" } });
  });

  it("by its roles reads what a family would refuse to have stated", async () => {
    const folder = copyFixture("gpt2", scratch());
    const roles = Object.fromEntries(
      Object.entries({
        "wte.weight": "token embedding",
        "wpe.weight": "position embedding",
        "h.{layer}.ln_1.weight": "attention norm",
        "h.{layer}.ln_1.bias": "attention norm",
        "h.{layer}.attn.c_attn.weight": "query-key-value",
        "h.{layer}.attn.c_attn.bias": "query-key-value",
        "h.{layer}.attn.c_proj.weight": "attention output",
        "h.{layer}.attn.c_proj.bias": "attention output",
        "h.{layer}.ln_2.weight": "feed-forward norm",
        "h.{layer}.ln_2.bias": "feed-forward norm",
        "h.{layer}.mlp.c_fc.weight": "feed-forward up",
        "h.{layer}.mlp.c_fc.bias": "feed-forward up",
        "h.{layer}.mlp.c_proj.weight": "feed-forward down",
        "h.{layer}.mlp.c_proj.bias": "feed-forward down",
        "ln_f.weight": "final norm",
        "ln_f.bias": "final norm",
      }).map(([name, role]) => [`transformer.${name}`, role]),
    );
    const reading = { ...asNumbers(truth), fused: "thirds", linears: "input-first" };
    state(folder, { roles, reading });
    const { baseline } = await diagnoseHere(folder, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
  });

  it("of a model that is not understood lists the tensors to be told", async () => {
    const folder = written(scratch(), "of timm", (tensors) => {
      tensors.set("blocks.0.ssm.A_log", float32Tensor([0], [1]));
      tensors.set("blocks.1.ssm.A_log", float32Tensor([0], [1]));
    });
    const statement = await describeStatement(await openCheckpoint(folder));
    expect(statement.refusal).toContain("state-space");
    const { roles } = JSON.parse(statement.text) as StatementFile;
    expect(roles).toMatchObject({
      "blocks.{layer}.ssm.A_log": "unknown",
      "blocks.{layer}.attn.qkv.weight": "unknown",
      "norm.weight": "unknown",
    });
    const message = await failureOf(read(state(folder, statement.text)), CheckpointError);
    expect(message).toContain('"unknown"');
  });
});

/** What a proposal computes, however its scheme was settled. */
function computed({ architecture }: Proposal): Omit<Architecture, "scheme"> & { scheme: string } {
  const likeliest = architecture({});
  return { ...likeliest, scheme: likeliest.scheme.name };
}

function without(roles: Record<string, string>, pattern: string): Record<string, string> {
  return Object.fromEntries(Object.entries(roles).filter(([name]) => name !== pattern));
}

/** Names that mean nothing, with the layer's number not between dots. */
function strange(name: string): string {
  return strangePath(name.replace(/\.(weight|bias)$/, "")) + (name.endsWith(".bias") ? ".b" : ".w");
}

function strangePath(path: string): string {
  return path
    .replace(/^blocks\.(\d+|\{layer\}|\*)/, "z$1")
    .replace("attn.qkv", "one")
    .replace("attn.proj", "two")
    .replace("mlp.fc1", "three")
    .replace("mlp.fc2", "four")
    .replace("norm", "five")
    .replace("tok_embed", "six")
    .replace("pos_embed", "seven")
    .replace(/^head$/, "eight");
}

const shared = fileURLToPath(new URL("../../../../shared/checkpoints/", import.meta.url));

describe.skipIf(!existsSync(shared))("fathom.json of a real checkpoint", () => {
  it.each([
    "tensorforge-gpt/gpt.pt",
    "tensorforge-gpt/gpt_rope_gqa.pt",
    "grammar-knn-lm/model.pt",
    "slm4096-nanogpt",
    "vit-mnist-postln",
  ])("%s, described and read again, is the same model", async (path) => {
    const checkpoint = await openCheckpoint(join(shared, path));
    const before = await readArchitecture(checkpoint);
    const { text } = await describeStatement(checkpoint);
    const statement = join(state(scratch(), text), "fathom.json");
    const after = await readArchitecture({ ...checkpoint, statement });
    expect(after.architecture({})).toEqual(before.architecture({}));
  });
});
