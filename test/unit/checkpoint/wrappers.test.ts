import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { withoutLightningModule, withoutWrappers } from "../../../src/checkpoint/wrappers";
import { copyFixture, fixture } from "../support/checkpoints";
import { scratchFolders } from "../support/scratch";
import { decodeSafetensors, encodeSafetensors } from "../support/safetensors";
import { floats, pickled, tensorCode, torchZip } from "../support/torchFiles";

const scratch = scratchFolders();

/** Of families: code of one's own, which states how it is read, keeps its names. */
const folders = readdirSync(fixture("")).filter(
  (name) => existsSync(fileOf(name)) && !existsSync(join(fixture(name), "fathom.json")),
);

function fileOf(name: string): string {
  return join(fixture(name), "model.safetensors");
}

const gpt2 = ["transformer.wte.weight", "transformer.h.0.ln_1.weight", "lm_head.weight"];
const llama = ["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "lm_head.weight"];
const models: [string, string[]][] = [
  ["GPT-2", gpt2],
  ["GPT-2 without a head", gpt2.slice(0, 2).map((name) => name.slice(12))],
  ["Llama", llama],
  ["Llama whose embeddings are tied", llama.slice(0, 2)],
  ["OPT", ["model.decoder.embed_tokens.weight", "model.decoder.layers.0.fc1.weight"]],
  ["Gemma 3", ["model.language_model.layers.0.x", "model.vision_tower.y"]],
  ["GPT-NeoX", ["gpt_neox.embed_in.weight", "embed_out.weight"]],
  ["BERT", ["bert.embeddings.word_embeddings.weight", "cls.predictions.bias"]],
  ["BERT without a head", ["embeddings.word_embeddings.weight", "encoder.layer.0.output.bias"]],
  ["T5", ["shared.weight", "encoder.block.0.layer.0.x", "decoder.block.0.layer.0.x"]],
  ["timm", ["cls_token", "patch_embed.proj.weight", "blocks.0.norm1.weight"]],
];
const ownModel: [string, string[]][] = [
  ["Llama without a head", ["layers.0.mlp.up_proj.weight", "embed_tokens.weight"]],
  ["BART", ["shared.weight", "encoder.layers.0.fc1.weight", "decoder.layers.0.fc1.weight"]],
  ["a tower", ["language_model.layers.0.x", "vision_tower.y"]],
  ["what is not known", ["stack.0.x", "head.weight"]],
];
const under = (prefix: string, names: string[]): string[] => names.map((name) => prefix + name);

describe("wrappers", () => {
  it.each(models)("are taken off %s, in any order, and nothing of itself", (_, names) => {
    for (const prefix of [
      "",
      "module.",
      "_forward_module.",
      "_orig_mod.",
      "model.",
      "model.model.",
      "module.model.",
      "model.module.",
      "module._orig_mod.model._fsdp_wrapped_module.",
      "model._orig_mod.module.model.",
    ]) {
      expect([prefix, ...withoutWrappers(under(prefix, names))]).toEqual([prefix, ...names]);
    }
  });

  it.each(ownModel)("do not count `model.` before %s", (_, names) => {
    expect(withoutWrappers(under("model.", names))).toEqual(under("model.", names));
    expect(withoutWrappers(under("module.model.", names))).toEqual(under("model.", names));
    // What it wraps tells it from a name of the model's own.
    expect(withoutWrappers(under("model.module.", names))).toEqual(names);
  });

  it("stay where not every name has them, and where names would become the same", () => {
    const partly = [...under("model.", gpt2), "value_head.weight"];
    expect(withoutWrappers(partly)).toEqual(partly);
    const same = ["a._orig_mod.b", "a.b"];
    expect(withoutWrappers(same)).toEqual(same);
    expect(withoutWrappers([])).toEqual([]);
  });

  it("of Lightning are its module's attribute and what wraps the module", () => {
    expect(withoutLightningModule(under("net.", gpt2))).toEqual(gpt2);
    expect(withoutLightningModule(under("model.", llama))).toEqual(llama);
    expect(withoutLightningModule(under("_forward_module.model.", gpt2))).toEqual(gpt2);
    expect(withoutLightningModule(["a.b", "c.d"])).toEqual(["a.b", "c.d"]);
  });

  it("are taken off a whole checkpoint, not off each of its files", async () => {
    const folder = scratch();
    const shard = (name: string, tensor: string): void => {
      const root = pickled.dict({ [tensor]: tensorCode("0", [2]) });
      writeFileSync(join(folder, name), torchZip(root, { 0: floats(1, 2) }));
    };
    // In the second every name is of a whole model beneath `model.`.
    const map = {
      "lm_head.weight": "pytorch_model-00001-of-00002.bin",
      "model.transformer.h.0.weight": "pytorch_model-00002-of-00002.bin",
    };
    for (const [tensor, name] of Object.entries(map)) shard(name, tensor);
    const index = join(folder, "pytorch_model.bin.index.json");
    writeFileSync(index, JSON.stringify({ weight_map: map }));
    expect([...(await openCheckpoint(folder)).tensors.keys()]).toEqual(Object.keys(map));
  });

  it.each(folders)("are found in %s under an attribute, and not in its own names", async (name) => {
    const tensors = decodeSafetensors(readFileSync(fileOf(name)));
    const names = [...tensors.keys()];
    expect(withoutWrappers(names)).toEqual(names);
    const folder = copyFixture(name, scratch());
    const wrapped = [...tensors].map(([own, tensor]) => [`module.model.${own}`, tensor] as const);
    writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(wrapped));
    const opened = await openCheckpoint(folder);
    expect([...opened.tensors.keys()]).toEqual(names);
  });
});
