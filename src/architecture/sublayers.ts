import type { TensorEntry } from "../checkpoint/checkpoint";
import { CheckpointError, quote } from "../checkpoint/errors";
import type { LayerDescription, Norm, Sublayer } from "./description";
import type { Placement } from "./schemes";

/** Where a checkpoint keeps what a scheme places around one sublayer: tensor names, or norm paths. */
export interface SublayerNames {
  readonly inputNorm: string;
  readonly branchNorm: string;
  readonly sumNorm: string;
  readonly branchScale: string;
  readonly streamScale: string;
}

/** The same of a whole layer: one way in which training code names its norms. */
export interface LayerNames {
  readonly attention: SublayerNames;
  /** Only of layers that have it. */
  readonly crossAttention?: SublayerNames;
  readonly feedForward: SublayerNames;
}

/** How the parts of a sublayer are taken from a checkpoint. */
export interface PartReader {
  readonly norm: (path: string) => Norm;
  readonly vector: (name: string) => TensorEntry;
}

/** A layer's modules, each with what the scheme places around it; parts are read in its own order. */
export function sublayers<Attention, FeedForward>(
  placement: Placement,
  names: LayerNames,
  read: PartReader,
  modules: {
    readonly attention: () => Attention;
    readonly crossAttention?: () => Attention;
    readonly feedForward: () => FeedForward;
  },
): {
  attention: Sublayer<Attention>;
  crossAttention?: Sublayer<Attention>;
  feedForward: Sublayer<FeedForward>;
  isParallel: LayerDescription["isParallel"];
} {
  requireOwnNorms(placement, names, read);
  const place = <Module>(own: SublayerNames, module: () => Module): Sublayer<Module> => {
    const { inputNorm, branchNorm, sumNorm, branchScale, streamScale } = placement;
    return {
      inputNorm: inputNorm && read.norm(own.inputNorm),
      inputScale: inputNorm?.scale ?? 1,
      module: module(),
      branchNorm: branchNorm && read.norm(own.branchNorm),
      branchScale: branchScale ? read.vector(own.branchScale) : 1,
      streamScale: streamScale === "vector" ? read.vector(own.streamScale) : (streamScale ?? 1),
      sumNorm: sumNorm && read.norm(own.sumNorm),
    };
  };
  return {
    attention: place(names.attention, modules.attention),
    ...(names.crossAttention &&
      modules.crossAttention && {
        crossAttention: place(names.crossAttention, modules.crossAttention),
      }),
    feedForward: place(names.feedForward, modules.feedForward),
    isParallel: placement.isParallel ?? false,
  };
}

/** Every norm is one of its own, but that parallel sublayers may share the norm of their input. */
function requireOwnNorms(placement: Placement, names: LayerNames, read: PartReader): void {
  const paths = normPaths(placement, names);
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice === undefined) return;
  const isShared = placement.isParallel === true && paths.length === 2;
  if (isShared) return;
  throw new CheckpointError(
    "config",
    `${read.norm(twice).weight?.file ?? twice}: the norm scheme asks for ${paths.length} norms a layer, each of its own, but this family has no name for another beside ${quote(read.norm(twice).path)}.`,
  );
}

/** The norms a placement asks for, as paths under one way of naming them. */
export function normPaths(
  placement: Placement,
  { attention, crossAttention, feedForward }: LayerNames,
): string[] {
  const sites = [attention, ...(crossAttention ? [crossAttention] : []), feedForward];
  return (["inputNorm", "branchNorm", "sumNorm"] as const)
    .filter((place) => placement[place] !== undefined)
    .flatMap((place) => sites.map((site) => site[place]));
}

/** The vectors of LayerScale and Admin. */
export const vectorNames = {
  attention: {
    branchScale: "attention_layer_scale",
    streamScale: "attention_residual_scale",
  },
  crossAttention: {
    branchScale: "cross_attention_layer_scale",
    streamScale: "cross_attention_residual_scale",
  },
  feedForward: {
    branchScale: "feed_forward_layer_scale",
    streamScale: "feed_forward_residual_scale",
  },
};

/** One norm a sublayer, under the same name at any place. */
export function everywhere(
  attention: string,
  feedForward: string,
  crossAttention?: string,
): LayerNames {
  const at = (name: string) => ({ inputNorm: name, branchNorm: name, sumNorm: name });
  return {
    attention: { ...vectorNames.attention, ...at(attention) },
    ...(crossAttention !== undefined && {
      crossAttention: { ...vectorNames.crossAttention, ...at(crossAttention) },
    }),
    feedForward: { ...vectorNames.feedForward, ...at(feedForward) },
  };
}
