import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { Constructions, Loop, Site } from "./construction";
import { argumentFor, statementAround } from "./construction";
import type { Copies } from "./copies";
import type { EditList } from "./edits";
import { addArgument, addParameter } from "./edits";
import { freeName, freeNameIn } from "./freeNames";
import { argumentText, type LayerIndex } from "./layerIndex";
import { countedBy, existingIndex, isShort, lengthOfFilled, positionInName } from "./loopCounts";
import { indexNames, isLayerNumberName } from "./names";
import { numberedFrom } from "./offsets";
import { Refusal, type ScalingWarning } from "./outcome";
import type { Program } from "./program";
import { ClassDefinition, FunctionDefinition } from "./program";
import type { Receiver, Stacks } from "./stacks";
import { receiverAround } from "./stacks";
import { isTrial } from "./trials";

/**
 * Brings the layer index from where layers are stacked to the classes that need it: through the
 * parameters that already carry it, or through new ones that every call is given.
 */
export class IndexPlan {
  private readonly planned = new Map<Receiver, LayerIndex>();
  private readonly inProgress = new Set<Receiver>();
  /** Names of new loop variables, by loop. */
  private readonly loopIndices = new Map<SyntaxNode, LayerIndex>();
  private readonly newName: string;

  constructor(
    private readonly program: Program,
    private readonly constructions: Constructions,
    private readonly stacks: Stacks,
    private readonly copies: Copies,
    private readonly edits: EditList,
    private readonly warnings: ScalingWarning[],
  ) {
    this.newName = this.customaryName();
  }

  /** The layer index inside the constructor of a class, or inside a function. */
  indexIn(receiver: Receiver): LayerIndex {
    const known = this.planned.get(receiver);
    if (known !== undefined) return known;
    if (this.inProgress.has(receiver)) {
      throw new Refusal("unclear-index", t("{0} is made inside itself.", receiver.name));
    }
    this.inProgress.add(receiver);
    const index = this.knownIndex(receiver) ?? this.addIndex(receiver);
    this.inProgress.delete(receiver);
    this.planned.set(receiver, index);
    return index;
  }

  /** The parameter that already carries the index, where every call agrees that it does. */
  private knownIndex(receiver: Receiver): LayerIndex | undefined {
    const definition = entryOf(receiver);
    if (definition === undefined) return undefined;
    const sites = this.constructions.sitesOf(receiver);
    if (sites.length === 0) return undefined;
    for (const { name, kind } of definition.ownParameters) {
      if (kind !== "positional" && kind !== "keywordOnly") continue;
      if (isAssigned(name, definition)) continue;
      const carried = sites.map((site) => {
        const given = argumentFor(site.call, definition, name);
        return given && this.carriedIndex(given, site, name);
      });
      const [first] = carried;
      if (first !== undefined && carried.every((one) => one?.from === first.from)) {
        this.warnings.push(...carried.flatMap((one) => one?.warnings ?? []));
        return { text: name, countsFrom: first.from };
      }
    }
    return undefined;
  }

  /** From what the argument for a parameter counts the layers; undefined where it does not. */
  private carriedIndex(
    given: SyntaxNode,
    site: Site,
    parameter: string,
  ): { from: 0 | 1; warnings?: ScalingWarning[] } | undefined {
    const position = this.stacks.positionInList(site);
    if (
      site.loops.length === 0 &&
      receiverAround(site) === undefined &&
      position !== undefined &&
      given.text === String(position)
    ) {
      return { from: 0 };
    }
    const natural = this.naturalIndex(site);
    if (natural === undefined) return undefined;
    const text = given.text.replaceAll(/\s/g, "");
    if (text === natural.text) return { from: natural.countsFrom };
    if (text === `${natural.text}+1` && natural.countsFrom === 0) return { from: 1 };
    if (text === `${natural.text}-1` && natural.countsFrom === 1) return { from: 0 };
    if (!isLayerNumberName(parameter)) return undefined;
    const { from, stages = [] } = numberedFrom(given, natural, site) ?? {};
    if (from !== 0 && from !== 1) return undefined;
    const warnings = stages.map((stage) => ({
      message: t(
        "{0} is taken for the number of layers before this stage of the pipeline. Should it count anything else, the factors are wrong.",
        stage,
      ),
      at: lineAt(given, site),
    }));
    return { from, warnings };
  }

