import type { SyntaxNode } from "../syntax";
import { dottedName } from "../syntax";
import type { Constructions, Site } from "./construction";
import type { ModuleFile, Program, FunctionDefinition } from "./program";
import { ClassDefinition } from "./program";

/** A class, which gets its index in its constructor, or a function that makes one. */
export type Receiver = ClassDefinition | FunctionDefinition;

/** Which classes are repeated as layers are. */
export class Stacks {
  constructor(
    private readonly program: Program,
    private readonly constructions: Constructions,
  ) {}

  /** Whether a class is made in a loop, in a list, or inside such a class. */
  isStacked(definition: Receiver, seen = new Set<Receiver>()): boolean {
    if (seen.has(definition)) return false;
    seen.add(definition);
    return this.constructions.sitesOf(definition).some((site) => {
      if (site.loops.length > 0 || this.positionInList(site) !== undefined) return true;
      const around = receiverAround(site);
      return around !== undefined && this.isStacked(around, seen);
    });
  }

  /** Where an element stands among those of a list that is written out: `[Block(), Block()]`. */
  positionInList({ call, module }: Site): number | undefined {
    let element = call;
    for (let at = call.parent; at !== undefined; element = at, at = at.parent) {
      const isList = at.type === "list" || at.type === "argument_list";
      if (!isList && at.type !== "tuple") {
        if (!/^(call|keyword_argument|list_splat)$/.test(at.type)) return undefined;
        continue;
      }
      if (at.type === "argument_list") {
        const callee = dottedName(at.parent?.child("function"))?.split(".").at(-1) ?? "";
        if (!/^(Sequential|ModuleList)$/.test(callee)) return undefined;
      }
      const made = this.madeBy(call, module);
      const layers = at.children.filter((child) => this.madeBy(child, module) === made);
      if (layers.length > 1 && element === call) return layers.indexOf(call);
    }
    return undefined;
  }

  private madeBy(node: SyntaxNode, module: ModuleFile): unknown {
    if (node.type !== "call") return undefined;
    const name = dottedName(node.child("function"));
    const found = name === undefined ? undefined : this.program.resolve(name, module);
    return found instanceof ClassDefinition ? found : undefined;
  }
}

/** The class whose constructor, or the function whose body, holds a site. */
export function receiverAround(site: Site): Receiver | undefined {
  const around = site.function;
  if (around === undefined) return undefined;
  return around.owner !== undefined && around.name === "__init__" ? around.owner : around;
}
