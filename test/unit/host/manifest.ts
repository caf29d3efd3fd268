/** package.json as the editor reads it: a text is a `%key%` there, and package.nls.json has the words. */
import { readFileSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "../../..");

export const manifestText = readFileSync(path.join(root, "package.json"), "utf8");
export const texts = JSON.parse(
  readFileSync(path.join(root, "package.nls.json"), "utf8"),
) as Record<string, string>;

/** Like the editor, takes a whole string for a key, and leaves one without a text as it is. */
export const manifest = JSON.parse(manifestText, (_, value: unknown) => {
  const key = typeof value === "string" ? keyOf(value) : undefined;
  return key === undefined ? value : (texts[key] ?? value);
});

export function keyOf(value: string): string | undefined {
  return /^%(.+)%$/.exec(value)?.[1];
}
