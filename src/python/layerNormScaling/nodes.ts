import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { Refusal } from "./outcome";
import type { ClassDefinition, ModuleFile } from "./program";

/** The attribute of self that a call applies. */
export function attributeOf(call: SyntaxNode): string | undefined {
  const callee = call.child("function");
  return callee?.type === "attribute" && callee.child("object")?.text === "self"
    ? callee.child("attribute")?.text
    : undefined;
}

/** The class whose code a node is in. */
export function ownerOf(node: SyntaxNode, module: ModuleFile): ClassDefinition | undefined {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (at.type !== "class_definition") continue;
    return [...module.classes.values()].find((definition) => definition.node === at);
  }
  return undefined;
}

/** A piece of code in one line. */
export function lineOf({ text }: SyntaxNode): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/([([{]) | (?=[)\]}])/g, "$1");
}

export function unique<T extends { readonly node: SyntaxNode }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.node, item])).values()];
}

export function checkSyntax({ name, node }: ClassDefinition): void {
  if (node.isInBrokenStatement) {
    throw new Refusal("broken-syntax", t("{0} has a syntax error.", name));
  }
}
