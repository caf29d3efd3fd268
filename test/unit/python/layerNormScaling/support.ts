import type { SourceFile, TextEdit } from "../../../../src/python/layerNormScaling/outcome";

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
