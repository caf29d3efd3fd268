import type { TensorEntry } from "../../checkpoint/checkpoint";
import type { Architecture, Factor, Linear, Norm, Sublayer } from "../description";
import { isMixture, isPatchEmbedding } from "../description";
import type { Part } from "./roles";

/**
 * Which part of the model each tensor is, weights and biases alike, by the name it is stored under; with
 * `*` for the number of a head that has modules of its own (see `partIn`).
 */
export function rolesIn(architecture: Architecture): Map<string, Part> {
  const found = new Map<string, Part>();
  const add = (part: Part, ...tensors: readonly (TensorEntry | undefined)[]): void => {
    for (const tensor of tensors) {
      if (tensor && !found.has(tensor.name)) found.set(tensor.name, part);
    }
  };
  const addLinear = (part: Part, linear: Linear | undefined): void => {
    add(part, linear?.weight, linear?.bias);
  };
  const addNorm = (part: Part, norm: Norm | undefined): void => {
    add(part, norm?.weight, norm?.bias);
  };
  const addScale = (part: Part, scale: Factor): void => {
    if (typeof scale !== "number") add(part, scale);
  };
  const { embedding, head, finalNorm, layers } = architecture;
  if (isPatchEmbedding(embedding)) {
    addLinear("patch embedding", embedding.patches);
    add("position embedding", embedding.positions);
    addNorm("pixel norm", embedding.pixelNorm);
    addNorm("patch norm", embedding.patchNorm);
    addNorm("embedding norm", embedding.norm);
  } else {
    add("token embedding", embedding.tokens);
    add("position embedding", embedding.positions?.table);
    add("segment embedding", embedding.segment);
    addNorm("embedding norm", embedding.norm);
  }
  for (const { attention, crossAttention, feedForward } of layers) {
    const { query, key, value, output, queryNorm, keyNorm } = attention.module;
    if (isOne(query.weight, key.weight)) {
      addLinear("query-key-value", query);
    } else {
      addLinear("query", query);
      if (isOne(key.weight, value.weight)) addLinear("key-value", key);
      addLinear("key", key);
      addLinear("value", value);
    }
    addLinear("attention output", output);
    addNorm("query norm", queryNorm);
    addNorm("key norm", keyNorm);
    if (crossAttention) {
      const { module: cross } = crossAttention;
      if (isOne(cross.query.weight, cross.key.weight)) {
        addLinear("cross-attention query-key-value", cross.query);
      }
      addLinear("cross-attention query", cross.query);
      addLinear("cross-attention key", cross.key);
      addLinear("cross-attention value", cross.value);
      addLinear("cross-attention output", cross.output);
      addNorms(crossAttention, ["cross-attention norm"], addNorm);
    }
    const { module } = feedForward;
    if (!isMixture(module)) {
      const { gate, up, down } = module;
      if (gate && isOne(gate.weight, up.weight)) addLinear("feed-forward gate and up", up);
      addLinear("feed-forward gate", gate);
      addLinear("feed-forward up", up);
      addLinear("feed-forward down", down);
    }
    addNorms(attention, ["attention norm", "attention output norm"], addNorm);
    addNorms(feedForward, ["feed-forward norm", "feed-forward output norm"], addNorm);
    addScale("attention layer scale", attention.branchScale);
    addScale("feed-forward layer scale", feedForward.branchScale);
    addScale("attention residual scale", attention.streamScale);
    addScale("feed-forward residual scale", feedForward.streamScale);
  }
  addNorm("final norm", finalNorm);
  addLinear("head transform", head?.transform?.dense);
  addNorm("head norm", head?.transform?.norm);
  add("head", head?.weight, head?.bias, head?.copy);
  addLinear("distillation head", head?.besides);
  return found;
}

/** The first of a sublayer's norms is its own, wherever it stands; the second is of its output. */
function addNorms(
  { inputNorm, branchNorm, sumNorm }: Sublayer<unknown>,
  parts: readonly Part[],
  add: (part: Part, norm: Norm) => void,
): void {
  const norms = [inputNorm, branchNorm, sumNorm].filter((norm) => norm !== undefined);
  for (const [at, norm] of norms.entries()) add(parts[at]!, norm);
}

/** Whether two are parts of one stored tensor. */
function isOne(one: TensorEntry, other: TensorEntry): boolean {
  return one.name === other.name;
}

/** The part that a stored tensor is, by what `rolesIn` found. */
export function partIn(found: ReadonlyMap<string, Part>, name: string): Part | undefined {
  return found.get(name) ?? found.get(name.replace(headNumber, "*"));
}

/** Where a name has the number of a head. */
export const headNumber = /(?<=(?:^|\.)heads?\.)\d+(?=\.)/;
