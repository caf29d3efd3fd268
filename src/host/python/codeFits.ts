/** Which code makes a checkpoint's norms: the nearest that does, so that models do not mix. */
import type { MatchOptions, NormMatches } from "../../python/matchNorms";
import type { NormSite } from "../../python/normSites";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import { KeptMatches } from "./keptMatches";
import type { Fit, FitQuestion, FoundSite, SitePlace } from "./pythonMessages";
import type { PythonSources } from "./pythonSources";

type Verdict =
  { kind: "own"; found: readonly FoundSite[] } | { kind: "undecided" } | { kind: "other" };

export class CodeFits {
  private readonly kept = new KeptMatches();

  constructor(
    private readonly sources: Pick<PythonSources, "readDocument" | "readFolder">,
    private readonly reader: Promise<Pick<PythonReader, "match" | "matchWithin">>,
  ) {}

  /** @returns undefined where the document has been edited since it was asked about */
  async of(question: FitQuestion): Promise<Fit | undefined> {
    const file = await this.sources.readDocument(question.at);
    if (file === undefined) return undefined;
    const cut = new Map<string, number>();
    for (const folder of question.folders) {
      const { isWatched, at } = question;
      const { files, isCut } = await this.sources.readFolder(folder, at.path, isWatched);
      if (isCut) cut.set(folder, files.length);
      const verdict = await this.verdictIn(folder, files, file, question);
      if (verdict !== undefined) return { ...verdict, cut };
    }
    return { kind: "other", cut };
  }

  /** @returns undefined where the folder does not settle it */
  private async verdictIn(
    folder: string,
    files: readonly ModuleFile[],
    file: ModuleFile,
    question: FitQuestion,
  ): Promise<Verdict | undefined> {
    const { checkpoint, chosen, among } = question;
    const match = (
      code: readonly ModuleFile[],
      options: MatchOptions,
      within?: ModuleFile,
    ): Promise<NormMatches> => this.match(folder, code, question, options, within);
    const verdict = (found: readonly FoundSite[]): Verdict =>
      found.length > 0 ? { kind: "own", found } : { kind: "other" };
    if (among === "itself") {
      const found = sitesIn(file, await match(files, { anyFamily: true }, file));
      return found.length > 0 ? { kind: "own", found } : undefined;
    }
    const owner = files.find(({ path }) => chosen.get(path) === checkpoint);
    if (owner !== undefined) {
      return verdict(sitesIn(file, await match(files, { anyFamily: true }, owner)));
    }
    // Code that a person said makes another checkpoint is no rival.
    const code = files.filter(({ path }) => !chosen.has(path));
    const options = { anyFamily: among === "allFamilies" };
    const found = await match(code, options);
    const own = sitesIn(file, found);
    if (own.length === 0 && found.ambiguous.length > 0) {
      const alone = sitesIn(file, await match(code, options, file));
      if (alone.length > 0) return { kind: "undecided" };
    }
    return found.matches.length > 0 || found.ambiguous.length > 0 ? verdict(own) : undefined;
  }

  /** @param within the file whose model alone counts; left out, all models of the folder do */
  private async match(
    folder: string,
    code: readonly ModuleFile[],
    { family, normPaths }: FitQuestion,
    options: MatchOptions,
    within?: ModuleFile,
  ): Promise<NormMatches> {
    const reader = await this.reader;
    // Reports of one run ask the same, so that only the first of them is matched.
    const question = JSON.stringify([folder, within?.path, options, family, normPaths]);
    return this.kept.of(question, code, () =>
      within === undefined
        ? reader.match(code, normPaths, [family], options)
        : reader.matchWithin(code, within.path, normPaths, [family], options),
    );
  }
}

/** Where a norm is made, as it passes to the extension. */
export function placeOf({ node, owner }: NormSite): SitePlace {
  const extent = ({ start, end }: SitePlace["owner"] & object) => ({ start, end });
  return { ...extent(node), owner: owner && extent(owner.node) };
}

function sitesIn(file: ModuleFile, { matches }: NormMatches): FoundSite[] {
  return matches
    .filter(({ path }) => path === file.path)
    .flatMap(({ normPath, sites }) => sites.map((site) => ({ normPath, place: placeOf(site) })));
}
