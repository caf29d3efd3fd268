import type { SyntaxNode } from "../syntax";
import { callArguments, descendants, dottedName } from "../syntax";
import type { CopiesOf } from "./copies";
import { Copies, scaleCopies } from "./copies";
import type { Site } from "./construction";
import { argumentFor, Constructions, statementAround } from "./construction";
import { addConstructor, addStatement, EditList, multiply, multiplyFirst } from "./edits";
import type { LayerFlow } from "./flow/sightings";
import { Flow } from "./flow/flow";
import { growsWithDepth, isScalingFactor } from "./scalingFactors";
import { IndexPlan, layerNumber } from "./indices";
import { frameworkLayers, isNormClassName, scaleAttribute, scaleName } from "./names";
import type { ScalingOutcome, ScalingWarning, SourceFile } from "./outcome";
import { Refusal } from "./outcome";
import type { PlacedNorm } from "./placement";
import { opposingGuard, placeNorms } from "./placement";
import type { ClassDefinition, ModuleFile } from "./program";
import { FunctionDefinition, Program, superConstructorCall } from "./program";
import { recipeFor } from "./recipe";
import { receiverAround, Stacks } from "./stacks";
import type { Instance, Value } from "./flow/values";
import { noArguments } from "./flow/values";
import { scaledInitialisation } from "./warnings";

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
  const program = new Program(files);
  const scaling = new Scaling(program, at);
  try {
    return scaling.outcome();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message } = error;
    return { kind: "refusal", reason, message, recipe: recipeFor(reason, scaling.found) };
  }
}

/** A class whose code applies norms that are to be scaled. */
export interface ScaledClass {
  readonly definition: ClassDefinition;
  readonly norms: PlacedNorm[];
}

class Scaling {
  private readonly constructions: Constructions;
  private readonly stacks: Stacks;
  private readonly copies: Copies;
  private readonly edits = new EditList();
  private readonly warnings: ScalingWarning[] = [];
  private scaled: ScaledClass[] = [];
  /** Norms that cannot be scaled where they are. */
  private misplaced: ScaledClass[] = [];
  /** Where a layer without visible norms looks an attribute up by a computed name. */
  private computedLookup: SyntaxNode | undefined;

  constructor(
    private readonly program: Program,
    private readonly at: Place | undefined,
  ) {
    this.constructions = new Constructions(program);
    this.stacks = new Stacks(program, this.constructions);
    this.copies = new Copies(program, this.constructions, this.stacks);
  }

  /** What is known so far, for a recipe. */
  get found(): readonly ScaledClass[] {
    return this.scaled.length > 0 ? this.scaled : this.misplaced;
  }

  outcome(): ScalingOutcome {
    const layers = this.layers();
    const norms = this.normsOf(layers);
    this.scaled = this.byClass(norms);
    this.checkOtherApplications(layers);
    this.checkUnseenNorms(layers);
    this.checkStacks();
    this.write();
    this.warnings.push(...scaledInitialisation(this.program.modules));
    const where = this.scaled.map(
      ({ definition, norms: own }) => `${namesOf(own)} in ${definition.name}`,
    );
    return {
      kind: "edits",
      edits: this.edits.sorted(this.program.modules),
      summary: `Multiplies what ${listed(where)} give${where.length === 1 && names(this.scaled[0]!.norms).length === 1 ? "s" : ""} by 1/√(layer index + 1).`,
      warnings: [...new Map(this.warnings.map((one) => [one.message, one])).values()],
      recipe: recipeFor(undefined, this.scaled),
    };
  }

