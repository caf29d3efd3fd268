import type { TensorEntry } from "../checkpoint/checkpoint";
import { entryOf, rows } from "../checkpoint/views";
import type { FeedForward, Linear, Router } from "./description";
import type { Sizes } from "./familyReader";
import type { ModuleReading } from "./llamaLineage";

/** Where a mixture's experts are, and how large they are. */
export interface ExpertsPlace {
  /** Module path of the list, for example `model.layers.7.mlp.experts`. */
  readonly path: string;
  /** The key of the config that states how many there are, and the number. */
  readonly count: Sizes;
  readonly inner: Sizes;
  /** What an expert's own module calls its linears. */
  readonly names: { readonly gate: string; readonly up: string; readonly down: string };
}

/**
 * The experts of one layer, from either layout: a module for each (transformers 4, and what version 5
 * saves), or all in two tensors of three axes, `gate_up_proj` and `down_proj` (as version 5 holds them).
 */
export function readExperts(
  { reader, hidden, activation }: Pick<ModuleReading<unknown>, "reader" | "hidden" | "activation">,
  { path, count, inner, names }: ExpertsPlace,
): FeedForward[] {
  const { tensors } = reader;
  const indices = Array.from({ length: onlySize(count) }, (_, index) => index);
  if (!tensors.has(`${path}.gate_up_proj`)) {
    const linear = (index: number, name: string, output: Sizes, input: Sizes): Linear =>
      reader.linear(`${path}.${index}.${name}`, output, input, { hasBias: false });
    return indices.map((index) => ({
      gate: linear(index, names.gate, inner, hidden),
      up: linear(index, names.up, inner, hidden),
      down: linear(index, names.down, hidden, inner),
      activation,
    }));
  }
  const size = onlySize(inner);
  const both = { [`2 × ${Object.keys(inner)[0]!}`]: 2 * size };
  const gatesAndUps = tensors.take(`${path}.gate_up_proj`, count, both, hidden);
  const downs = tensors.take(`${path}.down_proj`, count, hidden, inner);
  const plain = (weight: TensorEntry): Linear => ({ weight, bias: undefined });
  return indices.map((index) => {
    const gateAndUp = entryOf(gatesAndUps, index);
    return {
      gate: plain(rows(gateAndUp, 0, size)),
      up: plain(rows(gateAndUp, size, 2 * size)),
      down: plain(entryOf(downs, index)),
      activation,
    };
  });
}

/** A router that weights the best experts by a softmax of the scores of all. */
export function softmaxRouter(
  { reader, config, hidden }: ModuleReading<{ readonly num_experts_per_tok: number }>,
  path: string,
  count: Sizes,
  isNormalised: boolean,
): Router {
  return {
    projection: reader.linear(path, count, hidden, { hasBias: false }),
    scores: "softmax",
    choiceBias: undefined,
    chosen: reader.expertsPerToken("num_experts_per_tok", config.num_experts_per_tok, count),
    groups: undefined,
    isNormalised,
    scale: 1,
  };
}

function onlySize(sizes: Sizes): number {
  return Object.values(sizes)[0]!;
}
