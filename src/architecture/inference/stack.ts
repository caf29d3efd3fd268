import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { CheckpointError, quote } from "../../checkpoint/errors";
import { isOfQueries } from "./attentionParts";

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, TensorEntry>;

/** A stack of layers alike, and what stands around it. */
export interface Stack {
  /** What stands before a layer's index: `transformer.h.`, or torchvision's `encoder.layers.encoder_layer_`. */
  readonly prefix: string;
  /** Each layer's tensors, under their names within it. */
  readonly layers: readonly Tensors[];
  readonly outer: Tensors;
}

/** What shows that a model is not a stack of attention and feed-forward on a residual stream. */
const foreign: readonly (readonly [what: string, name: RegExp])[] = [
  ["a state-space layer", /(^|\.)(A_log|dt_proj|x_proj|ssm|mamba|mixer\.D)(\.|$)/i],
  ["a recurrent layer", /(^|\.)(weight|bias)_(ih|hh)_l\d+/],
  ["a recurrent layer (RWKV)", /(^|\.)(time_(mix|decay|first|maa)\w*|att\.receptance)(\.|$)/],
  ["a norm over batches", /(^|\.)(running_mean|running_var|num_batches_tracked)$/],
  ["a mixture of experts", /(^|\.)(experts?\.\d+|experts\.\w+|block_sparse_moe)(\.|$)/],
  ["an adapter that is not merged into its linear", /(^|\.)lora_(A|B|a|b)(\.|$)/],
];

/**
 * Finds the layers: tensors whose names differ in an index alone, with the same shapes for every index.
 *
 * @throws CheckpointError naming the tensors that no stack of transformer layers has
 */
export function findStack(checkpoint: Checkpoint): Stack {
  const { tensors } = checkpoint;
  refuseForeign(checkpoint);
  const byDots = stacksNumbered(tensors, /^(.*?\.)(\d+)\.(.+)$/);
  const stacks = byDots.length > 0 ? byDots : stacksNumbered(tensors, /^(.*?[a-z]_)(\d+)\.(.+)$/i);
  if (stacks.length === 0) {
    throw refusal(
      checkpoint,
      [...tensors.keys()],
      "has no layers with attention that are known by name",
    );
  }
  const attending = stacks.find(([, layers]) =>
    [...layers.values()].some((layer) => crossAttentionNames(layer.keys()).size > 0),
  );
  if (stacks.length > 1 && attending) {
    const [prefix, layers] = attending;
    const [name] = crossAttentionNames(layers.get(0)!.keys());
    const encoders = stacks.filter((stack) => stack !== attending).map(([other]) => `${other}*`);
    throw refusal(
      checkpoint,
      encoders,
      `attends with ${quote(`${prefix}0.${name!}`)} to the output of another stack, and pairs of a source and a target, which such a model is evaluated on, are not read; the other stack is`,
    );
  }
  if (stacks.length > 1) {
    const names = stacks.map(([prefix]) => `${prefix}*`);
    throw refusal(
      checkpoint,
      names,
      "has several stacks of layers; one residual stream is supported",
    );
  }
  const [prefix, byIndex] = stacks[0]!;
  const indices = [...byIndex.keys()].sort((a, b) => a - b);
  const gap = indices.findIndex((index, place) => index !== place);
  if (gap !== -1) {
    throw refusal(checkpoint, [`${prefix}${gap}`], `has layers up to ${indices.at(-1)!}, but not`);
  }
  const layers = indices.map((index) => byIndex.get(index)!);
  for (const [index, layer] of layers.entries()) {
    const odd = differenceOf(layers[0]!, layer);
    if (odd !== undefined) {
      throw refusal(
        checkpoint,
        [`${prefix}${index}.${odd}`],
        `has layers that are not alike: layer ${index} differs from layer 0 in`,
      );
    }
  }
  const isOfLayer = (name: string): boolean =>
    name.startsWith(prefix) && /^\d+\../.test(name.slice(prefix.length));
  const outer = new Map([...tensors].filter(([name]) => !isOfLayer(name)));
  return { prefix, layers, outer };
}

type LayersByIndex = ReadonlyMap<number, Tensors>;

/**
 * What tensors make up layers whose index stands where a pattern has it: what stands before it, the
 * index, and the name within the layer.
 */
function stacksNumbered(
  tensors: Tensors,
  pattern: RegExp,
): (readonly [prefix: string, layers: LayersByIndex])[] {
  const byPrefix = new Map<string, Map<number, Map<string, TensorEntry>>>();
  for (const [name, tensor] of tensors) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const [, prefix, index, rest] = match as unknown as [string, string, string, string];
    const layers = byPrefix.get(prefix) ?? new Map<number, Map<string, TensorEntry>>();
    byPrefix.set(prefix, layers);
    const layer = layers.get(Number(index)) ?? new Map<string, TensorEntry>();
    layers.set(Number(index), layer.set(rest, tensor));
  }
  // A short list in a head or an embedding (nn.Sequential) is no stack: it has no attention.
  return [...byPrefix].filter(([, layers]) =>
    [...layers.values()].some((layer) => [...layer.keys()].some((name) => isOfAttention(name))),
  );
}

/**
 * Those of a layer's names that are of an attention to what another stack computes. PyTorch calls that
 * attention `multihead_attn`, and code of one's own the only one that a layer has.
 */
export function crossAttentionNames(names: Iterable<string>): ReadonlySet<string> {
  const all = [...names];
  const paired = all.filter((name) => /(^|\.)multihead_attn\./.test(name));
  const isAlone = !all.some((name) => !paired.includes(name) && isOfQueries(name));
  const always = /(^|\.)(cross_attn|cross_attention|encoder_attn|crossattention)\./;
  return new Set([...(isAlone ? [] : paired), ...all.filter((name) => always.test(name))]);
}

/** Whether a name within a layer is of an attention. */
function isOfAttention(name: string): boolean {
  return /(^|[._])(attn|attention|self_?attn|mha|sa|qkv|q_proj|wq|query|in_proj|heads)|(^|\.)(W_?[qQ]|attn\w*|c_attn|to_q\w*)(\.|$)/i.test(
    name,
  );
}

function refuseForeign(checkpoint: Checkpoint): void {
  for (const [what, pattern] of foreign) {
    const names = [...checkpoint.tensors.keys()].filter((name) => pattern.test(name));
    if (names.length > 0) {
      throw refusal(checkpoint, names, `is not a plain residual transformer: of ${what} are`);
    }
  }
}

/** A name that one has and the other has not, or has in another shape. */
function differenceOf(one: Tensors, other: Tensors): string | undefined {
  const isSame = (name: string): boolean =>
    one.has(name) &&
    other.has(name) &&
    String(one.get(name)!.shape) === String(other.get(name)!.shape);
  return [...one.keys(), ...other.keys()].find((name) => !isSame(name));
}

/** An error that says what was found of a checkpoint, and the tensors that show it. */
export function refusal(
  { directoryFile }: Pick<Checkpoint, "directoryFile">,
  names: readonly string[],
  what: string,
): CheckpointError {
  const shown = names.slice(0, 3).map(quote).join(", ");
  const more = names.length > 3 ? ` and ${names.length - 3} more tensors` : "";
  const found = names.length > 0 ? `${shown}${more}` : "no tensors";
  return new CheckpointError("unsupported", `${directoryFile}: ${what} ${found}.`);
}
