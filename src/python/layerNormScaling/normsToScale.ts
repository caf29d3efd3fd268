/** Which norms of the layers are scaled, and why code is refused whose norms are not clear. */
import { t } from "@vscode/l10n";
import { statementAround } from "./construction";
import type { LayerFlow } from "./flow/sightings";
import type { Model } from "./model";
import { isNormClassName, scaleAttribute } from "./names";
import { lineOf, ownerOf, unique } from "./nodes";
import type { ScalingWarning } from "./outcome";
import { Refusal } from "./outcome";
import type { PlacedNorm, ScaledClass } from "./placement";
import { PostNorms } from "./postNorms";
import type { ClassDefinition } from "./program";
import { growsWithDepth, isScalingFactor } from "./scalingFactors";

/** A way through a layer, and its norms. */
export interface PlacedLayer {
  readonly flow: LayerFlow;
  readonly norms: readonly PlacedNorm[];
}

/** What has been found so far: where code is refused, its recipe is in these names. */
export class KnownNorms {
  scaled: ScaledClass[] = [];
  /** Norms that cannot be scaled where they are. */
  misplaced: ScaledClass[] = [];

  get forRecipe(): readonly ScaledClass[] {
    return this.scaled.length > 0 ? this.scaled : this.misplaced;
  }
}

export class NormsToScale {
  /** @param warnings what is found that a person should know is added to them */
  constructor(
    private readonly model: Model,
    private readonly known: KnownNorms,
    private readonly warnings: ScalingWarning[],
  ) {}

  /** By the classes that apply them; refuses layers that are not Pre-LN, and norms that it cannot reach. */
  of(layers: readonly PlacedLayer[]): ScaledClass[] {
    const norms = layers.flatMap((layer) => layer.norms);
    const scaled = unique(norms.filter(({ placement }) => placement === "pre"));
    this.known.scaled = byClass(scaled);
    if (scaled.length === 0) {
      const post = norms.filter(
        ({ placement, node, module }) =>
          placement === "post" && ownerOf(node, module) !== undefined,
      );
      this.known.misplaced = byClass(unique(post));
    }
    this.checkNotScaled(layers, norms);
    for (const { flow } of layers) {
      const [escape] = flow.escapes;
      if (escape !== undefined) {
        throw new Refusal(
          "unclear-norm",
          t(
            "A norm is used in another way than by calling it on one input: {0}",
            statementAround(escape).text.split("\n")[0]!.trim(),
          ),
        );
      }
      const [lookup] = flow.lookups;
      if (lookup !== undefined) {
        throw new Refusal(
          "unclear-norm",
          t("Attributes are looked up by computed names: {0}", lookup.text),
        );
      }
    }
    const elsewhere = (placement: PlacedNorm["placement"]): PlacedNorm[] =>
      unique(norms.filter((norm) => norm.placement === placement));
    new PostNorms(this.model, this.warnings).checkPostNorms(scaled, elsewhere("post"));
    const [output] = elsewhere("output");
    if (output !== undefined) {
      throw new Refusal(
        "output-norm",
        t(
          "{0} normalises a sublayer's output, which undoes any scaling of its input; LayerNorm Scaling is for Pre-LN.",
          lineOf(output.node),
        ),
      );
    }
    const [context] = elsewhere("context");
    if (context !== undefined) {
      throw new Refusal(
        "unclear-norm",
        t(
          "{0} normalises something other than the residual stream; whether to scale it is not settled.",
          lineOf(context.node),
        ),
      );
    }
    const uncalled = scaled.find(({ application }) => application === "unreachable");
    if (uncalled !== undefined) {
      throw new Refusal(
        "unclear-norm",
        t(
          "{0} is an element of an nn.Sequential, so there is no call whose result could be multiplied.",
          lineOf(uncalled.node),
        ),
      );
    }
    if (scaled.length === 0) {
      throw new Refusal(
        "no-norms",
        t("No norm that feeds a sublayer from the residual stream was found."),
      );
    }
    const inner = new Set(elsewhere("inner").map(({ node }) => node));
    const both = scaled.find(({ node }) => inner.has(node));
    if (both !== undefined) {
      throw new Refusal(
        "unclear-norm",
        t(
          "{0} serves the residual stream in one place and something else in another.",
          lineOf(both.node),
        ),
      );
    }
    return this.known.scaled;
  }

  private checkNotScaled(
    layers: readonly { flow: LayerFlow }[],
    norms: readonly PlacedNorm[],
  ): void {
    const classes = new Set(layers.flatMap(({ flow }) => [...flow.classes]));
    const isFactor = ({ path }: { path: readonly string[] }): boolean =>
      path.length === 1 && scaleAttribute.test(path[0]!);
    const named = [...classes].find(
      ({ attributes, fields }) =>
        attributes.some(isFactor) || fields.some((name) => scaleAttribute.test(name)),
    );
    const norm = norms.find(({ isScaled }) => isScaled);
    const normClass = this.model.program.classes.find(
      ({ name, node }) =>
        isNormClassName(name) && node.text.split("\n").some((line) => growsWithDepth(line)),
    );
    const line = this.model.program.modules
      .flatMap(({ text }) => text.split("\n"))
      .find((one) => isScalingFactor(one) && !/std|init/i.test(one.replace("__init__", "")));
    const where = named?.name ?? (norm && lineOf(norm.node)) ?? normClass?.name ?? line?.trim();
    if (where === undefined) return;
    throw new Refusal("already", t("This code already scales by the layer's index: {0}", where));
  }
}

/** Norms by the class whose code applies them; refuses those of functions that belong to none. */
export function byClass(norms: readonly PlacedNorm[]): ScaledClass[] {
  const classes = new Map<ClassDefinition, PlacedNorm[]>();
  for (const norm of norms) {
    const owner = ownerOf(norm.node, norm.module);
    if (owner === undefined) {
      throw new Refusal(
        "unclear-norm",
        t(
          "{0} stands in a function that belongs to no layer, so it does not know a layer's index.",
          lineOf(norm.node),
        ),
      );
    }
    classes.set(owner, [...(classes.get(owner) ?? []), norm]);
  }
  return [...classes].map(([definition, own]) => ({ definition, norms: own }));
}
