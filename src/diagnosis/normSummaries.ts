/** A model's norms as a report states them, so that code can be told which of them it makes. */
import type { Architecture, Attention, LayerDescription, Norm } from "../architecture/description";
import { sublayersOf } from "../architecture/description";
import type { NormSummary } from "./report";

/** With its place, which is known of every norm. */
type PlacedNorm = NormSummary & Required<Pick<NormSummary, "place">>;

/**
 * The norms in the order in which they are met, each once for all the layers that have it in one role: so
 * one that Mix-LN moves with depth is there twice.
 */
export function normSummaries({
  embedding,
  layers,
  finalNorm,
  head,
}: Pick<Architecture, "embedding" | "layers" | "finalNorm" | "head">): PlacedNorm[] {
  // Runs of one shared layer have one path, in which no number counts them.
  const areShared = new Set(layers.map(({ path }) => path)).size < layers.length;
  const roles = new Map<string, { norm: PlacedNorm; layers: number[] }>();
  for (const [index, layer] of layers.entries()) {
    const pattern = areShared ? layer.path : layer.path.replace(new RegExp(`\\b${index}$`), "*");
    for (const { path: own, feeds, place } of normsOf(layer)) {
      const path = own.replace(`${layer.path}.`, `${pattern}.`);
      const role = `${path} ${feeds} ${place}`;
      const known = roles.get(role) ?? { norm: { path, feeds, place }, layers: [] };
      roles.set(role, known);
      if (!known.layers.includes(index)) known.layers.push(index);
    }
  }
  return [
    ...at("stream", "output", embedding.norm),
    ...[...roles.values()].map(({ norm, layers: own }) =>
      own.length === layers.length ? norm : { ...norm, layers: own },
    ),
    ...at("head", "before", finalNorm),
    ...at("head", "inside", head?.transform?.norm),
  ];
}

/** Of one layer. */
function normsOf(layer: LayerDescription): PlacedNorm[] {
  const norms = sublayersOf(layer).flatMap((name) => {
    const { inputNorm, module, branchNorm, sumNorm } = layer[name]!;
    const inside = "query" in module ? normsInside(module) : [];
    return [
      ...at(name, "before", inputNorm),
      ...at(name, "inside", ...inside),
      ...at(name, "output", branchNorm),
      ...at(name, "sum", sumNorm),
    ];
  });
  // Parallel sublayers may read one.
  return norms.map((norm) =>
    norms.some(({ path, feeds }) => path === norm.path && feeds !== norm.feeds)
      ? { ...norm, feeds: "sublayers" }
      : norm,
  );
}

/** Of queries and keys, and of the latents that these are projected from. */
function normsInside({ latent, queryNorm, keyNorm, headNorms }: Attention): (Norm | undefined)[] {
  return [
    latent?.query?.norm,
    latent?.norm,
    queryNorm,
    keyNorm,
    ...(headNorms === undefined ? [] : [headNorms.query, headNorms.key].flatMap(ofEachHead)),
  ];
}

/** Heads with norms of their own have them in a list, as layers are. */
function ofEachHead(norms: readonly Norm[]): Norm[] {
  return norms.map((norm, head) => ({
    ...norm,
    path: norm.path.replace(new RegExp(`\\b${head}$`), "*"),
  }));
}

function at(
  feeds: PlacedNorm["feeds"],
  place: PlacedNorm["place"],
  ...norms: (Norm | undefined)[]
): PlacedNorm[] {
  return norms.filter((norm) => norm !== undefined).map(({ path }) => ({ path, feeds, place }));
}
