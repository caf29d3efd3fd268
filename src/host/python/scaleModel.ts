/** LayerNorm Scaling of the model that a file is part of, wherever in the workspace its code lies. */
import { t } from "@vscode/l10n";
import { codeThatUses, importsIn } from "../../python/imports";
import type { ScalingOutcome, ScalingWarning } from "../../python/layerNormScaling/outcome";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import { readCodeAround, type CodeLimits } from "./codeAround";

export interface ScalingRequest {
  /** Of the file, with slashes. */
  readonly path: string;
  /** In the class whose layers are meant. */
  readonly offset: number;
  /** The workspace folder; undefined where the file lies in none. */
  readonly root: string | undefined;
}

export interface ScaledModel {
  readonly outcome: ScalingOutcome;
  /** What the edited files held when they were read, by path. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * The edits of all code that makes the layers, or why not. Holds up its thread for up to seconds.
 *
 * @param open the texts of open documents by path, with slashes
 * @param limits of what is read; a warning names what they left out
 */
export async function scaleModel(
  reader: PythonReader,
  { path, offset, root }: ScalingRequest,
  open: ReadonlyMap<string, string>,
  limits?: CodeLimits,
): Promise<ScaledModel> {
  const { texts, leftOut } = await readCodeAround(path, root, open, limits);
  const imports = new Map([...texts].map(([name, text]) => [name, importsIn(text)]));
  const parsed = new Map<string, ModuleFile>();
  for (let edited = [path]; ;) {
    const code = codeThatUses(imports, edited);
    for (const name of code) {
      if (parsed.has(name)) continue;
      parsed.set(name, (await reader.read(name, texts.get(name) ?? ""))!);
    }
    // In the order in which they were found, which does not depend on who imports whom.
    const files = [...texts.keys()].filter((name) => code.has(name));
    const outcome = reader.applyLayerNormScaling(
      files.map((name) => parsed.get(name)!),
      { path, offset },
    );
    if (outcome.kind === "refusal") return { outcome, texts: new Map() };
    // What else uses a class that is edited has to be seen too.
    const known = edited.length;
    edited = [...new Set([...edited, ...outcome.edits.map((edit) => edit.path)])];
    if (edited.length > known) continue;
    return {
      outcome: { ...outcome, warnings: [...outcome.warnings, ...warningsOf(leftOut)] },
      texts: new Map(edited.map((name) => [name, texts.get(name) ?? ""])),
    };
  }
}

function warningsOf(leftOut: string | undefined): ScalingWarning[] {
  if (leftOut === undefined) return [];
  const message = t(
    "Not all Python files were looked at: {0} was left out, and maybe others. Where code there makes these layers, it has to give them their index.",
    leftOut,
  );
  return [{ message }];
}
