import type { Architecture, Norm, Sublayer } from "./description";

/** The same model with every norm of its stream over so many groups of channels: Group-LN. */
export function withNormGroups(architecture: Architecture, groups: number): Architecture {
  const grouped = <Value extends Norm | undefined>(norm: Value): Value =>
    norm && { ...norm, groups };
  const around = <Module>(sublayer: Sublayer<Module>): Sublayer<Module> => ({
    ...sublayer,
    inputNorm: grouped(sublayer.inputNorm),
    branchNorm: grouped(sublayer.branchNorm),
    sumNorm: grouped(sublayer.sumNorm),
  });
  const stack = <Part extends Pick<Architecture, "layers" | "finalNorm">>(part: Part): Part => ({
    ...part,
    layers: part.layers.map((layer) => ({
      ...layer,
      attention: around(layer.attention),
      ...(layer.crossAttention && { crossAttention: around(layer.crossAttention) }),
      feedForward: around(layer.feedForward),
    })),
    finalNorm: grouped(part.finalNorm),
  });
  const { encoder } = architecture;
  return { ...stack(architecture), ...(encoder && { encoder: stack(encoder) }) };
}
