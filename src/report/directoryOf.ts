import { elementCount, type Checkpoint, type TensorEntry } from "../checkpoint/checkpoint";
import type { CheckpointDirectory, DirectoryPart, TensorRow } from "./directory";

/** Groups the tensors by the layers that their names tell, and counts. */
export function directoryOf(checkpoint: Checkpoint): CheckpointDirectory {
  const files = new Map<string, number>();
  const types = new Map<string, { dataType: string; parameters: number; bytes: number }>();
  const isLayerPrefix = layerPrefixes(checkpoint.tensors.keys());
  const parts = new Map<string, PartInMaking>();
  let parameters = 0;

  for (const tensor of checkpoint.tensors.values()) {
    const count = elementCount(tensor.shape);
    parameters += count;
    const type = existing(types, tensor.dataType, () => ({
      dataType: tensor.dataType,
      parameters: 0,
      bytes: 0,
    }));
    type.parameters += count;
    type.bytes += tensor.byteLength;

    const place = placeOf(tensor.name, isLayerPrefix);
    const part = existing(parts, place.prefix + place.kind, () => ({
      ...place,
      parameters: 0,
      bytes: 0,
      tensors: [],
    }));
    part.parameters += count;
    part.bytes += tensor.byteLength;
    part.tensors.push(rowOf(tensor, place.prefix.length, files));
  }
  return {
    format: checkpoint.format,
    files: [...files.keys()],
    bytes: checkpoint.bytes,
    tensors: checkpoint.tensors.size,
    parameters,
    types: [...types.values()].sort((a, b) => b.parameters - a.parameters),
    parts: inOrder([...parts.values()]),
  };
}

interface Place {
  kind: "before" | "layer" | "after";
  prefix: string;
  stack: string;
  layer?: number;
}

interface PartInMaking extends Place {
  parameters: number;
  bytes: number;
  tensors: TensorRow[];
}

function rowOf(tensor: TensorEntry, from: number, files: Map<string, number>): TensorRow {
  const { name, dataType, shape, byteLength, file } = tensor;
  const place = existing(files, file, () => files.size);
  return [name.slice(from), dataType, shape, byteLength, place];
}

/** What authors call a stack that may have a single layer. */
const stackName = /(^|\.)(layers?|h|blocks?|blk|resblocks)\.$/;

/**
 * Finds the stacks by the names: `model.layers.` is one where several numbers follow it. The outermost
 * counts, so that the experts or the heads of a layer are none.
 *
 * @returns whether names that go on with a number after this prefix are those of layers
 */
function layerPrefixes(names: Iterable<string>): (prefix: string) => boolean {
  const numbers = new Map<string, Set<string>>();
  for (const name of names) {
    for (const { prefix, number } of numbersIn(name)) {
      existing(numbers, prefix, () => new Set<string>()).add(number);
      // Within a layer nothing more can be a stack: a model of experts has 100,000 such names.
      if (stackName.test(prefix)) break;
    }
  }
  return (prefix) => stackName.test(prefix) || (numbers.get(prefix)?.size ?? 0) > 1;
}

/** The places in a dotted name where a number stands between dots, outermost first. */
function* numbersIn(name: string): Generator<{ prefix: string; number: string }> {
  // Dot by dot: a match of all would make an expression anew for each of thousands of names.
  let start = 0;
  for (let end = name.indexOf("."); end !== -1; end = name.indexOf(".", start)) {
    const part = name.slice(start, end);
    if (/^\d{1,6}$/.test(part)) yield { prefix: name.slice(0, start), number: part };
    start = end + 1;
  }
}

/** Names of what turns the input into the stream: token and position embeddings, patches. */
const embeddingName = /emb|(^|[._])(wte|wpe|tok|token|pos|position|patch|cls_token|shared)([._]|$)/;

function placeOf(name: string, isLayerPrefix: (prefix: string) => boolean): Place {
  for (const { prefix, number } of numbersIn(name)) {
    if (!isLayerPrefix(prefix)) continue;
    return {
      kind: "layer",
      prefix: `${prefix}${number}.`,
      stack: prefix,
      layer: Number(number),
    };
  }
  return { kind: embeddingName.test(name) ? "before" : "after", prefix: "", stack: "" };
}

/** The layers stack by stack in the order in which the stacks appear, each by its index. */
function inOrder(parts: PartInMaking[]): DirectoryPart[] {
  const layers = parts.filter(({ kind }) => kind === "layer");
  const stacks = new Map<string, PartInMaking[]>();
  for (const layer of layers) existing(stacks, layer.stack, () => []).push(layer);
  const sorted = [...stacks.values()].flatMap((stack) => stack.sort((a, b) => a.layer! - b.layer!));
  const outside = (kind: "before" | "after"): PartInMaking[] =>
    parts.filter((part) => part.kind === kind);
  const all = [...outside("before"), ...sorted, ...outside("after")];
  // Without layers there is nothing to stand before or after.
  return (layers.length > 0 ? all : [together(all)]).map(
    ({ kind, prefix, layer, parameters, bytes, tensors }) => ({
      kind: layers.length > 0 ? kind : "all",
      prefix,
      ...(layer === undefined ? {} : { layer }),
      parameters,
      bytes,
      tensors,
    }),
  );
}

function together(parts: readonly PartInMaking[]): PartInMaking {
  const sum = (of: (part: PartInMaking) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  return {
    kind: "before",
    prefix: "",
    stack: "",
    parameters: sum((part) => part.parameters),
    bytes: sum((part) => part.bytes),
    tensors: parts.flatMap(({ tensors }) => tensors),
  };
}

function existing<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
