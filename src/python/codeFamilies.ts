/** Of which model family code says that it is, by the names of its classes and files. */
import type { ModuleFile } from "./structure";

/** Families whose names are told from others', and those whose models the same code makes. */
const families: readonly (readonly string[])[] = [
  ["llama", "llama2", "llama3", "codellama", "deepseekllm", "smollm", "yi"],
  ["gpt2", "nanogpt", "mingpt"],
  ...[
    ["albert", "bart", "bert", "bloom", "chatglm", "clip", "codegen", "cohere", "cohere2"],
    ["deberta", "deepseek", "deepseekv2", "deepseekv3", "distilbert", "electra", "ernie"],
    ["falcon", "gemma", "gemma2", "gemma3", "glm", "glm4", "gptbigcode", "gptj", "gptneo"],
    ["gptneox", "gptoss", "granite", "granitemoe", "internlm", "internlm2", "llama4", "mamba"],
    ["mbart", "mistral", "mixtral", "modernbert", "mpt", "nemotron", "olmo", "olmo2", "olmo3"],
    ["olmoe", "opt", "persimmon", "phi", "phi3", "phimoe", "pythia", "qwen", "qwen2", "qwen2moe"],
    ["qwen2vl", "qwen3", "qwen3moe", "roberta", "rwkv", "smollm3", "stablelm", "starcoder2", "t5"],
    ["umt5", "vit", "whisper", "xglm", "xlnet"],
  ]
    .flat()
    .map((family) => [family]),
];

/** The group of each name. */
const groups = new Map(families.flatMap((group) => group.map((name) => [name, group] as const)));

/**
 * Whether a class, or else the file it is in, goes by the name of a known family that is none of the
 * checkpoint's: `LlamaDecoderLayer` and `modeling_llama.py` make no norms of a Qwen2.
 *
 * @param names what the checkpoint calls its model: `qwen2`, `Qwen2ForCausalLM`; nothing is told
 *   from names of no known family
 */
export function isOfAnotherFamily(
  className: string,
  { path }: Pick<ModuleFile, "path">,
  names: readonly string[],
): boolean {
  const own = new Set(names.flatMap((name) => groups.get(plain(name)) ?? familyOf(name) ?? []));
  if (own.size === 0) return false;
  const stem = path
    .split("/")
    .at(-1)!
    .replace(/\.py$/, "")
    .replace(/^mod(?:eling|ular)_/, "");
  const group = familyOf(className) ?? groups.get(plain(stem));
  return group !== undefined && !group.some((name) => own.has(name));
}

/** `Qwen2MoeDecoderLayer` begins with `qwen2moe`, a whole word of it: not `Optimizer` with `opt`. */
function familyOf(className: string): readonly string[] | undefined {
  const words = className.replace(/^_+/, "");
  const lowerCase = words.toLowerCase();
  let found: string | undefined;
  for (const name of groups.keys()) {
    if (!lowerCase.startsWith(name)) continue;
    const next = words[name.length];
    if (next !== undefined && !/[A-Z_]/.test(next)) continue;
    if (name.length > (found?.length ?? 0)) found = name;
  }
  return found === undefined ? undefined : groups.get(found);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
