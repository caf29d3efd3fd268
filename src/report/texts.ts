/**
 * The language that texts are made in: English, until a process or page is given another. Texts are
 * asked for by `t` of @vscode/l10n, by their English wording, whenever they are shown and never while
 * a module loads, so that it does not matter when the language is told.
 */
import { config } from "@vscode/l10n";
import type { Texts } from "../protocol/texts";

let inUse: Texts | undefined;

/** Makes all texts in another language from now on; undefined: in English. */
export function useTexts(texts: Texts | undefined): void {
  inUse = texts;
  config({ contents: { ...texts?.bundle } });
}

/** What this process was given, to be handed on; undefined while it speaks English. */
export function textsInUse(): Texts | undefined {
  return inUse;
}

/** For the `lang` of a page, and to tell reports that speak another language. */
export function languageInUse(): string {
  return inUse?.language ?? english;
}

export const english = "en";

/** Id of the element of a page that holds the texts it is shown in. */
export const textsId = "fathom-texts";
