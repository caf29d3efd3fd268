/** The editor's language, for what is worded outside of its API. */
import * as vscode from "vscode";
import type { Texts } from "../protocol/texts";

/** Undefined where the extension has no texts in the editor's language, and so speaks English. */
export function editorTexts(): Texts | undefined {
  const { bundle } = vscode.l10n;
  return bundle && { language: vscode.env.language, bundle };
}