  /** What counts the layers at a site without any change to the code. */
  private naturalIndex(site: Site): LayerIndex | undefined {
    const around = receiverAround(site);
    const [loop, ...outer] = site.loops;
    if (loop !== undefined) return outer.length === 0 ? existingIndex(loop) : undefined;
    return around !== undefined && this.stacks.isStacked(around)
      ? (this.planned.get(around) ?? this.knownIndex(around))
      : undefined;
  }

  /** A number that the code gives, and that starts from what is not known here, is not the index. */
  private warnOfUnknown(site: Site, receiver: Receiver): void {
    const definition = entryOf(receiver);
    const natural = this.naturalIndex(site);
    if (definition === undefined || natural === undefined) return;
    for (const { name } of definition.ownParameters.filter((one) => isLayerNumberName(one.name))) {
      const given = argumentFor(site.call, definition, name);
      const unknown = given && numberedFrom(given, natural, site)?.unknown;
      if (given === undefined || unknown === undefined || unknown.length === 0) continue;
      this.warnings.push({
        message: t(
          "{0} of {1} starts from {2}, which is not known here, so the factor counts from the first layer of this list. Should layers of the same residual stream run before it, as on another stage of a pipeline, add their number.",
          name,
          receiver.name,
          unknown.join(" + "),
        ),
        at: lineAt(given, site),
      });
    }
  }

  private addIndex(receiver: Receiver): LayerIndex {
    const references = this.constructions.looseReferences(receiver);
    if (references[0] !== undefined) {
      throw new Refusal("unclear-construction", handedOn(receiver, references[0]));
    }
    if (receiver instanceof ClassDefinition) this.checkClassMethods(receiver);
    const entry = entryOf(receiver);
    const name = freeName(this.newName, entry ?? receiver);
    const sites = this.constructions.sitesOf(receiver);
    for (const site of sites) {
      const index = this.indexAt(site, receiver);
      this.warnOfUnknown(site, receiver);
      addArgument(this.edits, site.module, site.call, `${name}=${argumentText(index)}`);
    }
    // A class that inherits its constructor gets one, with the factor in it.
    if (entry !== undefined) addParameter(this.edits, entry, name);
    return { text: name, countsFrom: 0 };
  }

  private checkClassMethods(definition: ClassDefinition): void {
    for (const method of definition.methods.values()) {
      if (!method.decorators.includes("classmethod")) continue;
      const cls = method.parameters[0]?.name;
      const makes = [...descendants(method.body)].some(
        (node) => node.type === "call" && node.child("function")?.text === cls,
      );
      if (makes) {
        throw new Refusal(
          "unclear-construction",
          t(
            "{0} makes a {1} that does not know its index.",
            `${definition.name}.${method.name}`,
            definition.name,
          ),
        );
      }
    }
  }

