import type { BlockScale, Checkpoint, TensorEntry } from "./checkpoint";
import { elementCount } from "./checkpoint";
import { quote } from "./errors";
import { isRecord } from "./record";

/**
 * The tensors by name, float8 weights with the factors that are stored beside them: as
 * `X.weight_scale_inv`, one for each block (DeepSeek-V3), or `X.weight_scale`, one for the tensor, one
 * for each row or one for each block (compressed-tensors, FBGEMM). Both are multiplied by, whatever
 * the name says. The factors are no tensors of the model any more, nor are those by which activations and
 * the keys and values of a cache would be rounded, which here they are not. A weight whose factors are
 * missing, or do not fit, says so where it is used.
 */
export function withScales(
  tensors: readonly TensorEntry[],
  config: Checkpoint["config"],
): Map<string, TensorEntry> {
  const found = new Map<string, TensorEntry>();
  const factors = new Map<string, TensorEntry>();
  const weights: TensorEntry[] = [];
  for (const tensor of tensors) {
    found.set(tensor.name, tensor);
    if (isFloat8(tensor.dataType)) weights.push(tensor);
  }
  if (weights.length === 0) return found;
  // By the factors, of which most checkpoints have none: their names are asked for the weights'.
  for (const tensor of tensors) {
    const suffix = factorSuffixes.find((ending) => tensor.name.endsWith(ending));
    const weight = suffix === undefined ? undefined : tensor.name.slice(0, -suffix.length);
    if (weight === undefined || !found.has(weight)) continue;
    if (suffix === factorSuffixes[0] || !factors.has(weight)) factors.set(weight, tensor);
  }
  const { isStated, block } = statedQuantization(config);
  // Weights that were only cast have no factors: then no weight has, and no config speaks of any.
  const isScaled = isStated || weights.some(({ name }) => factors.has(name));
  if (!isScaled) return found;
  for (const weight of weights) {
    const own = factors.get(weight.name);
    const scale = own === undefined ? missing(weight) : fit(weight, own, block);
    found.set(
      weight.name,
      typeof scale === "string" ? { ...weight, unusable: scale } : { ...weight, scale },
    );
    if (own !== undefined) found.delete(own.name);
  }
  for (const { name, shape } of tensors) {
    if (ofActivations.test(name) && elementCount(shape) === 1) found.delete(name);
  }
  return found;
}

/** One number for a module: what its input or output, or its part of a cache, is divided by before rounding. */
const ofActivations =
  /\.(input_scale|input_scale_ub|activation_scale|output_scale|prob_output_scale|kv_scale|[qkv]_scale)$/;

/** The first counts where a weight has both. */
const factorSuffixes = ["_scale_inv", "_scale"];

function isFloat8(dataType: string): boolean {
  return dataType === "F8_E4M3" || dataType === "F8_E5M2";
}

/** What a config.json says under `quantization_config`: that float8 is scaled, and in which blocks. */
function statedQuantization(config: Checkpoint["config"]): {
  isStated: boolean;
  block: readonly [number, number] | undefined;
} {
  const stated = config?.value["quantization_config"];
  if (!isRecord(stated)) return { isStated: false, block: undefined };
  const { weight_block_size: ofAll, config_groups: groups } = stated;
  // compressed-tensors states blocks for groups of layers.
  const ofGroups = Object.values(isRecord(groups) ? groups : {}).map((group) => {
    const weights = isRecord(group) ? group["weights"] : undefined;
    return isRecord(weights) ? weights["block_structure"] : undefined;
  });
  return { isStated: true, block: [ofAll, ...ofGroups].find(isBlockSize) };
}

function isBlockSize(value: unknown): value is readonly [number, number] {
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) > 0;
  return Array.isArray(value) && value.length === 2 && value.every(isSize);
}

function missing({ name, dataType }: TensorEntry): string {
  const names = factorSuffixes.map((suffix) => quote(`${name}${suffix}`)).join(" or ");
  return `is ${dataType} without the factors to multiply by; expected a tensor ${names}`;
}

/** @returns a sentence where the factors do not fit the weight */
function fit(
  weight: TensorEntry,
  factors: TensorEntry,
  block: readonly [number, number] | undefined,
): BlockScale | string {
  const count = elementCount(factors.shape);
  const all = Math.max(1, elementCount(weight.shape));
  if (count === 1) return { factors: { ...factors, shape: [1, 1] }, block: [all, all] };
  if (weight.shape.length === 2) {
    const [rows, columns] = weight.shape as readonly [number, number];
    const [down = 1, across = 1] = factors.shape;
    if (count === rows && down === rows) {
      return { factors: { ...factors, shape: [rows, 1] }, block: [1, Math.max(1, columns)] };
    }
    const isBlocks =
      block !== undefined &&
      factors.shape.length === 2 &&
      down === Math.ceil(rows / block[0]) &&
      across === Math.ceil(columns / block[1]);
    if (isBlocks) return { factors, block };
  }
  const blocks = block
    ? ` or one for each block of ${block.join(" × ")}`
    : " (the size of blocks would stand in config.json as quantization_config.weight_block_size)";
  return `its factors ${quote(factors.name)} are of shape [${factors.shape.join(", ")}], which does not fit its shape [${weight.shape.join(", ")}]; expected one for the tensor, one for each row${blocks}`;
}
