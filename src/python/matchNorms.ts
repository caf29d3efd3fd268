import { isOfAnotherFamily } from "./codeFamilies";
import type { NormSite } from "./normSites";
import { atOnce, type Steps } from "./slices";
import type { ModuleFile, NormLeaf, Structure } from "./structure";
import { Structures } from "./structure";

/** The code that makes one of a checkpoint's norms. */
export interface NormMatch {
  /** As it was given: `model.layers.*.input_layernorm`. */
  readonly normPath: string;
  /** The file, as it was given. */
  readonly path: string;
  /** Usually one; more where the code chooses between several, as between kinds of norm. */
  readonly sites: readonly NormSite[];
}

export interface NormMatches {
  readonly matches: readonly NormMatch[];
  /** Norms that the code of several models would make equally well, so that none is chosen. */
  readonly ambiguous: readonly string[];
}

export interface MatchOptions {
  readonly anyFamily?: boolean;
}

/**
 * Finds the code that makes a checkpoint's norms. A class is put into the place in the checkpoint
 * where most of the norms that its objects have, however deep, are the checkpoint's. The class that
 * explains most norms is taken, then others where they agree with it; so several models do not mix.
 *
 * @param files all that may have a part of the model
 * @param normPaths module paths of norms, `*` for the layer index
 * @param names what the checkpoint calls its model: `LlamaForCausalLM`, `llama`; classes that go by
 *   another known family's name are left out
 * @param options.anyFamily a person said that the code makes the checkpoint: then they are not
 */
export function matchNorms(
  files: readonly ModuleFile[],
  normPaths: readonly string[],
  names?: readonly string[],
  options?: MatchOptions,
): NormMatches {
  return atOnce(matchNormsInSteps(files, normPaths, names, options));
}

/** The same, yielding after each class. */
export function* matchNormsInSteps(
  files: readonly ModuleFile[],
  normPaths: readonly string[],
  names: readonly string[] = [],
  { anyFamily = false }: MatchOptions = {},
): Steps<NormMatches> {
  const checkpoint = [...new Set(normPaths)].map((path) => ({ path, segments: path.split(".") }));
  const placements: Placement[] = [];
  for (const { file, definition, structure } of new Structures(files).all()) {
    for (const prefix of prefixesOf(structure, checkpoint)) {
      const placement = place(structure, prefix, checkpoint);
      if (placement === undefined) continue;
      if (!anyFamily && isOfAnotherFamily(definition.name, file, names)) break;
      placements.push({ ...placement, nameRank: nameRank(definition.name, file, names) });
    }
    yield;
  }
  placements.sort(byEvidence);
  return choose(placements, files);
}

interface CheckpointNorm {
  readonly path: string;
  readonly segments: readonly string[];
}

/** A class at a place in the checkpoint. */
interface Placement {
  readonly prefix: readonly string[];
  /** The checkpoint's norms that its objects have there. */
  readonly found: ReadonlyMap<string, readonly NormSite[]>;
  /** How many norms its objects have that the checkpoint does not. */
  readonly missing: number;
  readonly nameRank: number;
}

/** The places at which one of the norms would be one of the checkpoint's. */
function prefixesOf(
  { norms }: Structure,
  checkpoint: readonly CheckpointNorm[],
): readonly (readonly string[])[] {
  const prefixes = new Map<string, readonly string[]>();
  for (const { segments } of checkpoint) {
    for (const { path } of norms) {
      const above = segments.length - path.length;
      if (above < 0 || !isSame(path, segments.slice(above))) continue;
      const prefix = segments.slice(0, above);
      prefixes.set(prefix.join("."), prefix);
    }
  }
  return [...prefixes.values()];
}

/** The class at a place; undefined where it does not belong there. */
function place(
  { norms, unknown }: Structure,
  prefix: readonly string[],
  checkpoint: readonly CheckpointNorm[],
): Omit<Placement, "nameRank"> | undefined {
  const found = new Map<string, NormSite[]>();
  const foundLeaves = new Set<NormLeaf>();
  const below = checkpoint.filter(({ segments }) => startsWith(segments, prefix));
  let expected = 0;
  for (const { path, segments } of below) {
    const rest = segments.slice(prefix.length);
    const leaves = closest(
      norms.filter((leaf) => isSame(leaf.path, rest)),
      rest,
    );
    if (leaves.length > 0) {
      found.set(path, [...new Set(leaves.map(({ site }) => site))]);
      for (const leaf of leaves) foundLeaves.add(leaf);
    } else if (unknown.some((part) => part.length > 0 && startsWith(rest, part))) {
      expected++;
    }
  }
  // A part of the model that the checkpoint's list leaves out, such as a vision tower, is no
  // evidence; a norm that is not where its neighbours are is.
  const stacks = new Set([...foundLeaves].map(stackOf));
  const missing = new Set(
    norms
      .filter((leaf) => !foundLeaves.has(leaf) && !leaf.isConditional && !isOfHeads(leaf))
      .filter((leaf) => stacks.has(stackOf(leaf)))
      .map(({ path }) => path.join(".")),
  ).size;
  const unexplained = below.length - found.size - expected;
  const isLikely = found.size >= missing && found.size >= unexplained;
  // One norm of a common name is no evidence, unless it is all there is; nor are those that every
  // other attention has too.
  const telling = [...foundLeaves].filter((leaf) => !isOfHeads(leaf));
  const isTelling =
    (telling.length > 0 && found.size + expected > 1) ||
    found.size === checkpoint.length ||
    telling.some(({ path }) => path.length > 1 || !commonNames.test(path[0]!));
  return isLikely && isTelling ? { prefix, found, missing } : undefined;
}

