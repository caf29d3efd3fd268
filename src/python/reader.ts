import path from "node:path";
import { config } from "@vscode/l10n";
import type { Texts } from "../protocol/texts";
import { connectedFiles } from "./connectedFiles";
import { applyLayerNormScaling, type Place } from "./layerNormScaling/applyLayerNormScaling";
import type { ScalingOutcome } from "./layerNormScaling/outcome";
import type { MatchOptions, NormMatches } from "./matchNorms";
import { matchNormsInSteps } from "./matchNorms";
import { readModuleInSteps } from "./module";
import { normSitesInSteps } from "./normSites";
import { PythonParser } from "./parser";
import { inSlices, SliceClock } from "./slices";
import type { ModuleFile } from "./structure";

/**
 * What the editor asks of Python files. To read one takes hundreds of milliseconds: it is for a thread
 * of its own, which hears of an edit meanwhile, since reading gives way to other work.
 */
export class PythonReader {
  private constructor(private readonly parser: PythonParser) {}

  /**
   * @param folder where the two WebAssembly files lie
   * @param texts what refusals, warnings and recipes are worded in; English where it is left out
   */
  static async load(folder: string, texts?: Texts): Promise<PythonReader> {
    config({ contents: { ...texts?.bundle } });
    const parser = await PythonParser.load({
      treeSitter: path.join(folder, "web-tree-sitter.wasm"),
      python: path.join(folder, "tree-sitter-python.wasm"),
    });
    return new PythonReader(parser);
  }

  /**
   * Reads a file, giving way to other work every few milliseconds. What has not changed since
   * `previous` is taken over from it, and `previous` is of no use after that.
   *
   * @returns undefined when `signal` was aborted; then `previous` stays as it was
   */
  async read(
    path: string,
    text: string,
    previous?: ModuleFile,
    signal?: AbortSignal,
  ): Promise<ModuleFile | undefined> {
    const clock = new SliceClock();
    const source = await this.parser.parseInSlices(text, previous?.module.source, signal, clock);
    if (source === undefined) return undefined;
    // What was parsed has taken over the previous nodes, so it is not stopped any more.
    const module = (await inSlices(readModuleInSteps(source), clock))!;
    const sites = (await inSlices(normSitesInSteps(module), clock))!;
    return { path, module, sites };
  }

  /**
   * LayerNorm Scaling as edits of the file at a place and of those that it shares a model with, or
   * why not; see applyLayerNormScaling. It does not give way to other work, so call it in a thread.
   */
  applyLayerNormScaling(files: readonly ModuleFile[], at: Place): ScalingOutcome {
    const sources = files.map(({ path, module }) => ({ path, source: module.source }));
    return applyLayerNormScaling(sources, at);
  }

  /**
   * Finds the code that makes a checkpoint's norms, giving way to other work every few milliseconds;
   * see matchNorms.
   */
  async match(
    files: readonly ModuleFile[],
    normPaths: readonly string[],
    names?: readonly string[],
    options?: MatchOptions,
  ): Promise<NormMatches> {
    const steps = matchNormsInSteps(files, normPaths, names, options);
    return (await inSlices(steps, new SliceClock()))!;
  }

  /**
   * The same for the model that a file is part of, as if the other files were not there: those that
   * it shares the model with count, and where they hold several models, the file by itself.
   */
  async matchWithin(
    files: readonly ModuleFile[],
    path: string,
    normPaths: readonly string[],
    names?: readonly string[],
    options?: MatchOptions,
  ): Promise<NormMatches> {
    const together = await this.match(connectedFiles(files, path), normPaths, names, options);
    if (together.matches.some((match) => match.path === path)) return together;
    return this.match(
      files.filter((file) => file.path === path),
      normPaths,
      names,
      options,
    );
  }
}
