import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { Site } from "./construction";
import { statementAround } from "./construction";
import { EditList } from "./edits";
import type { LayerFlow } from "./flow/sightings";
import { Flow } from "./flow/flow";
import { growsWithDepth, isScalingFactor } from "./scalingFactors";
import { IndexPlan } from "./indices";
import { frameworkLayers, isNormClassName, scaleAttribute } from "./names";
import type { ScalingOutcome, ScalingWarning, SourceFile } from "./outcome";
import { Refusal } from "./outcome";
import type { PlacedNorm } from "./placement";
import { placeNorms } from "./placement";
import type { ClassDefinition } from "./program";
import { FunctionDefinition } from "./program";
import { recipeFor } from "./recipe";
import { receiverAround } from "./stacks";
import type { Instance, Value } from "./flow/values";
import { scaledInitialisation } from "./warnings";
import { Model } from "./model";
import { attributeOf, checkSyntax, lineOf, ownerOf, unique } from "./nodes";
import type { ScaledClass } from "./placement";
import { untold } from "./flow/values";
import { Applications } from "./applications";
import { PostNorms } from "./postNorms";
import { StackChecks } from "./stackChecks";
import { StackOrder } from "./stackOrder";
import { Writing } from "./writing";

/** The place in the code that was asked about: only the layers that it belongs to are edited. */
export interface Place {
  readonly path: string;
  readonly offset: number;
}

/**
 * LayerNorm Scaling (arXiv 2502.05795) as an edit of training code: x + f(LN(x) / √ℓ) at every
 * norm that feeds a sublayer of a layer, ℓ = layer index + 1.
 *
 * The layers are the classes that are made in a loop; what their norms do is told by following the
 * residual stream through `forward`, not by their names. Code that does not show beyond doubt what
 * is to be scaled, and by what, is refused.
 *
 * @param files the file that is edited and those that it shares the model with
 */
export function applyLayerNormScaling(files: readonly SourceFile[], at?: Place): ScalingOutcome {
  const scaling = new Scaling(new Model(files), at);
  try {
    return scaling.outcome();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message } = error;
    return { kind: "refusal", reason, message, recipe: recipeFor(reason, scaling.found) };
  }
}

class Scaling {
  private readonly edits = new EditList();
  private readonly warnings: ScalingWarning[] = [];
  private scaled: ScaledClass[] = [];
  /** Norms that cannot be scaled where they are. */
  private misplaced: ScaledClass[] = [];
  /** Where a layer without visible norms looks an attribute up by a computed name. */
  private computedLookup: SyntaxNode | undefined;

  constructor(
    private readonly model: Model,
    private readonly at: Place | undefined,
  ) {}

  /** What is known so far, for a recipe. */
  get found(): readonly ScaledClass[] {
    return this.scaled.length > 0 ? this.scaled : this.misplaced;
  }

  outcome(): ScalingOutcome {
    const layers = this.layers();
    const norms = this.normsOf(layers);
    this.scaled = this.byClass(norms);
    const applications = new Applications(this.model, this.scaled);
    applications.checkOtherApplications(layers);
    applications.checkUnseenNorms(layers);
    const stacks = new StackChecks(this.model, this.scaled);
    stacks.checkStacks();
    this.warnings.push(...new StackOrder(this.model.program, stacks.lists()).check());
    new Writing(this.model, this.scaled, this.edits).write();
    this.warnings.push(...scaledInitialisation(this.model.program.modules));
    const where = this.scaled.map(
      ({ definition, norms: own }) => `${namesOf(own)} in ${definition.name}`,
    );
    return {
      kind: "edits",
      edits: this.edits.sorted(this.model.program.modules),
      summary: `Multiplies what ${listed(where)} give${where.length === 1 && names(this.scaled[0]!.norms).length === 1 ? "s" : ""} by 1/√(layer index + 1).`,
      warnings: [...new Map(this.warnings.map((one) => [one.message, one])).values()],
      recipe: recipeFor(undefined, this.scaled),
    };
  }

  /** The ways through every kind of layer that adds to a residual stream. */
  private layers(): { flow: LayerFlow; norms: PlacedNorm[] }[] {
    const layers: { flow: LayerFlow; norms: PlacedNorm[] }[] = [];
    const withoutResidual: Site[] = [];
    for (const definition of this.model.program.classes) {
      const sites = this.stackedSites(definition);
      for (const site of sites) {
        if (site.function === undefined) continue;
        const made = new Flow(this.model.program).constructed(site.call, site.function);
        if (made.kind !== "instance") continue;
        const flow = this.flowThrough(made);
        if (flow === undefined) continue;
        const norms = placeNorms(flow);
        if (norms === undefined) {
          if (flow.uses.length > 0) withoutResidual.push(site);
        } else if (norms.length > 0 && this.isAskedFor(flow)) {
          this.checkOwnNorms(definition, norms);
          layers.push({ flow, norms });
        } else if (flow.lookups[0] !== undefined) {
          this.computedLookup ??= flow.lookups[0];
        }
      }
    }
    layers.push(...this.layersInLoops(withoutResidual, layers));
    if (layers.length === 0) throw this.nothingFound(withoutResidual);
    return layers;
  }

  /**
   * Where the norms that a layer applies itself are not those that feed its sublayers, something
   * else reads the residual stream for it, such as a hyper-connection.
   */
  private checkOwnNorms(definition: ClassDefinition, norms: readonly PlacedNorm[]): void {
    const lineage = this.model.program.lineage(definition);
    const own = norms.filter((norm) => {
      const owner = ownerOf(norm.node, norm.module);
      return owner !== undefined && lineage.includes(owner);
    });
    const isPre = ({ placement }: PlacedNorm): boolean => placement === "pre";
    const inner = own.find(({ placement }) => placement === "inner");
    if (inner === undefined || own.some(isPre) || !norms.some(isPre)) return;
    throw new Refusal(
      "unclear-norm",
      t(
        "{0} normalises something that {1} has made of the residual stream; whether to scale it is not settled.",
        lineOf(inner.node),
        definition.name,
      ),
    );
  }

