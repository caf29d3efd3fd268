/** Why a model's code has no layer that could be edited. */
import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { Site } from "./construction";
import { EditList } from "./edits";
import { Flow } from "./flow/flow";
import { untold } from "./flow/values";
import { handedOn, IndexPlan } from "./indices";
import type { Model } from "./model";
import { frameworkLayers, isNormClassName } from "./names";
import { lineOf, unique } from "./nodes";
import { byClass, type KnownNorms } from "./normsToScale";
import { Refusal } from "./outcome";
import { placeNorms } from "./placement";
import type { ClassDefinition } from "./program";

/** What of the layers could not be followed. */
interface Unfollowed {
  /** Where layers are made that apply norms and add nothing to a residual stream. */
  readonly withoutResidual: readonly Site[];
  /** Where a layer without visible norms looks an attribute up by a computed name. */
  readonly computedLookup: SyntaxNode | undefined;
}

export class NothingFound {
  constructor(
    private readonly model: Model,
    private readonly known: KnownNorms,
  ) {}

  refusal({ withoutResidual, computedLookup }: Unfollowed): Refusal {
    const texts = this.model.program.modules.map(({ text }) => text).join("\n");
    const whole = this.model.program.modules.flatMap(({ nodes }) => [...nodes]);
    const calls = whole
      .flatMap((node) => [...descendants(node)])
      .filter(({ type }) => type === "call");
    const callees = calls.map((call) => dottedName(call.child("function")) ?? "");
    const framework = callees.find((name) => frameworkLayers.has(name.split(".").at(-1)!));
    const plan = new IndexPlan(
      this.model.program,
      this.model.constructions,
      this.model.stacks,
      this.model.copies,
      new EditList(),
      [],
    );
    for (const definition of this.model.program.classes) {
      if (!this.hasNorm(definition)) continue;
      for (const site of this.model.constructions.sitesOf(definition)) {
        try {
          plan.indexIn(definition);
        } catch (error) {
          if (error instanceof Refusal && error.reason === "shared-block") return error;
          if (error instanceof Refusal && site.function === undefined) continue;
        }
      }
    }
    const isTorch = this.model.program.classes.some(({ methods }) => methods.has("forward"));
    if (!isTorch && this.model.program.classes.some(({ methods }) => methods.has("__call__"))) {
      return new Refusal(
        "framework-code",
        t("Only PyTorch modules are edited: the classes here have no forward method."),
      );
    }
    if (framework !== undefined) {
      return new Refusal(
        "framework-code",
        t(
          "PyTorch's own {0} applies the norms, so there is nothing in this code to scale.",
          framework,
        ),
      );
    }
    if (computedLookup !== undefined) {
      return new Refusal(
        "unclear-norm",
        t("Attributes are looked up by computed names: {0}", lineOf(computedLookup)),
      );
    }
    if (withoutResidual.length > 0) {
      return new Refusal(
        "unclear-norm",
        t(
          "The layers apply norms, but how their output joins the residual stream could not be followed.",
        ),
      );
    }
    const unstacked = this.unstackedLayer();
    if (unstacked !== undefined) return this.whyUnstacked(unstacked);
    const withNorms = this.model.program.classes.filter((definition) => this.hasNorm(definition));
    if (withNorms.length === 0 && !/layer_norm|rms_norm/.test(texts)) {
      return new Refusal("no-norms", t("No norm of a transformer layer was found in this code."));
    }
    const [named] = withNorms;
    return named === undefined
      ? new Refusal(
          "no-stack",
          t(
            "No place was found where layers are made in a loop or in a list, which would number them.",
          ),
        )
      : notNumbered(named);
  }

  /** A layer may be made in another file, out of sight, or one by one. */
  private whyUnstacked(layer: ClassDefinition): Refusal {
    const { constructions } = this.model;
    const [reference] = constructions.looseReferences(layer);
    if (reference !== undefined) {
      return new Refusal("unclear-construction", handedOn(layer, reference));
    }
    if (constructions.sitesOf(layer).length > 0) return notNumbered(layer);
    return new Refusal(
      "no-stack",
      t(
        "{0} is a layer, but this code does not make a stack of them; it is edited together with the file that does.",
        layer.name,
      ),
    );
  }

  /** A class that is a layer by what it does; the recipe is in its names. */
  private unstackedLayer(): ClassDefinition | undefined {
    for (const definition of this.model.program.classes) {
      const flow = new Flow(this.model.program).through(untold(definition));
      const norms = flow && placeNorms(flow)?.filter(({ placement }) => placement === "pre");
      if (norms === undefined || norms.length === 0) continue;
      this.known.scaled = byClass(unique(norms));
      return definition;
    }
    return undefined;
  }

  private hasNorm(definition: ClassDefinition): boolean {
    if (isNormClassName(definition.name)) return false;
    if (this.model.program.isFrameworkLayer(definition)) return true;
    return definition.attributes.some(({ value }) =>
      [...descendants(value)].some(
        (node) => node.type === "call" && isNormClassName(dottedName(node.child("function")) ?? ""),
      ),
    );
  }
}

function notNumbered({ name }: ClassDefinition): Refusal {
  return new Refusal(
    "no-stack",
    t(
      "No place was found where layers such as {0} are made in a loop or in a list, which would number them.",
      name,
    ),
  );
}
