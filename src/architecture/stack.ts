import type { Architecture, Attention, FeedForward, Head, LayerDescription } from "./description";
import type { FamilyReader, NormKind, Sizes } from "./familyReader";
import { schemeNamed } from "./schemes";
import type { LayerNames } from "./sublayers";
import { sublayers } from "./sublayers";

/** What a family's file says of a stack of layers alike: all but where the norms of its layers stand. */
export interface StackPlan
  extends
    LayersPlan,
    Pick<
      Architecture,
      | "heads"
      | "keyValueHeads"
      | "feedForwardSize"
      | "vocabularySize"
      | "contextLength"
      | "embedding"
    > {
  /** Module path of the norm after the last layer; undefined where there is none. */
  readonly finalNorm: string | undefined;
  readonly head: Head | undefined;
  /** Left out: the next token. */
  readonly objective?: Architecture["objective"];
}

/** The same of the layers alone. */
export interface LayersPlan extends Pick<Architecture, "scheme"> {
  /** Channels of the residual stream, under the name the config has for them. */
  readonly hidden: Sizes;
  readonly layerNumber: number;
  /** Module path of the list of layers, for example `model.layers`; or of each layer, by its index. */
  readonly layers: string | ((index: number) => string);
  readonly norm: NormKind;
  /** Names of a layer's norms. */
  readonly norms: LayerNames;
  /** @param path of the layer */
  readonly attention: (path: string, index: number) => Attention;
  /** Left out: there is none. */
  readonly crossAttention?: (path: string) => Attention;
  readonly feedForward: (path: string) => FeedForward;
}

/**
 * Describes a stack of layers that are all alike, each norm standing where the scheme has it.
 *
 * @throws CheckpointError when a tensor is missing, of another shape, or left over
 */
export function describeStack(reader: FamilyReader, plan: StackPlan): Architecture {
  const { hidden, norm, scheme, finalNorm } = plan;
  return reader.finish({
    hiddenSize: Object.values(hidden)[0]!,
    heads: plan.heads,
    keyValueHeads: plan.keyValueHeads,
    feedForwardSize: plan.feedForwardSize,
    vocabularySize: plan.vocabularySize,
    contextLength: plan.contextLength,
    scheme,
    embedding: plan.embedding,
    layers: describeLayers(reader, plan),
    finalNorm: finalNorm === undefined ? undefined : reader.norm(finalNorm, hidden, norm),
    head: plan.head,
    ...(plan.objective && { objective: plan.objective }),
  });
}

/**
 * The layers of a stack, before the checkpoint is read to its end.
 *
 * @throws CheckpointError when a tensor is missing or of another shape
 */
export function describeLayers(reader: FamilyReader, plan: LayersPlan): LayerDescription[] {
  const { hidden, layerNumber, norms, norm, scheme, crossAttention } = plan;
  const layer = (index: number): LayerDescription => {
    const path = typeof plan.layers === "string" ? `${plan.layers}.${index}` : plan.layers(index);
    const read = {
      norm: (name: string) => reader.norm(`${path}.${name}`, hidden, norm),
      vector: (name: string) => reader.tensors.take(`${path}.${name}`, hidden),
    };
    return {
      path,
      ...sublayers(schemeNamed(scheme.name).placement(index, layerNumber), norms, read, {
        attention: () => plan.attention(path, index),
        ...(crossAttention && { crossAttention: () => crossAttention(path) }),
        feedForward: () => plan.feedForward(path),
      }),
    };
  };
  return Array.from({ length: layerNumber }, (_, index) => layer(index));
}