  private indexAt(site: Site, receiver: Receiver): LayerIndex {
    const around = receiverAround(site);
    const isInLayer = around !== undefined && this.stacks.isStacked(around);
    this.checkNesting(site, receiver);
    const [loop, ...outer] = site.loops.filter((one) => !isInLayer || !isShort(one));
    if (loop !== undefined) {
      if (isInLayer) {
        throw new Refusal(
          "unclear-index",
          t(
            "{0} is made in a loop inside {1}, which is itself made in a loop: which of the two counts the layers is unclear.",
            receiver.name,
            around.name,
          ),
        );
      }
      if (outer.length > 0) {
        throw new Refusal(
          "unclear-index",
          t(
            "{0} is made in a loop within a loop, so no one variable counts the layers.",
            receiver.name,
          ),
        );
      }
      return this.loopIndex(loop, site, receiver);
    }
    if (isInLayer) {
      if (!this.copies.makesFew(site.call, site.module)) this.checkRepetition(site, receiver);
      return this.indexIn(around);
    }
    const position =
      this.stacks.positionInList(site) ??
      positionInName(site, this.constructions.sitesOf(receiver));
    if (position !== undefined) {
      this.checkRepetition(site, receiver);
      return { text: String(position), countsFrom: 0 };
    }
    if (isTrial(site)) return { text: "0", countsFrom: 0 };
    this.checkRepetition(site, receiver);
    const where = site.function?.owner?.name ?? site.function?.name;
    throw new Refusal(
      "unclear-index",
      where === undefined
        ? t(
            "{0} is made once, outside of any loop over layers, so its index is unclear.",
            receiver.name,
          )
        : t(
            "{0} is made once in {1}, outside of any loop over layers, so its index is unclear.",
            receiver.name,
            where,
          ),
    );
  }

  /** A lambda or a function inside a function may run any number of times. */
  private checkNesting({ call, function: around }: Site, receiver: Receiver): void {
    for (let at = call.parent; at !== undefined && at !== around?.node; at = at.parent) {
      if (at.type === "lambda" || at.type === "function_definition") {
        throw new Refusal(
          "unclear-index",
          at.type === "lambda"
            ? t("{0} is made inside a lambda, so its index is unclear.", receiver.name)
            : t("{0} is made inside a nested function, so its index is unclear.", receiver.name),
        );
      }
    }
  }

  /** `[Block(config)] * 12`, deepcopy(Block(config)): one layer made, many used. */
  private checkRepetition({ call, function: around }: Site, receiver: Receiver): void {
    const target = call.parent?.type === "assignment" ? call.parent.child("left") : undefined;
    const uses = [call];
    if (target?.type === "identifier" && around !== undefined) {
      for (const node of descendants(around.body)) {
        if (node.type === "identifier" && node.text === target.text) uses.push(node);
      }
    }
    for (const use of uses) this.checkCopies(use, receiver);
    const isElement = ({ field, parent }: SyntaxNode): boolean =>
      field === "body" && /comprehension$|^generator/.test(parent?.type ?? "");
    if (uses.some((use) => use !== call && isElement(use))) {
      throw new Refusal(
        "shared-block",
        t(
          "One {0} is put into the list again and again, so all layers are the same object and cannot have different factors.",
          receiver.name,
        ),
      );
    }
  }

  private checkCopies(made: SyntaxNode, receiver: Receiver): void {
    let below = made;
    for (let at = made.parent; at !== undefined; below = at, at = at.parent) {
      if (at.type === "binary_operator" && at.child("operator")?.text === "*") {
        throw new Refusal(
          "shared-block",
          t(
            "One {0} is repeated with *, so all layers are the same object and cannot have different factors.",
            receiver.name,
          ),
        );
      }
      if (at.type === "call" && below.field === "arguments") {
        const name = dottedName(at.child("function")) ?? "";
        if (/copy|clone|repeat|replicate|TransformerEncoder$|TransformerDecoder$/i.test(name)) {
          throw new Refusal(
            "shared-block",
            t(
              "{0} makes the layers as copies of one {1}, so no layer learns its index when it is made.",
              name,
              receiver.name,
            ),
          );
        }
      }
      if (/statement$|^block$/.test(at.type)) return;
    }
  }

