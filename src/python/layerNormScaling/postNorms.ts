import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { callArguments } from "../syntax";
import { argumentFor } from "./construction";
import type { ScalingWarning } from "./outcome";
import { Refusal } from "./outcome";
import type { PlacedNorm } from "./placement";
import { opposingGuard } from "./placement";
import type { ModuleFile } from "./program";
import { superConstructorCall } from "./program";
import type { Model } from "./model";
import { lineOf, ownerOf } from "./nodes";

/** Post-LN is refused, unless it is the other choice of a flag that the code leaves open. */
export class PostNorms {
  constructor(
    private readonly model: Model,
    private readonly warnings: ScalingWarning[],
  ) {}

  /** Post-LN is refused, unless it is the other choice of a flag that the code leaves open. */
  checkPostNorms(scaled: readonly PlacedNorm[], post: readonly PlacedNorm[]): void {
    for (const norm of post) {
      const alternatives = scaled.filter(
        ({ node }) => opposingGuard(node, norm.node) !== undefined,
      );
      if (scaled.length === 0 || alternatives.length < scaled.length) {
        throw new Refusal(
          "post-norm",
          t(
            "{0} makes its output the residual stream (Post-LN); LayerNorm Scaling is for Pre-LN, x + f(LN x).",
            lineOf(norm.node),
          ),
        );
      }
      const choice = opposingGuard(scaled[0]!.node, norm.node)!;
      if (this.dependsOnLayer(choice.condition, norm.module)) {
        throw new Refusal(
          "post-norm",
          t(
            "{0} makes some layers Post-LN; LayerNorm Scaling is for Pre-LN, x + f(LN x).",
            choice.condition.text,
          ),
        );
      }
      if (this.settled(choice.condition, norm.module) === !choice.holds) {
        throw new Refusal(
          "post-norm",
          t(
            "{0} chooses Post-LN here; LayerNorm Scaling is for Pre-LN, x + f(LN x).",
            choice.condition.text,
          ),
        );
      }
      this.warnings.push({
        message: t("The Post-LN branch is left as it is: LayerNorm Scaling is for Pre-LN."),
      });
    }
  }

  /** Mix-LN: the placement is computed from the layer's index. */
  private dependsOnLayer(condition: SyntaxNode, module: ModuleFile): boolean {
    const flag = condition.child("attribute")?.text;
    const owner = ownerOf(condition, module);
    const values =
      owner === undefined
        ? []
        : this.model.program.lineage(owner).flatMap(({ attributes }) => attributes);
    const texts = values
      .filter(({ path }) => path.length === 1 && path[0] === flag)
      .map(({ value }) => value.text);
    return [condition.text, ...texts].some((text) =>
      /[<>%]|\bin\b|idx|index|layer_(id|num)/.test(text),
    );
  }

  /** The value of a flag such as self.norm_first where all that the code says agrees. */
  private settled(condition: SyntaxNode, module: ModuleFile): boolean | undefined {
    if (condition.type === "not_operator") {
      const inner = this.settled(condition.children[0]!, module);
      return inner === undefined ? undefined : !inner;
    }
    if (condition.type === "parenthesized_expression")
      return this.settled(condition.children[0]!, module);
    if (condition.type !== "attribute") return undefined;
    const flag = condition.child("attribute")!.text;
    const owner = ownerOf(condition, module);
    if (owner === undefined) return undefined;
    const assigned = this.model.program
      .lineage(owner)
      .flatMap(({ attributes }) =>
        attributes.filter(({ path }) => path.length === 1 && path[0] === flag),
      );
    if (assigned.length > 1) return undefined;
    const value = assigned[0]?.value;
    if (value !== undefined && /^(true|false)$/.test(value.type)) return value.type === "true";
    const constructor = owner.constructorMethod;
    const parameter =
      value?.type === "identifier"
        ? constructor?.parameters.find(({ name }) => name === value.text)
        : undefined;
    // A flag of PyTorch's own layer, whose default is False.
    const isInherited =
      value === undefined && flag === "norm_first" && this.model.program.isFrameworkLayer(owner);
    if (!isInherited && parameter === undefined) return undefined;
    const call = isInherited && constructor ? superConstructorCall(constructor) : undefined;
    const calls =
      call !== undefined
        ? [call]
        : this.model.constructions.sitesOf(owner).map((site) => site.call);
    const values = calls.map((one) => {
      const given =
        constructor !== undefined && call === undefined && parameter !== undefined
          ? argumentFor(one, constructor, parameter.name)
          : callArguments(one).keywords.get(flag);
      if (given !== undefined)
        return /^(true|false)$/.test(given.type) ? given.type === "true" : undefined;
      const { hasSplat, positional } = callArguments(one);
      if (hasSplat || (isInherited && positional.length > 7)) return undefined;
      if (isInherited) return false;
      const fallback = parameter!.default?.type;
      return fallback === "true" || fallback === "false" ? fallback === "true" : undefined;
    });
    const [first] = values;
    return values.every((one) => one === first) ? first : undefined;
  }
}
