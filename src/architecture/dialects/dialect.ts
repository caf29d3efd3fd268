import type { Checkpoint } from "../../checkpoint/checkpoint";
import type { Architecture, Rotary } from "../description";
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
}

/** The description of a translated checkpoint, with its own module paths and what differs. */
export function inOwnWords(
  architecture: Architecture,
  { pairing, frequencyFactors, layerPath }: Differences,
): Architecture {
  const turned = (rotary: Rotary): Rotary => ({
    ...rotary,
    pairing: pairing ?? rotary.pairing,
    inverseFrequencies: rotary.inverseFrequencies.map(
      (frequency, pair) => frequency / (frequencyFactors?.[pair] ?? 1),
    ),
  });
  return {
    ...withOwnPaths(architecture),
    layers: architecture.layers.map((layer, index) => {
      const { module } = layer.attention;
      const rotary = module.rotary && turned(module.rotary);
      const attention = { ...layer.attention, module: { ...module, rotary } };
      return withOwnPaths({
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

/** Norms under the paths that their weights are stored under. */
function withOwnPaths<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || "byteLength" in value) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withOwnPaths(item)) as Value;
  const isNorm = "weightOffset" in value && "path" in value;
  const weight = isNorm ? (value as { weight?: { name: string } }).weight : undefined;
  const own = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withOwnPaths(inner as unknown)]),
  );
  return {
    ...own,
    ...(weight && { path: modulePathOf(weight.name) }),
  } as Value;
}