/** Of `layer.0.norm` and `layer.*.norm`, the one that says the number. */
function closest(leaves: readonly NormLeaf[], rest: readonly string[]): readonly NormLeaf[] {
  const guesses = ({ path }: NormLeaf): number =>
    path.filter((segment, index) => segment !== rest[index]).length;
  const fewest = Math.min(...leaves.map(guesses));
  return leaves.filter((leaf) => guesses(leaf) === fewest);
}

/** The list of layers that a norm is in; of one that is in none, nothing. */
function stackOf({ path }: NormLeaf): string {
  return path.slice(0, path.findIndex(isElement) + 1).join(".");
}

const commonNames = /^_?(?:(?:layer_?|rms_?|final_?)?norm|ln)_?(?:\d|f|out|final)?$/i;

/** Norms of queries and keys are within the attention; an older report's list leaves them out. */
function isOfHeads({ path }: NormLeaf): boolean {
  return path.some((name) =>
    /^(?:q|k|v|query|key|value)_?(?:layer_?)?(?:norm|ln)$|^(?:norm|ln)_?[qkv]$/i.test(name),
  );
}

/** Most evidence first. */
function byEvidence(a: Placement, b: Placement): number {
  return (
    b.nameRank - a.nameRank ||
    b.found.size - a.found.size ||
    a.missing - b.missing ||
    a.prefix.length - b.prefix.length
  );
}

/** How well a class goes by a name of the checkpoint's model. */
function nameRank(className: string, { path }: ModuleFile, names: readonly string[]): number {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (names.includes(className)) return 2;
  const families = names.map((name) => plain(name.replace(/(?:For[A-Z]|LMHead|Model).*$/, "")));
  const family = plain(/^[A-Z]+[a-z]*\d*|^[a-z]+\d*/.exec(className)?.[0] ?? className);
  const folders = path.split("/").map((part) => plain(part.replace(/^modeling_|\.py$/g, "")));
  return families.some((known) => known !== "" && (known === family || folders.includes(known)))
    ? 1
    : 0;
}

function choose(placements: readonly Placement[], files: readonly ModuleFile[]): NormMatches {
  const chosen = new Map<string, readonly NormSite[]>();
  const ambiguous = new Set<string>();
  for (let index = 0; index < placements.length;) {
    const rivals = placements
      .slice(index)
      .filter((other) => byEvidence(placements[index]!, other) === 0);
    index += rivals.length;
    const consistent = rivals.filter(({ found }) =>
      [...found].every(
        ([path, sites]) => !ambiguous.has(path) && isSameSites(chosen.get(path) ?? sites, sites),
      ),
    );
    for (const { found } of consistent) {
      for (const [path, sites] of found) {
        if (!isSameSites(chosen.get(path) ?? sites, sites)) ambiguous.add(path);
        else chosen.set(path, sites);
      }
    }
    for (const path of ambiguous) chosen.delete(path);
  }
  const fileOf = new Map(files.flatMap((file) => file.sites.map((site) => [site, file])));
  const matches = [...chosen].flatMap(([normPath, sites]) =>
    [...new Set(sites.map((site) => fileOf.get(site)!))].map(({ path, sites: own }) => ({
      normPath,
      path,
      sites: sites.filter((site) => own.includes(site)),
    })),
  );
  return { matches, ambiguous: [...ambiguous] };
}

function isSameSites(a: readonly NormSite[], b: readonly NormSite[]): boolean {
  return a.length === b.length && a.every((site) => b.includes(site));
}

function startsWith(segments: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= segments.length && isSame(prefix, segments.slice(0, prefix.length));
}

/** `*` is any element of a list. */
function isSame(a: readonly string[], b: readonly string[]): boolean {
  return (
    a.length === b.length &&
    a.every((segment, index) => {
      const other = b[index]!;
      return (
        segment === other ||
        (segment === "*" && isElement(other)) ||
        (other === "*" && isElement(segment))
      );
    })
  );
}

function isElement(segment: string): boolean {
  return segment === "*" || /^\d+$/.test(segment);
}
