/** The committed fixtures, and small checkpoints made from them or from nothing. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reference } from "../../oracle/tolerances.mjs";
import type { StoredTensor, StoredTensors } from "./safetensors";
import { encodeSafetensors, float32Tensor, rewriteSafetensors } from "./safetensors";

const fixturesFolder = fileURLToPath(new URL("../../fixtures/", import.meta.url));

export const fixtureNames = readdirSync(fixturesFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export function fixture(name: string): string {
  return join(fixturesFolder, name);
}

export function referenceOf(name: string): Reference {
  return readJson(join(fixture(name), "reference.json")) as Reference;
}

export function tokensOf(name: string): number[][] {
  return readJson(join(fixture(name), "tokens.json")) as number[][];
}

/** What a fixture is evaluated on: its documents, or its images. */
export function evaluatedOn(name: string): number[][] | { images: string } {
  const images = join(fixture(name), "images.safetensors");
  return existsSync(images) ? { images } : tokensOf(name);
}

/** A copy of a fixture that a test may spoil. Returns the folder. */
export function copyFixture(name: string, folder: string): string {
  cpSync(fixture(name), folder, { recursive: true });
  return folder;
}

/** The same without its config, as code of somebody's own leaves it. */
export function copyWithoutConfig(name: string, folder: string): string {
  copyFixture(name, folder);
  rmSync(join(folder, "config.json"));
  return folder;
}

/** Edits the weights of a single-file checkpoint. */
export function editWeights(folder: string, change: (tensors: StoredTensors) => void): void {
  rewriteSafetensors(join(folder, "model.safetensors"), change);
}

/** Sets keys of a checkpoint's config.json; undefined removes one. */
export function editConfig(folder: string, changes: Readonly<Record<string, unknown>>): void {
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify({ ...(readJson(file) as object), ...changes }));
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

export const tinyLlamaConfig = {
  model_type: "llama",
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
};

/** The tensors of a Llama with `tinyLlamaConfig`, filled with numbers that look random. */
export function tinyLlamaTensors(): StoredTensors {
  const { vocab_size, hidden_size, intermediate_size, num_hidden_layers } = tinyLlamaConfig;
  const keySize = hidden_size / 2;
  const tensors = new Map<string, StoredTensor>();
  const add = (name: string, ...shape: number[]): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Array.from({ length: count }, (_, at) => Math.sin(at * 1.7 + tensors.size * 5));
    tensors.set(name, float32Tensor(values, shape));
  };
  add("model.embed_tokens.weight", vocab_size, hidden_size);
  for (let layer = 0; layer < num_hidden_layers; layer++) {
    const path = `model.layers.${layer}`;
    add(`${path}.input_layernorm.weight`, hidden_size);
    add(`${path}.self_attn.q_proj.weight`, hidden_size, hidden_size);
    add(`${path}.self_attn.k_proj.weight`, keySize, hidden_size);
    add(`${path}.self_attn.v_proj.weight`, keySize, hidden_size);
    add(`${path}.self_attn.o_proj.weight`, hidden_size, hidden_size);
    add(`${path}.post_attention_layernorm.weight`, hidden_size);
    add(`${path}.mlp.gate_proj.weight`, intermediate_size, hidden_size);
    add(`${path}.mlp.up_proj.weight`, intermediate_size, hidden_size);
    add(`${path}.mlp.down_proj.weight`, hidden_size, intermediate_size);
  }
  add("model.norm.weight", hidden_size);
  add("lm_head.weight", vocab_size, hidden_size);
  return tensors;
}

/** Writes a whole small Llama checkpoint, after `change` has had its way with it. */
export function writeTinyLlama(
  folder: string,
  change: (tensors: StoredTensors) => void = () => undefined,
  config: Readonly<Record<string, unknown>> = {},
): string {
  const tensors = tinyLlamaTensors();
  change(tensors);
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(tensors));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...tinyLlamaConfig, ...config }));
  return folder;
}
