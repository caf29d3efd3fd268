import { t } from "@vscode/l10n";
import { otherNorms } from "../../norms";
import type { SyntaxNode } from "../../syntax";
import { dottedName, stringValue } from "../../syntax";
import {
  addingMethods,
  frameworkLayers,
  isAddition,
  isCheckpoint,
  isNormClassName,
  isNormFunctionName,
  isPassthroughClassName,
  isPassthroughName,
  passthroughMethods,
} from "../names";
import { Refusal } from "../outcome";
import { FunctionDefinition } from "../program";
import type { Flow } from "./flow";
import type { Arguments, Container, Instance, Scope, Value } from "./values";
import {
  allParts,
  containerGiven,
  contains,
  elementsOf,
  isSequence,
  join,
  list,
  mapping,
  nothing,
  opaque,
  partsOf,
  tensor,
} from "./values";

/** What calls give: of norms, of code of these files, and of what is unknown. */
export class Calls {
  constructor(private readonly flow: Flow) {}

  evaluateCall(node: SyntaxNode, scope: Scope): Value {
    const callee = node.child("function");
    if (callee === undefined) return nothing;
    if (callee.type === "attribute") {
      const object = this.flow.expressions.evaluateChild(callee, "object", scope);
      const method = callee.child("attribute")?.text ?? "";
      if (object.kind === "tensor" || object.kind === "tuple") {
        return this.tensorMethod(object, method, node, scope);
      }
      if (object.kind === "container" && !object.entries.has(method)) {
        const given = this.evaluateArguments(node, scope);
        if (method === "append" || method === "extend") return nothing;
        if (method === "values") return list(object.elements);
        return opaque(given);
      }
    }
    const name = dottedName(callee);
    if (name === "super") {
      const self = this.selfOf(scope);
      const owner = scope.function?.owner;
      if (self !== undefined && owner !== undefined) {
        return { kind: "inherited", instance: self, from: owner };
      }
    }
    const value = this.flow.expressions.evaluate(callee, scope);
    const given = this.evaluateArguments(node, scope);
    return this.call(value, given, node, scope);
  }

  private call(callee: Value, given: Arguments, node: SyntaxNode, scope: Scope): Value {
    switch (callee.kind) {
      case "norm":
        return this.flow.sightings.applyNorm(given, node, scope);
      case "passthrough":
        return tensor(partsOf(given.positional[0] ?? nothing));
      case "callable": {
        const { code } = callee;
        if (code instanceof FunctionDefinition && code.owner === undefined) {
          if (
            isNormFunctionName(code.name) &&
            allParts(given).size > 0 &&
            !this.callsGiven(given)
          ) {
            return this.flow.sightings.applyNorm(given, node, scope);
          }
        }
        return this.flow.statements.run(callee, given);
      }
      case "class":
        return this.flow.objects.construct(callee.definition, given, node);
      case "instance":
        return this.callInstance(callee, given, node, scope);
      case "container":
        if (callee.isSequential) return this.callSequential(callee, given, node, scope);
        return opaque(given);
      case "choice":
        return join(callee.options.map((option) => this.call(option, given, node, scope)));
      case "foreign":
        return this.callForeign(callee.name, given, node, scope);
      case "tensor":
      case "tuple":
      case "inherited":
        return this.callUnknown(given, node, scope);
    }
  }

  private callsGiven({ positional, keywords }: Arguments): boolean {
    return [...positional, ...keywords.values()].some(
      ({ kind }) => kind === "callable" || kind === "instance" || kind === "norm",
    );
  }

  private callInstance(
    instance: Instance,
    given: Arguments,
    node: SyntaxNode,
    scope: Scope,
  ): Value {
    const { definition } = instance;
    const method =
      this.flow.program.method(definition, "forward") ??
      this.flow.program.method(definition, "__call__");
    if (method !== undefined) {
      return this.flow.statements.run(
        { kind: "callable", code: method, self: instance, scope: undefined },
        given,
      );
    }
    return this.callUnknown(given, node, scope);
  }

  private callSequential(
    container: Container,
    given: Arguments,
    at: SyntaxNode,
    scope: Scope,
  ): Value {
    let value: Value = given.positional[0] ?? nothing;
    if (
      this.flow.sightings.stacked !== undefined &&
      contains(container, this.flow.sightings.stacked)
    ) {
      this.flow.sightings.enterStack(value, at);
      return tensor(["stream:sequence"]);
    }
    const callee = at.child("function");
    const isItself =
      callee?.type === "attribute" && this.flow.expressions.evaluate(callee, scope) === container;
    container.elements.forEach((element, index) => {
      const next: Arguments = { positional: [value], keywords: new Map() };
      if (element.kind !== "norm") {
        value = this.call(element, next, at, scope);
      } else if (index === 0 && isItself && at.child("arguments")?.children.length === 1) {
        value = this.flow.sightings.applyNorm(next, at, scope, "first");
      } else {
        value = this.flow.sightings.applyNorm(
          next,
          element.construction ?? at,
          scope,
          "unreachable",
        );
      }
    });
    return value;
  }

  private tensorMethod(object: Value, method: string, node: SyntaxNode, scope: Scope): Value {
    const given = this.evaluateArguments(node, scope);
    const parts = partsOf(object);
    if (addingMethods.has(method)) return tensor([...parts, ...allParts(given)]);
    if (/^(mul|div)_?$/.test(method)) {
      const factor = node.child("arguments")?.children[0];
      if (factor !== undefined) this.flow.expressions.noticeScale(object, factor, scope);
    }
    if (passthroughMethods.has(method)) return tensor(parts);
    if (/^(size|dim|numel|item|tolist|stride|ndimension|get|keys|items|pop)$/.test(method))
      return nothing;
    const all = new Set([...parts, ...allParts(given)]);
    if (all.size === 0) return this.callUnknown(given, node, scope);
    return tensor(["branch"]);
  }

