/**
 * A language in which every text of the extension has ⟦…⟧ around its words, so that a text which
 * does not come out of the bundle shows.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Texts } from "../../../src/protocol/texts";

const root = path.join(import.meta.dirname, "../../..");
const bundleFile = path.join(root, "l10n/bundle.l10n.json");

/** What can be translated, in English. */
export const english = Object.keys(
  JSON.parse(readFileSync(bundleFile, "utf8")) as Record<string, string>,
);

export const pseudo: Texts = {
  language: "qps-ploc",
  bundle: Object.fromEntries(english.map((message) => [message, marked(message)])),
};

/** `⟦Layer ⟧{0}⟦ of ⟧{1}` of `Layer {0} of {1}`. */
export function marked(message: string): string {
  return message
    .split(/(\{\d+\})/)
    .map((part) => (/^\{\d+\}$/.test(part) || !/\p{L}/u.test(part) ? part : `⟦${part}⟧`))
    .join("");
}