  /** The variable of a loop that counts its rounds, made where there is none. */
  private loopIndex(loop: Loop, site: Site, receiver: Receiver): LayerIndex {
    const known = this.loopIndices.get(loop.node);
    if (known !== undefined) return known;
    const [clause, ...more] = loop.clauses;
    const length = clause === undefined ? lengthOfFilled(site) : undefined;
    if (length !== undefined) return length;
    if (clause === undefined) {
      throw new Refusal(
        "unclear-index",
        t("{0} is made in a loop without a variable, so its index is unclear.", receiver.name),
      );
    }
    if (more.length > 0) {
      throw new Refusal(
        "unclear-index",
        t("{0} is made in a loop over two things, so its index is unclear.", receiver.name),
      );
    }
    if (loop.hasCondition) {
      throw new Refusal(
        "unclear-index",
        t("{0} is made in a loop with a condition, so its index is unclear.", receiver.name),
      );
    }
    this.checkRounds(loop, receiver);
    const existing = existingIndex(loop);
    const index = existing ?? this.makeIndex(loop, clause, site);
    this.loopIndices.set(loop.node, index);
    return index;
  }

  /** Every round must make one layer, and add it at the end. */
  private checkRounds({ node }: Loop, receiver: Receiver): void {
    const body = node.child("body");
    if (node.type !== "for_statement" || body === undefined) return;
    for (const at of descendants(body)) {
      const isInsert =
        at.type === "call" && /\.(insert|appendleft)$/.test(at.child("function")?.text ?? "");
      if (at.type === "continue_statement" || at.type === "break_statement" || isInsert) {
        throw new Refusal(
          "unclear-index",
          isInsert
            ? t(
                "The loop that makes {0} does not append, so its variable does not count the layers.",
                receiver.name,
              )
            : t(
                "The loop that makes {0} skips rounds, so its variable does not count the layers.",
                receiver.name,
              ),
        );
      }
    }
  }

  private makeIndex(
    loop: Loop,
    clause: SyntaxNode,
    { module, function: around }: Site,
  ): LayerIndex {
    const [target, iterated] = [clause.child("left")!, clause.child("right")!];
    const scope = around?.node ?? statementAround(loop.node);
    const name = freeNameIn(this.newName, scope);
    const counted = countedBy(clause);
    if (counted !== undefined) {
      this.edits.replace(module, counted.variable.start, counted.variable.end, name);
      return { text: name, countsFrom: counted.from };
    }
    if (iterated.type === "expression_list" || iterated.type === "tuple") {
      throw new Refusal("unclear-index", t("A loop over {0} makes the layers.", iterated.text));
    }
    const isPattern = target.type === "pattern_list";
    this.edits.insert(module, target.start, `${name}, ${isPattern ? "(" : ""}`);
    if (isPattern) this.edits.insert(module, target.end, ")");
    this.edits.insert(module, iterated.start, "enumerate(");
    this.edits.insert(module, iterated.end, ")");
    return { text: name, countsFrom: 0 };
  }

  /** The name that this code uses for layer indices. */
  private customaryName(): string {
    const used = new Set(
      this.program.modules
        .flatMap((module) => [
          ...[...module.functions.values()],
          ...[...module.classes.values()].flatMap(({ methods }) => [...methods.values()]),
        ])
        .flatMap(({ parameters }) => parameters.map(({ name }) => name)),
    );
    return indexNames.find((name) => used.has(name)) ?? indexNames[0];
  }
}

/** @param reference where, as code */
export function handedOn({ name }: Receiver, reference: string): string {
  return t(
    "{0} is handed on as a value ({1}), so not every place that makes one can be seen.",
    name,
    reference,
  );
}

/** The line on which code begins. */
function lineAt({ start }: SyntaxNode, { module }: Site): { path: string; line: string } {
  const { path, text } = module;
  const end = text.indexOf("\n", start);
  const line = text.slice(text.lastIndexOf("\n", start) + 1, end === -1 ? undefined : end);
  return { path, line: line.trim() };
}

/** Where the receiver gets its arguments; undefined where a class inherits its constructor. */
function entryOf(receiver: Receiver): FunctionDefinition | undefined {
  return receiver instanceof FunctionDefinition ? receiver : receiver.constructorMethod;
}

function isAssigned(name: string, { body }: FunctionDefinition): boolean {
  return [...descendants(body)].some(
    (node) => node.type.endsWith("assignment") && node.child("left")?.text === name,
  );
}