  /** Where objects of a class are made as layers are: in a loop, in a list, by a function in a loop. */
  private stackedSites(definition: ClassDefinition): Site[] {
    return this.model.constructions
      .sitesOf(definition)
      .filter((site) => !site.isSuper)
      .filter((site) => {
        if (site.loops.length > 0 || isNumbered(site)) return true;
        if (this.model.stacks.positionInList(site) !== undefined) return true;
        if (this.model.copies.stackOf(site) !== undefined) return true;
        const around = receiverAround(site);
        return around instanceof FunctionDefinition && this.model.stacks.isStacked(around);
      });
  }

  private flowThrough(layer: Instance): LayerFlow | undefined {
    const { definition } = layer;
    checkSyntax(definition);
    const flow = new Flow(this.model.program).through(layer);
    if (flow === undefined && this.model.program.isFrameworkLayer(definition)) {
      throw new Refusal(
        "framework-code",
        t(
          "{0} leaves forward to PyTorch's {1}, which applies the norms itself.",
          definition.name,
          this.model.program.foreignBases(definition)[0]!,
        ),
      );
    }
    return flow;
  }

  /** Layers whose residual connection stands in the loop that runs them. */
  private layersInLoops(
    sites: readonly Site[],
    known: readonly { norms: PlacedNorm[] }[],
  ): { flow: LayerFlow; norms: PlacedNorm[] }[] {
    const covered = new Set(known.flatMap(({ norms }) => norms.map(({ node }) => node)));
    const calls = new Set(sites.map(({ call }) => call));
    const isElement = (value: Value): boolean =>
      value.kind === "instance" &&
      value.construction !== undefined &&
      calls.has(value.construction);
    const hosts = new Set(sites.flatMap((site) => site.function?.owner ?? []));
    return [...hosts].flatMap((host) => {
      const flow = new Flow(this.model.program).throughLoops(host, isElement);
      const norms = placeNorms(flow)?.filter(({ node }) => !covered.has(node));
      return norms === undefined || norms.length === 0 || !this.isAskedFor(flow)
        ? []
        : [{ flow, norms }];
    });
  }

  private isAskedFor(flow: LayerFlow): boolean {
    const { at } = this;
    if (at === undefined) return true;
    return [...flow.classes].some(
      ({ module, node }) =>
        module.path === at.path && node.start <= at.offset && at.offset <= node.end,
    );
  }

  /** Why there is nothing to edit. */
  private nothingFound(withoutResidual: readonly Site[]): Refusal {
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
    if (this.computedLookup !== undefined) {
      return new Refusal(
        "unclear-norm",
        t("Attributes are looked up by computed names: {0}", lineOf(this.computedLookup)),
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
    if (unstacked !== undefined) {
      return new Refusal(
        "no-stack",
        t(
          "{0} is a layer, but this code does not make a stack of them; it is edited together with the file that does.",
          unstacked,
        ),
      );
    }
    const withNorms = this.model.program.classes.filter((definition) => this.hasNorm(definition));
    if (withNorms.length === 0 && !/layer_norm|rms_norm/.test(texts)) {
      return new Refusal("no-norms", t("No norm of a transformer layer was found in this code."));
    }
    const [named] = withNorms;
    return new Refusal(
      "no-stack",
      named === undefined
        ? t(
            "No place was found where layers are made in a loop or in a list, which would number them.",
          )
        : t(
            "No place was found where layers such as {0} are made in a loop or in a list, which would number them.",
            named.name,
          ),
    );
  }

  /** A class that is a layer by what it does; the recipe is in its names. */
  private unstackedLayer(): string | undefined {
    for (const definition of this.model.program.classes) {
      const flow = new Flow(this.model.program).through(untold(definition));
      const norms = flow && placeNorms(flow)?.filter(({ placement }) => placement === "pre");
      if (norms === undefined || norms.length === 0) continue;
      this.scaled = this.byClass(unique(norms));
      return definition.name;
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

  /** The norms to scale; refuses layers that are not Pre-LN, and norms that it cannot reach. */
  private normsOf(layers: readonly { flow: LayerFlow; norms: PlacedNorm[] }[]): PlacedNorm[] {
    const norms = layers.flatMap((layer) => layer.norms);
    const scaled = unique(norms.filter(({ placement }) => placement === "pre"));
    this.scaled = this.byClass(scaled);
    if (scaled.length === 0) {
      const post = norms.filter(
        ({ placement, node, module }) =>
          placement === "post" && ownerOf(node, module) !== undefined,
      );
      this.misplaced = this.byClass(unique(post));
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
    return scaled;
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

  private byClass(norms: readonly PlacedNorm[]): ScaledClass[] {
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
}

/** What the norms are called, without repetition. */
function names(norms: readonly PlacedNorm[]): string[] {
  return [
    ...new Set(
      norms.map(({ node }) => attributeOf(node) ?? node.child("function")?.text ?? node.text),
    ),
  ];
}

function namesOf(norms: readonly PlacedNorm[]): string {
  return listed(names(norms));
}

function listed(items: readonly string[]): string {
  return items.length < 2
    ? (items[0] ?? "")
    : `${items.slice(0, -1).join(", ")} and ${items.at(-1)!}`;
}

function isNumbered({ call }: Site): boolean {
  const target = call.parent?.type === "assignment" ? call.parent.child("left")?.text : undefined;
  return /^\w+\.[A-Za-z_]+?_?\d+$/.test(target ?? "");
}
