import type { Checkpoint } from "../../checkpoint/checkpoint";
import { isTensorEntry } from "../../checkpoint/checkpoint";
import type { Architecture, Norm, Rotary } from "../description";
import { modulePathOf } from "../inference/parts";

/** Another way in which a known family is named: by another project's code, or another file format. */
export interface Dialect {
  readonly name: string;
  /** Whether a checkpoint speaks it: by its format, its config's keys, and all of its tensors' names. */
  readonly recognises: (checkpoint: Checkpoint) => boolean;
  /**
   * The same checkpoint under the names and config keys that Hugging Face has for it.
   *
   * @throws CheckpointError when it is of a kind that no family describes
   */
  readonly translate: (checkpoint: Checkpoint) => Promise<Translation>;
}

export interface Translation {
  /** Its tensors are listed under Hugging Face's names; each entry keeps the name it is stored under. */
  readonly checkpoint: Checkpoint;
  readonly differences: Differences;
}

/** In what a model differs from what its family says, because of how it was converted. */
export interface Differences {
  readonly pairing?: Rotary["pairing"];
  /** What each rotary frequency is divided by. */
  readonly frequencyFactors?: readonly number[];
  /** Where a layer's module is, by its index; left out: told by the names of its tensors. */
  readonly layerPath?: (layer: number) => string;
  /** What is added to the weights of norms, where it is not what the family adds. */
  readonly normOffset?: number;
}

/** The description of a translated checkpoint, with its own module paths and what differs. */
export function inOwnWords(
  architecture: Architecture,
  { pairing, frequencyFactors, layerPath, normOffset }: Differences,
): Architecture {
  const turned = (rotary: Rotary): Rotary => ({
    ...rotary,
    pairing: pairing ?? rotary.pairing,
    inverseFrequencies: rotary.inverseFrequencies.map(
      (frequency, pair) => frequency / (frequencyFactors?.[pair] ?? 1),
    ),
  });
  const inOwnNorms = <Value>(value: Value): Value => withOwnNorms(value, normOffset);
  return {
    ...inOwnNorms(architecture),
    layers: architecture.layers.map((layer, index) => {
      const { module } = layer.attention;
      const rotary = module.rotary && turned(module.rotary);
      const attention = { ...layer.attention, module: { ...module, rotary } };
      return inOwnNorms({
        ...layer,
        path: layerPath?.(index) ?? ownPath(layer.path, module.output.weight.name),
        attention,
      });
    }),
  };
}

/** `model.layers.3` as the stored names of its tensors have it: `blk.3`. */
function ownPath(path: string, tensorName: string): string {
  const index = /\d+$/.exec(path)![0];
  return new RegExp(`^.*?\\b${index}(?=\\.)`).exec(tensorName)?.[0] ?? path;
}

/** Norms under the paths that their weights are stored under, and with what is added to those. */
function withOwnNorms<Value>(value: Value, offset: number | undefined): Value {
  if (typeof value !== "object" || value === null || isTensorEntry(value)) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown) => withOwnNorms(item, offset)) as Value;
  }
  const own = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withOwnNorms(inner as unknown, offset)]),
  );
  return (isNorm(value) ? withOwnNorm(value, offset) : own) as Value;
}

function isNorm(value: object): value is Norm {
  return "weightOffset" in value && "path" in value;
}

function withOwnNorm(norm: Norm, offset: number | undefined): Norm {
  return {
    ...norm,
    ...(norm.weight && { path: modulePathOf(norm.weight.name) }),
    ...(offset !== undefined && { weightOffset: offset }),
  };
}
