/** The fixture `gpt2` as other people's code would have written it: other names, and no config. */
import { join } from "node:path";
import type { Settings } from "../../../src/architecture/reading";
import { copyWithoutConfig, editWeights, fixture, readJson } from "./checkpoints";
import type { StoredTensor, StoredTensors } from "./safetensors";
import { float32Tensor, floatsOf } from "./safetensors";

const gpt2 = readJson(join(fixture("gpt2"), "config.json")) as Record<string, number>;
const hidden = gpt2["n_embd"]!;
export const heads = gpt2["n_head"]!;
const headSize = hidden / heads;

/** What the fixture `gpt2` is, said of it where its names do not. */
export const truth: Settings = {
  heads: String(heads),
  norm: "pre",
  activation: "gelu_tanh",
  scale: "head",
  "embedding-scale": "1",
  epsilon: "1e-5",
};

function transposedTensor(tensor: StoredTensor): StoredTensor {
  const [rows, columns] = tensor.shape as [number, number];
  const numbers = floatsOf(tensor);
  const turned = Array.from(
    { length: rows * columns },
    (_, at) => numbers[(at % rows) * columns + Math.floor(at / rows)]!,
  );
  return float32Tensor(turned, [columns, rows]);
}

/** Rows [start, end) of a tensor. */
function part(tensor: StoredTensor, start: number, end: number): StoredTensor {
  const [, ...inner] = tensor.shape;
  const width = inner.reduce((product, size) => product * size, 1);
  return float32Tensor(
    [...floatsOf(tensor).subarray(start * width, end * width)],
    [end - start, ...inner],
  );
}

/** How an idiom writes one layer's attention and feed-forward, from linears as nn.Linear stores them. */
type Idiom = (layer: {
  readonly fused: StoredTensor;
  readonly fusedBias: StoredTensor;
  readonly output: StoredTensor;
  readonly up: StoredTensor;
  readonly down: StoredTensor;
  readonly at: (name: string) => StoredTensor;
}) => Record<string, StoredTensor>;

export const idioms: Record<
  string,
  { outer: Record<string, string>; layers: string; layer: Idiom }
