import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { LayerFlow } from "./flow/sightings";
import { Flow } from "./flow/flow";
import { isNormClassName } from "./names";
import { Refusal } from "./outcome";
import type { PlacedNorm } from "./placement";
import { placeNorms } from "./placement";
import type { ClassDefinition } from "./program";
import type { Model } from "./model";
import { attributeOf, lineOf } from "./nodes";
import type { ScaledClass } from "./placement";
import { untold } from "./flow/values";

/** Looks for applications of norms that the way through `forward` does not show. */
export class Applications {
  constructor(
    private readonly model: Model,
    private readonly scaled: readonly ScaledClass[],
  ) {}

  /** A norm that is scaled in one method must not be applied unscaled in another. */
  checkOtherApplications(layers: readonly { flow: LayerFlow }[]): void {
    const seen = new Set(layers.flatMap(({ flow }) => flow.uses.map(({ node }) => node)));
    for (const entry of this.scaled) {
      const { definition, norms } = entry;
      const attributes = new Set(norms.flatMap(({ node }) => attributeOf(node) ?? []));
      const family = [
        ...this.model.program.lineage(definition),
        ...this.model.program.subclasses(definition),
      ];
      for (const { methods } of family) {
        for (const method of methods.values()) {
          const missed = [...descendants(method.body)].filter(
            (node) =>
              node.type === "call" && !seen.has(node) && attributes.has(attributeOf(node) ?? ""),
          );
          if (missed.length === 0) continue;
          entry.norms.push(...this.normsOfMethod(definition, method.name, missed));
        }
      }
    }
    this.checkApplicationsFromOutside(seen);
  }

  /** A norm of a scaled layer that is never seen to be applied is applied out of sight. */
  checkUnseenNorms(layers: readonly { flow: LayerFlow }[]): void {
    const applied = new Set(
      layers.flatMap(({ flow }) => flow.uses.flatMap(({ node }) => attributeOf(node) ?? [])),
    );
    for (const { definition } of this.scaled) {
      for (const { attributes } of this.model.program.lineage(definition)) {
        for (const { path, value, how } of attributes) {
          const name = path[0];
          const callee = value.type === "call" ? dottedName(value.child("function")) : undefined;
          if (path.length !== 1 || how !== "assigned" || name === undefined) continue;
          if (applied.has(name) || callee === undefined || !isNormClassName(callee)) continue;
          throw new Refusal(
            "unclear-norm",
            t(
              "{0} has the norm {1}, but where it is applied could not be seen.",
              definition.name,
              name,
            ),
          );
        }
      }
    }
  }

  /** The missed applications in a method that forward does not call. */
  private normsOfMethod(
    definition: ClassDefinition,
    method: string,
    missed: readonly SyntaxNode[],
  ): PlacedNorm[] {
    const flow = new Flow(this.model.program).through(untold(definition), method);
    const placed = flow === undefined ? [] : (placeNorms(flow) ?? withoutResidual(flow));
    return missed.map((node) => {
      const norm = placed.find((one) => one.node === node && one.placement === "pre");
      if (norm === undefined) {
        throw new Refusal(
          "unclear-norm",
          t(
            "{0} also applies {1}, in a way that could not be followed.",
            `${definition.name}.${method}`,
            lineOf(node),
          ),
        );
      }
      return norm;
    });
  }

  /** block.ln_1(x), written outside of the block. */
  private checkApplicationsFromOutside(seen: ReadonlySet<SyntaxNode>): void {
    const attributes = new Set(
      this.scaled.flatMap(({ norms }) => norms.flatMap(({ node }) => attributeOf(node) ?? [])),
    );
    for (const module of this.model.program.modules) {
      for (const node of module.nodes.flatMap((root) => [...descendants(root)])) {
        if (node.type !== "call" || seen.has(node)) continue;
        const callee = node.child("function");
        const object = callee?.type === "attribute" ? callee.child("object") : undefined;
        const isOther = object?.type === "identifier" || object?.type === "subscript";
        const name = callee?.child("attribute")?.text ?? "";
        // nn.LayerNorm(…)
        if (object !== undefined && module.qualified(object.text) !== object.text) continue;
        if (!isOther || !attributes.has(name) || /^(self|cls|model)$/.test(object.text)) continue;
        throw new Refusal(
          "unclear-norm",
          t("A layer's norm is applied from outside of it: {0}", lineOf(node)),
        );
      }
    }
  }
}

/** A method that hands a branch back adds nothing itself; all it is given may be a stream. */
function withoutResidual(flow: LayerFlow): PlacedNorm[] {
  return flow.uses.map((use) => ({
    ...use,
    placement: [...use.inputs].some((part) => part.startsWith("stream:")) ? "pre" : "inner",
  }));
}