  private callForeign(name: string, given: Arguments, node: SyntaxNode, scope: Scope): Value {
    const last = name.split(".").at(-1)!;
    const parts = allParts(given);
    const [first, ...rest] = given.positional;
    if (!isCheckpoint(name) && last !== "getattr" && parts.size > 0)
      this.flow.sightings.noticeEscape(given, node);
    if (isNormFunctionName(name) && parts.size > 0)
      return this.flow.sightings.applyNorm(given, node, scope);
    if (parts.size === 0) {
      if (isNormClassName(name)) return { kind: "norm", isCertain: true, construction: node };
      if (isPassthroughClassName(name)) return { kind: "passthrough" };
      switch (last) {
        case "Sequential":
          return { ...containerGiven(given), isSequential: true };
        case "ModuleList":
        case "list":
        case "tuple":
        case "List":
          return first === undefined ? list([]) : list(elementsOf(first));
        case "ModuleDict":
        case "dict":
        case "OrderedDict":
          return given.keywords.size > 0
            ? mapping(given.keywords)
            : first?.kind === "container"
              ? first
              : mapping(new Map());
        case "partial":
        case "deepcopy":
          return first ?? nothing;
        case "_get_clones":
          return list(first === undefined ? [] : [first]);
      }
      if (
        !otherNorms.test(last) &&
        /(^|_)(build|make|get|create)_?\w*norm|norm(_?(layer|cls|class|fn|type|module|builder))?$/i.test(
          last,
        )
      ) {
        return { kind: "norm", isCertain: false, construction: node };
      }
    }
    if (last === "getattr") {
      const key = stringValue(node.child("arguments")?.children[1]);
      if (key !== undefined && first !== undefined)
        return this.flow.expressions.attribute(first, key, node, scope);
      // getattr(torch, config.dtype) is no part of the model.
      if (first?.kind === "foreign" && !/(^|\.)(nn|functional|F)$/.test(first.name)) return nothing;
      this.flow.sightings.lookups.push(node);
      return nothing;
    }
    if (/^(compile|cast|disable|allow_in_graph)$/.test(last) && given.positional.length > 0) {
      return given.positional.at(-1)!;
    }
    if (isCheckpoint(name) && first !== undefined) {
      return this.call(first, { positional: rest, keywords: new Map() }, node, scope);
    }
    const base = /^super\.(forward|__call__)$/.test(name) ? this.baseWithNorms(scope) : undefined;
    if (base !== undefined) {
      throw new Refusal(
        "framework-code",
        t("super().forward(…) applies the norms in {0}, whose code is not here.", base),
      );
    }
    if (
      isPassthroughName(last) ||
      /^(rearrange|repeat|view|reshape|transpose|permute)$/.test(last)
    ) {
      return tensor(partsOf(first ?? nothing));
    }
    if (isAddition(last) || /^(cat|concat|stack|where|lerp)$/.test(last)) return tensor(parts);
    return this.callUnknown(given, node, scope);
  }

  private callUnknown(given: Arguments, node: SyntaxNode, scope: Scope): Value {
    this.flow.sightings.noticeEscape(given, node);
    // apply_chunking_to_forward(self.feed_forward_chunk, 0, 1, x) calls what it is given.
    const handed = given.positional.find(({ kind }) => kind === "callable");
    if (handed !== undefined && allParts(given).size > 0) {
      const hasParts = (value: Value): boolean => partsOf(value).size > 0;
      const keywords = new Map([...given.keywords].filter(([, value]) => hasParts(value)));
      return this.call(
        handed,
        { positional: given.positional.filter(hasParts), keywords },
        node,
        scope,
      );
    }
    const name = dottedName(node.child("function")) ?? "";
    if (isAddition(name)) return tensor(allParts(given));
    return opaque(given);
  }

  /** PyTorch's plain modules apply no norms; its layers do, and so may the layers of other libraries. */
  private baseWithNorms(scope: Scope): string | undefined {
    const owner = scope.function?.owner;
    const bases = owner === undefined ? [] : this.flow.program.foreignBases(owner);
    return bases.find(
      (base) => !base.startsWith("torch.nn.") || frameworkLayers.has(base.split(".").at(-1)!),
    );
  }

  private selfOf(scope: Scope): Instance | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      const name = at.function?.selfName;
      const value = name === undefined ? undefined : at.variables.get(name);
      if (value?.kind === "instance") return value;
    }
    return undefined;
  }

  evaluateArguments(call: SyntaxNode, scope: Scope): Arguments {
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    const listed = call.child("arguments");
    const nodes = listed?.type === "generator_expression" ? [listed] : (listed?.children ?? []);
    for (const node of nodes) {
      if (node.type === "keyword_argument") {
        const name = node.child("name")?.text;
        if (name !== undefined)
          keywords.set(name, this.flow.expressions.evaluateChild(node, "value", scope));
      } else if (node.type === "list_splat") {
        const value =
          node.children[0] === undefined
            ? nothing
            : this.flow.expressions.evaluate(node.children[0], scope);
        positional.push(...(isSequence(value) ? elementsOf(value) : [value]));
      } else if (node.type === "dictionary_splat") {
        if (node.children[0] !== undefined) this.flow.expressions.evaluate(node.children[0], scope);
      } else {
        positional.push(this.flow.expressions.evaluate(node, scope));
      }
    }
    return { positional, keywords };
  }
}
