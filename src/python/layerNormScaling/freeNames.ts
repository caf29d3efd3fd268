/** Names that new parameters and variables may have. */
import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants } from "../syntax";
import { indexNames } from "./names";
import { Refusal } from "./outcome";
import { FunctionDefinition } from "./program";
import type { Receiver } from "./stacks";

export function freeName(preferred: string, receiver: Receiver): string {
  const node = receiver instanceof FunctionDefinition ? receiver.node : receiver.body;
  return freeNameIn(preferred, node);
}

/** The preferred name, or the first of our names that this code does not use. */
export function freeNameIn(preferred: string, node: SyntaxNode): string {
  const used = new Set<string>();
  for (const { type, text } of descendants(node)) if (type === "identifier") used.add(text);
  const found = [preferred, ...indexNames].find((name) => !used.has(name));
  if (found === undefined) {
    throw new Refusal(
      "unclear-index",
      t("All usual names of a layer index are taken: {0}.", indexNames.join(", ")),
    );
  }
  return found;
}
