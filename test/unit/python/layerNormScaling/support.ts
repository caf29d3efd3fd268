import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile, TextEdit } from "../../../../src/python/layerNormScaling/outcome";
import { parser } from "../support/parser";

/** Training code that is edited, in `models`, and that is not, in `refused`. */
export const oracleFolder = join(import.meta.dirname, "../../../oracle/layerNormScaling");

/** A model's file, or the files of its package. */
export function readModel(kind: "models" | "refused", name: string): SourceFile[] {
  const folder = join(oracleFolder, kind);
  const path = join(folder, name);
  const paths = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((file) => file.endsWith(".py"))
        .map((file) => `${name}/${file}`)
    : [name];
  return paths.map((one) => parsed(one, readFileSync(join(folder, one), "utf8")));
}

export function parsed(path: string, text: string): SourceFile {
  return { path, source: parser.parse(text) };
}

/** The files as they are after the edits. */
export function edited(
  files: readonly SourceFile[],
  edits: readonly TextEdit[],
): Map<string, string> {
  return new Map(
    files.map(({ path, source: { text } }) => {
      let after = "";
      let at = 0;
      for (const { start, end, newText } of edits.filter((edit) => edit.path === path)) {
        if (start < at) throw new Error(`${path}: edits overlap at ${start}`);
        after += text.slice(at, start) + newText;
        at = end;
      }
      return [path, after + text.slice(at)];
    }),
  );
}