  /** The ways through every kind of layer that adds to a residual stream. */
  private layers(): { flow: LayerFlow; norms: PlacedNorm[] }[] {
    const layers: { flow: LayerFlow; norms: PlacedNorm[] }[] = [];
    const withoutResidual: Site[] = [];
    for (const definition of this.program.classes) {
      const sites = this.stackedSites(definition);
      for (const site of sites) {
        if (site.function === undefined) continue;
        const made = new Flow(this.program).constructed(site.call, site.function);
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
    const lineage = this.program.lineage(definition);
    const own = norms.filter((norm) => {
      const owner = this.ownerOf(norm.node, norm.module);
      return owner !== undefined && lineage.includes(owner);
    });
    const isPre = ({ placement }: PlacedNorm): boolean => placement === "pre";
    const inner = own.find(({ placement }) => placement === "inner");
    if (inner === undefined || own.some(isPre) || !norms.some(isPre)) return;
    throw new Refusal(
      "unclear-norm",
      `${lineOf(inner.node)} normalises something that ${definition.name} has made of the residual stream; whether to scale it is not settled.`,
    );
  }

  /** Where objects of a class are made as layers are: in a loop, in a list, by a function in a loop. */
  private stackedSites(definition: ClassDefinition): Site[] {
    return this.constructions
      .sitesOf(definition)
      .filter((site) => !site.isSuper)
      .filter((site) => {
        if (site.loops.length > 0 || isNumbered(site)) return true;
        if (this.stacks.positionInList(site) !== undefined) return true;
        if (this.copies.stackOf(site) !== undefined) return true;
        const around = receiverAround(site);
        return around instanceof FunctionDefinition && this.stacks.isStacked(around);
      });
  }

  private flowThrough(layer: Instance): LayerFlow | undefined {
    const { definition } = layer;
    this.checkSyntax(definition);
    const flow = new Flow(this.program).through(layer);
    if (flow === undefined && this.isFrameworkLayer(definition)) {
      throw new Refusal(
        "framework-code",
        `${definition.name} leaves forward to PyTorch's ${this.program.foreignBases(definition)[0]!}, which applies the norms itself.`,
      );
    }
    return flow;
  }

  private isFrameworkLayer(definition: ClassDefinition): boolean {
    return this.program
      .foreignBases(definition)
      .some((base) => frameworkLayers.has(base.split(".").at(-1)!));
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
      const flow = new Flow(this.program).throughLoops(host, isElement);
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
    const texts = this.program.modules.map(({ text }) => text).join("\n");
    const whole = this.program.modules.flatMap(({ nodes }) => [...nodes]);
    const calls = whole
      .flatMap((node) => [...descendants(node)])
      .filter(({ type }) => type === "call");
    const callees = calls.map((call) => dottedName(call.child("function")) ?? "");
    const framework = callees.find((name) => frameworkLayers.has(name.split(".").at(-1)!));
    const plan = new IndexPlan(
      this.program,
      this.constructions,
      this.stacks,
      this.copies,
      new EditList(),
    );
    for (const definition of this.program.classes) {
      if (!this.hasNorm(definition)) continue;
      for (const site of this.constructions.sitesOf(definition)) {
        try {
          plan.indexIn(definition);
        } catch (error) {
          if (error instanceof Refusal && error.reason === "shared-block") return error;
          if (error instanceof Refusal && site.function === undefined) continue;
        }
      }
    }
    const isTorch = this.program.classes.some(({ methods }) => methods.has("forward"));
    if (!isTorch && this.program.classes.some(({ methods }) => methods.has("__call__"))) {
      return new Refusal(
        "framework-code",
        "Only PyTorch modules are edited: the classes here have no forward method.",
      );
    }
    if (framework !== undefined) {
      return new Refusal(
        "framework-code",
        `PyTorch's own ${framework} applies the norms, so there is nothing in this code to scale.`,
      );
    }
    if (this.computedLookup !== undefined) {
      return new Refusal(
        "unclear-norm",
        `Attributes are looked up by computed names: ${lineOf(this.computedLookup)}`,
      );
    }
    if (withoutResidual.length > 0) {
      return new Refusal(
        "unclear-norm",
        "The layers apply norms, but how their output joins the residual stream could not be followed.",
      );
    }
    const unstacked = this.unstackedLayer();
    if (unstacked !== undefined) {
      return new Refusal(
        "no-stack",
        `${unstacked} is a layer, but this code does not make a stack of them; it is edited together with the file that does.`,
      );
    }
    const withNorms = this.program.classes.filter((definition) => this.hasNorm(definition));
    if (withNorms.length === 0 && !/layer_norm|rms_norm/.test(texts)) {
      return new Refusal("no-norms", "No norm of a transformer layer was found in this code.");
    }
    const [named] = withNorms;
    return new Refusal(
      "no-stack",
      `No place was found where layers ${named === undefined ? "" : `such as ${named.name} `}are made in a loop or in a list, which would number them.`,
    );
  }

  /** A class that is a layer by what it does; the recipe is in its names. */
  private unstackedLayer(): string | undefined {
    for (const definition of this.program.classes) {
      const flow = new Flow(this.program).through(untold(definition));
      const norms = flow && placeNorms(flow)?.filter(({ placement }) => placement === "pre");
      if (norms === undefined || norms.length === 0) continue;
      this.scaled = this.byClass(unique(norms));
      return definition.name;
    }
    return undefined;
  }

  private hasNorm(definition: ClassDefinition): boolean {
    if (isNormClassName(definition.name)) return false;
    if (this.isFrameworkLayer(definition)) return true;
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
          placement === "post" && this.ownerOf(node, module) !== undefined,
      );
      this.misplaced = this.byClass(unique(post));
    }
    this.checkNotScaled(layers, norms);
    for (const { flow } of layers) {
      const [escape] = flow.escapes;
      if (escape !== undefined) {
        throw new Refusal(
          "unclear-norm",
          `A norm is used in another way than by calling it on one input: ${statementAround(escape).text.split("\n")[0]!.trim()}`,
        );
      }
      const [lookup] = flow.lookups;
      if (lookup !== undefined) {
        throw new Refusal(
          "unclear-norm",
          `Attributes are looked up by computed names: ${lookup.text}`,
        );
      }
    }
    const elsewhere = (placement: PlacedNorm["placement"]): PlacedNorm[] =>
      unique(norms.filter((norm) => norm.placement === placement));
    this.checkPostNorms(scaled, elsewhere("post"));
    const [output] = elsewhere("output");
    if (output !== undefined) {
      throw new Refusal(
        "output-norm",
        `${lineOf(output.node)} normalises a sublayer's output, which undoes any scaling of its input; LayerNorm Scaling is for Pre-LN.`,
      );
    }
    const [context] = elsewhere("context");
    if (context !== undefined) {
      throw new Refusal(
        "unclear-norm",
        `${lineOf(context.node)} normalises something other than the residual stream; whether to scale it is not settled.`,
      );
    }
    const uncalled = scaled.find(({ application }) => application === "unreachable");
    if (uncalled !== undefined) {
      throw new Refusal(
        "unclear-norm",
        `${lineOf(uncalled.node)} is an element of an nn.Sequential, so there is no call whose result could be multiplied.`,
      );
    }
    if (scaled.length === 0) {
      throw new Refusal(
        "no-norms",
        "No norm that feeds a sublayer from the residual stream was found.",
      );
    }
    const inner = new Set(elsewhere("inner").map(({ node }) => node));
    const both = scaled.find(({ node }) => inner.has(node));
    if (both !== undefined) {
      throw new Refusal(
        "unclear-norm",
        `${lineOf(both.node)} serves the residual stream in one place and something else in another.`,
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
    const normClass = this.program.classes.find(
      ({ name, node }) =>
        isNormClassName(name) && node.text.split("\n").some((line) => growsWithDepth(line)),
    );
    const line = this.program.modules
      .flatMap(({ text }) => text.split("\n"))
      .find((one) => isScalingFactor(one) && !/std|init/i.test(one.replace("__init__", "")));
    const where = named?.name ?? (norm && lineOf(norm.node)) ?? normClass?.name ?? line?.trim();
    if (where === undefined) return;
    throw new Refusal("already", `This code already scales by the layer's index: ${where}`);
  }

  /** Post-LN is refused, unless it is the other choice of a flag that the code leaves open. */
  private checkPostNorms(scaled: readonly PlacedNorm[], post: readonly PlacedNorm[]): void {
    for (const norm of post) {
      const alternatives = scaled.filter(
        ({ node }) => opposingGuard(node, norm.node) !== undefined,
      );
      if (scaled.length === 0 || alternatives.length < scaled.length) {
        throw new Refusal(
          "post-norm",
          `${lineOf(norm.node)} makes its output the residual stream (Post-LN); LayerNorm Scaling is for Pre-LN, x + f(LN x).`,
        );
      }
      const choice = opposingGuard(scaled[0]!.node, norm.node)!;
      if (this.dependsOnLayer(choice.condition, norm.module)) {
        throw new Refusal(
          "post-norm",
          `${choice.condition.text} makes some layers Post-LN; LayerNorm Scaling is for Pre-LN, x + f(LN x).`,
        );
      }
      if (this.settled(choice.condition, norm.module) === !choice.holds) {
        throw new Refusal(
          "post-norm",
          `${choice.condition.text} chooses Post-LN here; LayerNorm Scaling is for Pre-LN, x + f(LN x).`,
        );
      }
      this.warnings.push({
        message: "The Post-LN branch is left as it is: LayerNorm Scaling is for Pre-LN.",
      });
    }
  }

  /** Mix-LN: the placement is computed from the layer's index. */
  private dependsOnLayer(condition: SyntaxNode, module: ModuleFile): boolean {
    const flag = condition.child("attribute")?.text;
    const owner = this.ownerOf(condition, module);
    const values =
      owner === undefined
        ? []
        : this.program.lineage(owner).flatMap(({ attributes }) => attributes);
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
    const owner = this.ownerOf(condition, module);
    if (owner === undefined) return undefined;
    const assigned = this.program
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
      value === undefined && flag === "norm_first" && this.isFrameworkLayer(owner);
    if (!isInherited && parameter === undefined) return undefined;
    const call = isInherited && constructor ? superConstructorCall(constructor) : undefined;
    const calls =
      call !== undefined ? [call] : this.constructions.sitesOf(owner).map((site) => site.call);
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

  private byClass(norms: readonly PlacedNorm[]): ScaledClass[] {
    const classes = new Map<ClassDefinition, PlacedNorm[]>();
    for (const norm of norms) {
      const owner = this.ownerOf(norm.node, norm.module);
      if (owner === undefined) {
        throw new Refusal(
          "unclear-norm",
          `${lineOf(norm.node)} stands in a function that belongs to no layer, so it does not know a layer's index.`,
        );
      }
      classes.set(owner, [...(classes.get(owner) ?? []), norm]);
    }
    return [...classes].map(([definition, own]) => ({ definition, norms: own }));
  }

  private ownerOf(node: SyntaxNode, module: ModuleFile): ClassDefinition | undefined {
    for (let at = node.parent; at !== undefined; at = at.parent) {
      if (at.type !== "class_definition") continue;
      return [...module.classes.values()].find((definition) => definition.node === at);
    }
    return undefined;
  }

  /** A norm that is scaled in one method must not be applied unscaled in another. */
  private checkOtherApplications(layers: readonly { flow: LayerFlow }[]): void {
    const seen = new Set(layers.flatMap(({ flow }) => flow.uses.map(({ node }) => node)));
    for (const entry of this.scaled) {
      const { definition, norms } = entry;
      const attributes = new Set(norms.flatMap(({ node }) => attributeOf(node) ?? []));
      const family = [...this.program.lineage(definition), ...this.program.subclasses(definition)];
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
  private checkUnseenNorms(layers: readonly { flow: LayerFlow }[]): void {
    const applied = new Set(
      layers.flatMap(({ flow }) => flow.uses.flatMap(({ node }) => attributeOf(node) ?? [])),
    );
    for (const { definition } of this.scaled) {
      for (const { attributes } of this.program.lineage(definition)) {
        for (const { path, value, how } of attributes) {
          const name = path[0];
          const callee = value.type === "call" ? dottedName(value.child("function")) : undefined;
          if (path.length !== 1 || how !== "assigned" || name === undefined) continue;
          if (applied.has(name) || callee === undefined || !isNormClassName(callee)) continue;
          throw new Refusal(
            "unclear-norm",
            `${definition.name} has the norm ${name}, but where it is applied could not be seen.`,
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
    const flow = new Flow(this.program).through(untold(definition), method);
    const placed = flow === undefined ? [] : (placeNorms(flow) ?? withoutResidual(flow));
    return missed.map((node) => {
      const norm = placed.find((one) => one.node === node && one.placement === "pre");
      if (norm === undefined) {
        throw new Refusal(
          "unclear-norm",
          `${definition.name}.${method} also applies ${lineOf(node)}, in a way that could not be followed.`,
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
    for (const module of this.program.modules) {
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
          `A layer's norm is applied from outside of it: ${lineOf(node)}`,
        );
      }
    }
  }

  /** Layers of several lists must not form one stack, whose count would start again. */
  private checkStacks(): void {
    const sites = this.program.classes
      .filter((definition) => this.isOnTheWay(definition))
      .flatMap((definition) => this.constructions.sitesOf(definition))
      .filter((site) => site.loops.length > 0 || this.copies.stackOf(site) !== undefined);
    const stacks = new Map<string, Site[]>();
    for (const site of unique(sites.map((site) => ({ ...site, node: site.call })))) {
      const key = `${site.module.path}:${site.function?.node.start ?? -1}:${containerOf(site)}`;
      const known = stacks.get(key) ?? [];
      const clash = known.find((other) => !isSameRound(site, other));
      if (clash !== undefined) {
        throw new Refusal(
          "unclear-index",
          `Several loops or rounds add layers to ${containerOf(site)}, so no one variable counts them all.`,
        );
      }
      stacks.set(key, [...known, site]);
    }
    const groups = [...stacks.values()];
    const hosts = new Set(groups.map(([site]) => site?.function?.owner));
    for (const host of hosts) {
      const own = groups.filter(([site]) => site?.function?.owner === host);
      if (host === undefined || own.length < 2) continue;
      this.checkSeparateStreams(host, own);
    }
  }

  private checkSeparateStreams(host: ClassDefinition, groups: readonly Site[][]): void {
    const groupOf = new Map(
      groups.flatMap((sites, index) => sites.map(({ call }) => [call, index])),
    );
    const indexOf = (value: Value): number | undefined =>
      value.kind === "instance" && value.construction !== undefined
        ? groupOf.get(value.construction)
        : undefined;
    const flow = new Flow(this.program).throughLoops(host, (value) => indexOf(value) !== undefined);
    const mixed = flow.layerElements.some(
      (element) => new Set(leavesOf(element).flatMap((leaf) => indexOf(leaf) ?? [])).size > 1,
    );
    if (flow.continued.length === 0 && !mixed) return;
    throw new Refusal(
      "unclear-index",
      `${host.name} runs several lists of layers on one residual stream, so no one variable counts them all.`,
    );
  }

  /** Whether a class is scaled or has to hand the index on to one that is. */
  private isOnTheWay(definition: ClassDefinition): boolean {
    return this.scaled.some(({ definition: scaled }) => {
      const lineage = this.program.lineage(definition);
      if (lineage.includes(scaled)) return true;
      return this.constructions
        .sitesOf(scaled)
        .some(
          ({ function: around }) =>
            around?.owner !== undefined &&
            lineage.includes(around.owner) &&
            around.name === "__init__",
        );
    });
  }

  private write(): void {
    const plan = new IndexPlan(
      this.program,
      this.constructions,
      this.stacks,
      this.copies,
      this.edits,
    );
    const copied = new Map<ClassDefinition, CopiesOf[]>();
    for (const { definition, norms } of this.scaled) {
      this.checkSyntax(definition);
      if (/@(\w+\.)*dataclass/.test(definition.node.parent?.text.slice(0, 200) ?? "")) {
        throw new Refusal(
          "unclear-construction",
          `${definition.name} is a dataclass, whose constructor is not written out.`,
        );
      }
      if (this.program.lineage(definition).some((one) => one.module.isDefinedTwice(one.name))) {
        throw new Refusal("unclear-construction", `${definition.name} is defined twice.`);
      }
      for (const { node, module, application } of norms) {
        const scale = `${this.selfAround(node)}.${scaleName}`;
        const write = application === "first" ? multiplyFirst : multiply;
        write(this.edits, module, node, scale);
      }
      const stacks = this.copies.stacksOf(definition);
      if (stacks !== undefined) {
        copied.set(definition, stacks);
        continue;
      }
      const index = plan.indexIn(definition);
      this.writeFactor(
        definition,
        norms,
        factor(layerNumber(index), definition.module),
        index.text,
      );
    }
    scaleCopies(this.edits, copied);
  }

  private selfAround(node: SyntaxNode): string {
    let method: SyntaxNode | undefined;
    for (let at = node.parent; at !== undefined && at.type !== "class_definition"; at = at.parent) {
      if (at.type === "function_definition") method = at;
    }
    const name = method?.child("parameters")?.children[0];
    const isStatic =
      method?.parent?.type === "decorated_definition" &&
      /@(static|class)method/.test(method.parent.text);
    if (name?.type !== "identifier" || isStatic) {
      throw new Refusal("unclear-norm", `${lineOf(node)} stands in a method without self.`);
    }
    return name.text;
  }

  private writeFactor(
    definition: ClassDefinition,
    norms: readonly PlacedNorm[],
    value: string,
    index: string,
  ): void {
    const { module, body } = definition;
    const constructor = definition.constructorMethod;
    const self = constructor?.selfName ?? "self";
    const statement = `${self}.${scaleName} = ${value}  # LayerNorm Scaling`;
    if (constructor === undefined) {
      addConstructor(this.edits, module, body, index, statement);
      return;
    }
    const names = new Set(norms.flatMap(({ node }) => attributeOf(node) ?? []));
    const assignments = definition.attributes.filter(
      ({ path, method }) => method === "__init__" && path.length > 0 && names.has(path[0]!),
    );
    const returns = [...descendants(constructor.body)].some(
      ({ type }) => type === "return_statement",
    );
    const base = superConstructorCall(constructor);
    const after = returns ? base : (assignments.at(-1)?.node ?? base);
    const statements = constructor.body.children;
    const place = after ?? statements.at(-1);
    if (place === undefined) {
      throw new Refusal("unclear-construction", `The constructor of ${definition.name} is empty.`);
    }
    addStatement(this.edits, module, constructor.body, place, [statement]);
  }

  private checkSyntax({ name, node }: ClassDefinition): void {
    if (node.isInBrokenStatement) {
      throw new Refusal("broken-syntax", `${name} has a syntax error.`);
    }
  }
}

/** 1/√ℓ as a Python float; math is used where it is there already. */
function factor(number: string, module: ModuleFile): string {
  if (module.qualified("math") === "math" && /^import math\b/m.test(module.text)) {
    return `1.0 / math.sqrt(${number})`;
  }
  return /^\w+$/.test(number) ? `${number} ** -0.5` : `(${number}) ** -0.5`;
}

/** The attribute of self that a call applies. */
export function attributeOf(call: SyntaxNode): string | undefined {
  const callee = call.child("function");
  return callee?.type === "attribute" && callee.child("object")?.text === "self"
    ? callee.child("attribute")?.text
    : undefined;
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

/** A method that hands a branch back adds nothing itself; all it is given may be a stream. */
function withoutResidual(flow: LayerFlow): PlacedNorm[] {
  return flow.uses.map((use) => ({
    ...use,
    placement: [...use.inputs].some((part) => part.startsWith("stream:")) ? "pre" : "inner",
  }));
}

function unique<T extends { readonly node: SyntaxNode }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.node, item])).values()];
}

function leavesOf(value: Value): Value[] {
  if (value.kind === "tuple") return value.items.flatMap(leavesOf);
  if (value.kind === "container") return value.elements.flatMap(leavesOf);
  if (value.kind === "choice") return value.options.flatMap(leavesOf);
  return [value];
}

/** What a loop fills: `self.layers`, or a local name. */
function containerOf({ call }: Site): string {
  for (let at = call.parent, below = call; at !== undefined; below = at, at = at.parent) {
    if (at.type === "assignment" || at.type === "augmented_assignment") {
      const left = at.child("left");
      return (left?.type === "subscript" ? left.child("value") : left)?.text ?? "";
    }
    if (at.type === "call" && below.field === "arguments") {
      const callee = at.child("function");
      if (
        /^(append|extend|insert|add_module|update)$/.test(callee?.child("attribute")?.text ?? "")
      ) {
        return callee!.child("object")!.text;
      }
    }
    if (at.type === "keyword_argument") return at.child("name")!.text;
    if (/statement$|^block$/.test(at.type)) break;
  }
  return statementAround(call).text.split("\n")[0]!;
}

/** Two constructions that make one layer between them, or either of which makes it. */
function isSameRound(one: Site, other: Site): boolean {
  if (one.loops[0]?.node !== other.loops[0]?.node) return false;
  if (opposingGuard(one.call, other.call) !== undefined) return true;
  // [Attention(…), FeedForward(…)] is one element where it is appended, two where the list grows by it.
  const statement = statementAround(one.call);
  const isOneStatement = statement === statementAround(other.call);
  return isOneStatement && !/\.extend\(|\+=/.test(statement.text);
}

function isNumbered({ call }: Site): boolean {
  const target = call.parent?.type === "assignment" ? call.parent.child("left")?.text : undefined;
  return /^\w+\.[A-Za-z_]+?_?\d+$/.test(target ?? "");
}

/** A piece of code in one line. */
function lineOf({ text }: SyntaxNode): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/([([{]) | (?=[)\]}])/g, "$1");
}

/** An object of a class, whatever it was given when it was made. */
function untold(definition: ClassDefinition): Instance {
  return {
    kind: "instance",
    definition,
    construction: undefined,
    given: noArguments,
    attributes: new Map(),
  };
}
