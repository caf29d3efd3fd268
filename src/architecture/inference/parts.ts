import type { TensorEntry } from "../../checkpoint/checkpoint";
import { together } from "../../checkpoint/formats/torch/together";
import { permuted, reshaped, transposed } from "../../checkpoint/views";
import type { Linear } from "../description";
import type { Tensors } from "./stack";

/** A module of its own parameters, told by how they are named. */
export interface Part {
  /** Module path within the layer or the model: `attn.q_proj`. */
  readonly path: string;
  readonly weight: TensorEntry;
  readonly bias: TensorEntry | undefined;
  /** Every tensor it is made of, by name. */
  readonly names: readonly string[];
}

/** An error that names tensors of a layer by their names within it, and what the layer has of them. */
export type Refuse = (names: readonly string[], what: string) => Error;

/** How parameters are named in their module; the first that knows a name is meant. */
const conventions: readonly {
  readonly weight: RegExp;
  /** What the bias may be called, from the weight's name. */
  readonly biases: (weight: string) => readonly string[];
  readonly path: string;
}[] = [
  // nn.MultiheadAttention
  { weight: /^(.*in_proj)_weight$/, biases: lastWord("bias"), path: "$1" },
  // PyTorch and its many likes
  { weight: /^(.*)\.weight$/, biases: lastWord("bias"), path: "$1" },
  // TransformerLens
  {
    weight: /^(.*\.|)W_(E|U|pos|Q|K|V|O|in|out|gate)$/,
    biases: (name) => [name.replace(/W_(\w+)$/, "b_$1")],
    path: "$1W_$2",
  },
  // Its norms, and picoGPT's linears
  { weight: /^(.+)\.w$/, biases: lastWord("b"), path: "$1" },
  {
    weight: /^(.*(?:norm|ln)\w*|.*\.\d+)\.(?:gamma|g)$/,
    biases: lastWord("beta", "b"),
    path: "$1",
  },
  {
    weight: /^(.*norm\w*)\.scale$/,
    biases: lastWord("bias", "shift", "offset"),
    path: "$1",
  },
  // The Annotated Transformer
  { weight: /^(.*norm\w*)\.a_2$/, biases: lastWord("b_2"), path: "$1" },
  // A parameter by itself
  { weight: /^(.+)$/, biases: (name) => [`${name}_bias`], path: "$1" },
];

export function partsOf(tensors: Tensors): Part[] {
  const isTaken = new Set<string>();
  const parts: Part[] = [];
  for (const { weight: pattern, biases, path } of conventions) {
    for (const [name, weight] of tensors) {
      if (isTaken.has(name) || !pattern.test(name)) continue;
      const biasName = biases(name).find(
        (found) => found !== name && !isTaken.has(found) && tensors.has(found),
      );
      const bias = biasName === undefined ? undefined : tensors.get(biasName);
      const names = biasName === undefined ? [name] : [name, biasName];
      for (const taken of names) isTaken.add(taken);
      parts.push({ path: name.replace(pattern, path), weight, bias, names });
    }
  }
  return parts;
}

/** Other last words, or ends of one, in the place of a name's. */
function lastWord(...others: readonly string[]): (name: string) => readonly string[] {
  return (name) => others.map((other) => name.replace(/[a-z0-9]+(_2)?$/, other));
}

/** The path of the module that a weight is of, by its name. */
export function modulePathOf(name: string): string {
  const { weight, path } = conventions.find(({ weight: pattern }) => pattern.test(name))!;
  return name.replace(weight, path);
}

/** The last step of a module path, in lower case without separators: `W_q` is `wq`. */
export function wordOf(path: string): string {
  return path.split(".").at(-1)!.toLowerCase().replaceAll(/[_-]/g, "");
}

/**
 * What a linear is called without the words for "linear": `W_q`, `q_proj`, `to_q` and `q.linear` are `q`,
 * and `W_query` is `query`.
 */
export function bareWordOf(path: string): string {
  const affixes =
    /^(w(?=([qkvo]|query|key|value|out)$)|to(?=[qkvo])|linear(?=.)|lin(?=.)|proj(?=.)|attn(?=.))|(?<=.)(projection|proj|linear|lin|layer|weight|w)$/;
  let word = wordOf(path.replace(/(?<=[a-z])\.(linear|lin)$/i, ""));
  for (let shorter = word.replace(affixes, ""); shorter !== word;) {
    word = shorter;
    shorter = word.replace(affixes, "");
  }
  return word;
}

/** Whether weights are stored [output, input], as nn.Linear does, or the other way round. */
export type Orientation = "output first" | "input first";

/** What biases and TransformerLens's names tell of it; undefined where nothing does. */
export function orientationOf(parts: readonly Part[]): Orientation | "both" | undefined {
  const votes = new Set<Orientation>();
  for (const { path, weight, bias } of parts) {
    if (/(^|\.)W_/.test(path) && weight.name.endsWith(path.split(".").at(-1)!)) {
      votes.add("input first");
      continue;
    }
    const [rows, columns] = weight.shape;
    if (weight.shape.length !== 2 || bias?.shape.length !== 1 || rows === columns) continue;
    if (bias.shape[0] === rows) votes.add("output first");
    if (bias.shape[0] === columns) votes.add("input first");
  }
  return votes.size > 1 ? "both" : [...votes][0];
}

/** A convolution over one position, [output, input, 1], as the linear that it is; any other part as it is. */
export function withoutKernel(part: Part): Part {
  const { path, weight } = part;
  const [rows, columns, kernel] = weight.shape;
  const isOfHeads = /(^|\.)W_\w+$/.test(path);
  return weight.shape.length === 3 && kernel === 1 && !isOfHeads
    ? { ...part, weight: reshaped(weight, [rows!, columns!]) }
    : part;
}

/** A part as a linear of [output, input]. */
export function linearOf({ weight, bias }: Part, orientation: Orientation): Linear {
  return { weight: orientation === "input first" ? transposed(weight) : weight, bias };
}

/** TransformerLens's [heads, hidden, size] as [heads · size, hidden], its bias [heads, size] as one row. */
export function fromHeads({ weight, bias }: Part): Linear {
  const [heads, hidden, size] = weight.shape as [number, number, number];
  return {
    weight: reshaped(permuted(weight, [0, 2, 1]), [heads * size, hidden]),
    bias: bias && reshaped(bias, [heads * size]),
  };
}

/** TransformerLens's [heads, size, hidden], back to the stream, as [hidden, heads · size]. */
export function toStream({ weight, bias }: Part): Linear {
  const [heads, size, hidden] = weight.shape as [number, number, number];
  return { weight: transposed(reshaped(weight, [heads * size, hidden])), bias };
}

/** Linears of one head each, under one another. */
export function joined(parts: readonly Part[]): Linear {
  const join = (tensors: readonly TensorEntry[]): TensorEntry => {
    const [first] = tensors as [TensorEntry];
    const [rows, ...inner] = first.shape as [number, ...number[]];
    return together(
      first.file,
      first.name.replace(/(?<=heads?\.)\d+(?=\.)/, "*"),
      first.dataType,
      [rows * tensors.length, ...inner],
      tensors.map((tensor, at) => ({ offsets: [at * rows, ...inner.map(() => 0)], tensor })),
    );
  };
  const biases = parts.map(({ bias }) => bias);
  return {
    weight: join(parts.map(({ weight }) => weight)),
    bias: biases.every((bias) => bias !== undefined) ? join(biases) : undefined,
  };
}
