import { expect, it } from "vitest";
import { isOfAnotherFamily } from "../../../src/python/codeFamilies";
import { matchNorms } from "../../../src/python/matchNorms";
import * as models from "./support/models";
import { file } from "./support/read";

it.each([
  ["LlamaDecoderLayer", "model.py", "qwen2"],
  ["Block", "models/modeling_llama.py", "qwen2"],
  ["Qwen2DecoderLayer", "modeling_qwen2.py", "qwen3"],
  ["Qwen2DecoderLayer", "model.py", "qwen2_moe"],
  ["OPTDecoderLayer", "model.py", "LlamaForCausalLM"],
])("%s in %s is none of %s's", (name, path, family) => {
  expect(isOfAnotherFamily(name, { path }, [family])).toBe(true);
});

it.each([
  ["Qwen2DecoderLayer", "modeling_llama.py", "qwen2"],
  ["Qwen2MoeDecoderLayer", "model.py", "qwen2_moe"],
  ["LlamaDecoderLayer", "modeling_llama.py", "deepseek-llm"],
  ["OptimisedBlock", "model.py", "llama"],
  ["VitalBlock", "optimise_llama.py", "qwen2"],
  ["Block", "nanogpt/model.py", "gpt2"],
  ["LlamaDecoderLayer", "model.py", "home-made"],
])("%s in %s may be %s's", (name, path, family) => {
  expect(isOfAnotherFamily(name, { path }, [family])).toBe(false);
});

it("the code of one family makes no norms of another's checkpoint, unless a person says so", () => {
  const llama = [file("modeling_llama.py", models.huggingFace.replaceAll("Tiny", "Llama"))];
  const paths = models.huggingFacePaths;
  expect(matchNorms(llama, paths, ["llama"]).matches).toHaveLength(3);
  expect(matchNorms(llama, paths, ["qwen2"]).matches).toEqual([]);
  expect(matchNorms(llama, paths, ["qwen2"], { anyFamily: true }).matches).toHaveLength(3);
});