> = {
  "of nn.TransformerEncoderLayer": {
    outer: { wte: "token_embedding", wpe: "position_embedding", ln_f: "norm", head: "fc_out" },
    layers: "encoder.layers",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      "self_attn.in_proj_weight": fused,
      "self_attn.in_proj_bias": fusedBias,
      "self_attn.out_proj.weight": output,
      "self_attn.out_proj.bias": at("attn.c_proj.bias"),
      "linear1.weight": up,
      "linear1.bias": at("mlp.c_fc.bias"),
      "linear2.weight": down,
      "linear2.bias": at("mlp.c_proj.bias"),
      "norm1.weight": at("ln_1.weight"),
      "norm1.bias": at("ln_1.bias"),
      "norm2.weight": at("ln_2.weight"),
      "norm2.bias": at("ln_2.bias"),
    }),
  },
  "of a module for each head": {
    outer: {
      wte: "token_embedding_table",
      wpe: "position_embedding_table",
      ln_f: "ln_f",
      head: "lm_head",
    },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      ...Object.fromEntries(
        ["query", "key", "value"].flatMap((name, third) =>
          Array.from({ length: heads }, (_, head) => {
            const start = third * hidden + head * headSize;
            return [
              [`sa.heads.${head}.${name}.weight`, part(fused, start, start + headSize)],
              [`sa.heads.${head}.${name}.bias`, part(fusedBias, start, start + headSize)],
            ] as const;
          }).flat(),
        ),
      ),
      "sa.heads.0.tril": float32Tensor([1, 0, 1, 1], [2, 2]),
      "sa.proj.weight": output,
      "sa.proj.bias": at("attn.c_proj.bias"),
      "ffwd.net.0.weight": up,
      "ffwd.net.0.bias": at("mlp.c_fc.bias"),
      "ffwd.net.2.weight": down,
      "ffwd.net.2.bias": at("mlp.c_proj.bias"),
      "ln1.weight": at("ln_1.weight"),
      "ln1.bias": at("ln_1.bias"),
      "ln2.weight": at("ln_2.weight"),
      "ln2.bias": at("ln_2.bias"),
    }),
  },
  "of TransformerLens": {
    outer: { wte: "embed.W_E", wpe: "pos_embed.W_pos", ln_f: "ln_final", head: "unembed.W_U" },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      ...Object.fromEntries(
        ["Q", "K", "V"].flatMap((name, third) => {
          const each = Array.from({ length: heads }, (_, head) =>
            floatsOf(
              transposedTensor(
                part(
                  fused,
                  third * hidden + head * headSize,
                  third * hidden + (head + 1) * headSize,
                ),
              ),
            ),
          );
          const bias = part(fusedBias, third * hidden, (third + 1) * hidden);
          return [
            [
              `attn.W_${name}`,
              float32Tensor(
                each.flatMap((one) => [...one]),
                [heads, hidden, headSize],
              ),
            ],
            [`attn.b_${name}`, { ...bias, shape: [heads, headSize] }],
          ] as const;
        }),
      ),
      "attn.W_O": { ...transposedTensor(output), shape: [heads, headSize, hidden] },
      "attn.b_O": at("attn.c_proj.bias"),
      "attn.mask": { dtype: "BOOL", shape: [2, 2], data: new Uint8Array([1, 0, 1, 1]) },
      "attn.IGNORE": float32Tensor([-1e5], []),
      "mlp.W_in": transposedTensor(up),
      "mlp.b_in": at("mlp.c_fc.bias"),
      "mlp.W_out": transposedTensor(down),
      "mlp.b_out": at("mlp.c_proj.bias"),
      "ln1.w": at("ln_1.weight"),
      "ln1.b": at("ln_1.bias"),
      "ln2.w": at("ln_2.weight"),
      "ln2.b": at("ln_2.bias"),
    }),
  },
  "of timm": {
    outer: { wte: "tok_embed", wpe: "pos_embed", ln_f: "norm", head: "head" },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      "norm1.weight": at("ln_1.weight"),
      "norm1.bias": at("ln_1.bias"),
      "attn.qkv.weight": fused,
      "attn.qkv.bias": fusedBias,
      "attn.proj.weight": output,
      "attn.proj.bias": at("attn.c_proj.bias"),
      "norm2.weight": at("ln_2.weight"),
      "norm2.bias": at("ln_2.bias"),
      "mlp.fc1.weight": up,
      "mlp.fc1.bias": at("mlp.c_fc.bias"),
      "mlp.fc2.weight": down,
      "mlp.fc2.bias": at("mlp.c_proj.bias"),
    }),
  },
};

/** Writes the fixture `gpt2` under the names of an idiom, without a config, into an empty folder. */
export function written(
  folder: string,
  idiom: string,
  change: (tensors: StoredTensors) => void = () => undefined,
): string {
  copyWithoutConfig("gpt2", folder);
  const { outer, layers, layer } = idioms[idiom]!;
  editWeights(folder, (tensors) => {
    const old = new Map(tensors);
    tensors.clear();
    const isLens = outer["wte"]!.endsWith("W_E");
    const table = (name: string): string =>
      isLens || name === "tok_embed" ? name : `${name}.weight`;
    const embedding = old.get("transformer.wte.weight")!;
    const own = outer["wte"] === "tok_embed" ? "tok_embed.weight" : table(outer["wte"]!);
    tensors.set(own, embedding);
    tensors.set(table(outer["wpe"]!), old.get("transformer.wpe.weight")!);
    const [weight, bias] = isLens ? ["w", "b"] : ["weight", "bias"];
    tensors.set(`${outer["ln_f"]!}.${weight}`, old.get("transformer.ln_f.weight")!);
    tensors.set(`${outer["ln_f"]!}.${bias}`, old.get("transformer.ln_f.bias")!);
    tensors.set(
      isLens ? outer["head"]! : `${outer["head"]!}.weight`,
      isLens ? transposedTensor(embedding) : embedding,
    );
    for (let index = 0; index < gpt2["n_layer"]!; index++) {
      const at = (name: string): StoredTensor => old.get(`transformer.h.${index}.${name}`)!;
      const parts = layer({
        fused: transposedTensor(at("attn.c_attn.weight")),
        fusedBias: at("attn.c_attn.bias"),
        output: transposedTensor(at("attn.c_proj.weight")),
        up: transposedTensor(at("mlp.c_fc.weight")),
        down: transposedTensor(at("mlp.c_proj.weight")),
        at,
      });
      for (const [name, tensor] of Object.entries(parts)) {
        tensors.set(`${layers}.${index}.${name}`, tensor);
      }
    }
    change(tensors);
  });
  return folder;
}
