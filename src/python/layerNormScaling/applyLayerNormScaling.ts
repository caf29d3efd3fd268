import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { Applications } from "./applications";
import type { Site } from "./construction";
import { EditList } from "./edits";
import { Flow } from "./flow/flow";
import type { LayerFlow } from "./flow/sightings";
import type { Instance, Value } from "./flow/values";
import { Model } from "./model";
import { attributeOf, checkSyntax, lineOf, ownerOf } from "./nodes";
import { KnownNorms, NormsToScale, type PlacedLayer } from "./normsToScale";
import { NothingFound } from "./nothingFound";
import type { ScalingOutcome, ScalingWarning, SourceFile } from "./outcome";
import { Refusal } from "./outcome";
import type { PlacedNorm, ScaledClass } from "./placement";
import { placeNorms } from "./placement";
import type { ClassDefinition } from "./program";
import { FunctionDefinition } from "./program";
import { recipeFor } from "./recipe";
import { receiverAround } from "./stacks";
import { scaledInitialisation } from "./warnings";
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
  private readonly known = new KnownNorms();
  /** Where a layer without visible norms looks an attribute up by a computed name. */
  private computedLookup: SyntaxNode | undefined;

  constructor(
    private readonly model: Model,
    private readonly at: Place | undefined,
  ) {}

  /** What is known so far, for a recipe. */
  get found(): readonly ScaledClass[] {
    return this.known.forRecipe;
  }

  outcome(): ScalingOutcome {
    const layers = this.layers();
    const scaled = new NormsToScale(this.model, this.known, this.warnings).of(layers);
    const applications = new Applications(this.model, scaled);
    applications.checkOtherApplications(layers);
    applications.checkUnseenNorms(layers);
    const stacks = new StackChecks(this.model, scaled);
    stacks.checkStacks();
    this.warnings.push(...new StackOrder(this.model.program, stacks.lists()).check());
    new Writing(this.model, scaled, this.edits, this.warnings).write();
    this.warnings.push(...scaledInitialisation(this.model.program.modules));
    const where = scaled.map(
      ({ definition, norms: own }) => `${namesOf(own)} in ${definition.name}`,
    );
    return {
      kind: "edits",
      edits: this.edits.sorted(this.model.program.modules),
      summary: `Multiplies what ${listed(where)} give${where.length === 1 && names(scaled[0]!.norms).length === 1 ? "s" : ""} by 1/√(layer index + 1).`,
      warnings: [...new Map(this.warnings.map((one) => [one.message, one])).values()],
      recipe: recipeFor(undefined, scaled),
    };
  }

  /** The ways through every kind of layer that adds to a residual stream. */
  private layers(): PlacedLayer[] {
    const layers: PlacedLayer[] = [];
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
    if (layers.length === 0) {
      const nothing = new NothingFound(this.model, this.known);
      throw nothing.refusal({ withoutResidual, computedLookup: this.computedLookup });
    }
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
  private layersInLoops(sites: readonly Site[], known: readonly PlacedLayer[]): PlacedLayer[] {
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
