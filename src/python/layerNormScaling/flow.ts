import { readFunction } from "../module";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName, stringValue } from "../syntax";
import {
  addingMethods,
  frameworkLayers,
  isAddition,
  isCheckpoint,
  isNormClassName,
  isNormFunctionName,
  isNormName,
  isPassthroughClassName,
  isPassthroughName,
  passthroughAttributes,
  passthroughMethods,
} from "./names";
import { Refusal } from "./outcome";
import type { ModuleFile, Program } from "./program";
import { ClassDefinition, FunctionDefinition } from "./program";
import type { Arguments, Callable, Container, Instance, Part, Scope, Value } from "./values";
import { firstOf, join, noArguments, nothing, partsOf, tensor } from "./values";

/** One application of a norm on the way through a layer. */
export interface NormUse {
  /** The call whose value is the norm's output. */
  readonly node: SyntaxNode;
  readonly module: ModuleFile;
  readonly inputs: ReadonlySet<Part>;
  /** True for LN(x + …): no other place can read that sum, so what follows builds on the output. */
  readonly isSumLost: boolean;
  /**
   * How the norm is applied: by a call of its own, as the first element of the nn.Sequential that
   * `node` calls, or as an element that no code can reach.
   */
  readonly application: "call" | "first" | "unreachable";
  /** True where the output is already divided by something that grows with the depth. */
  isScaled: boolean;
}

/** What was seen on the way through a layer. */
export interface LayerFlow {
  readonly uses: readonly NormUse[];
  /** What the layer hands on is a sum of these. */
  readonly output: ReadonlySet<Part>;
  /** Classes of these files whose code was passed through. */
  readonly classes: ReadonlySet<ClassDefinition>;
  /** Places where a norm is handed on instead of being called. */
  readonly escapes: readonly SyntaxNode[];
  /** Places where an attribute is looked up by a computed name. */
  readonly lookups: readonly SyntaxNode[];
  /** Uses, by position, that are not part of a layer: before and after the loop over layers. */
  readonly outside: ReadonlySet<number>;
  /** Stacks whose input is the residual stream of a stack before them. */
  readonly continued: readonly SyntaxNode[];
  /** What the variables of the loops over layers stand for. */
  readonly layerElements: readonly Value[];
}

const deepestCall = 24;

/**
 * Follows the residual stream through a layer without running it: an abstract interpretation of
 * `forward` and of whatever code of these files it calls. Unknown calls give a branch.
 */
export class Flow {
  private readonly uses: NormUse[] = [];
  private readonly classes = new Set<ClassDefinition>();
  private readonly escapes: SyntaxNode[] = [];
  private readonly lookups: SyntaxNode[] = [];
  private readonly continued: SyntaxNode[] = [];
  private readonly layerElements: Value[] = [];
  private readonly usesInLoops = new Set<number>();
  private readonly running: (FunctionDefinition | SyntaxNode)[] = [];
  /** While one is set, a loop over a container that holds it is where layers follow each other. */
  private stacked: ((value: Value) => boolean) | undefined;
  private readonly loopOutputs: Value[] = [];

  constructor(private readonly program: Program) {}

  /** The way through a method whose arguments are streams. */
  through(instance: Instance, method = "forward"): LayerFlow | undefined {
    const code = this.program.method(instance.definition, method);
    if (code === undefined) return undefined;
    const streams = new Map<string, Value>(
      code.ownParameters
        .filter(({ kind }) => kind === "positional" || kind === "keywordOnly")
        .map(({ name }) => [name, tensor([`stream:${name}`])]),
    );
    const value = this.run(
      { kind: "callable", code, self: instance, scope: undefined },
      { positional: [], keywords: streams },
    );
    return this.result(partsOf(firstOf(value)));
  }

  /** The way through one round of the loops of `host` over containers whose elements are such. */
  throughLoops(host: ClassDefinition, isElement: (value: Value) => boolean): LayerFlow {
    const instance = this.instance(host, undefined, noArguments);
    this.stacked = isElement;
    for (const method of host.methods.values()) {
      if (method.name === "__init__") continue;
      this.run({ kind: "callable", code: method, self: instance, scope: undefined }, noArguments);
    }
    return this.result(new Set(this.loopOutputs.flatMap((value) => [...partsOf(firstOf(value))])));
  }

  /** What an expression in a constructor makes. */
  constructed(node: SyntaxNode, method: FunctionDefinition): Value {
    const owner = method.owner;
    const instance = owner && this.instance(owner, undefined, noArguments);
    return this.evaluate(node, this.constructorScope(method, instance, noArguments));
  }

  attributeOf(instance: Instance, name: string): Value {
    const known = instance.attributes.get(name);
    if (known !== undefined) return known;
    instance.attributes.set(name, nothing);
    const found = this.findAttribute(instance, name);
    instance.attributes.set(name, found);
    return found;
  }

  private result(output: Set<Part>): LayerFlow {
    const { uses, classes, escapes, lookups, continued, layerElements } = this;
    const outside = new Set(
      this.stacked === undefined
        ? []
        : uses.map((_, index) => index).filter((index) => !this.usesInLoops.has(index)),
    );
    return { uses, output, classes, escapes, lookups, outside, continued, layerElements };
  }

  private findAttribute(instance: Instance, name: string): Value {
    const values: Value[] = [];
    const added: Value[] = [];
    for (const owner of this.program.lineage(instance.definition)) {
      for (const binding of owner.attributes) {
        if (binding.path[0] !== name || binding.path.length > 2) continue;
        // self.norm.bias = None makes nothing an element of self.norm.
        if (binding.path.length === 2 && !/^(\*|\d+)$/.test(binding.path[1]!)) continue;
        const method = owner.methods.get(binding.method);
        if (method === undefined) continue;
        const scope = this.constructorScope(
          method,
          instance,
          this.constructorArguments(instance, owner),
        );
        const value = this.evaluate(binding.value, scope);
        if (binding.path.length === 1 && binding.how !== "extended") values.push(value);
        else if (binding.how === "extended") added.push(...elementsOf(value));
        else added.push(value);
      }
      if (values.length > 0) break;
    }
    const value = join(values);
    if (added.length > 0) {
      const base: Container =
        value.kind === "container"
          ? value
          : { kind: "container", isSequential: false, elements: [], entries: new Map() };
      return { ...base, elements: [...base.elements, ...added] };
    }
    if (value.kind !== "tensor") return value;
    const inherited = this.program
      .foreignBases(instance.definition)
      .flatMap((base) => frameworkLayers.get(base.split(".").at(-1)!) ?? []);
    if (inherited.includes(name)) return { kind: "norm", isCertain: true, construction: undefined };
    if (isPassthroughName(name)) return { kind: "passthrough" };
    return isNormName(name) ? { kind: "norm", isCertain: false, construction: undefined } : value;
  }

  private instance(
    definition: ClassDefinition,
    construction: SyntaxNode | undefined,
    given: Arguments,
  ): Instance {
    return { kind: "instance", definition, construction, given, attributes: new Map() };
  }

  /** What the constructor of `owner` is given when `instance` is made: through super().__init__. */
  private constructorArguments(instance: Instance, owner: ClassDefinition): Arguments {
    const lineage = this.program.lineage(instance.definition);
    const withConstructor = lineage.filter((definition) => definition.constructorMethod);
    const position = withConstructor.indexOf(owner);
    if (position <= 0) return instance.given;
    const below = withConstructor[position - 1]!;
    const method = below.constructorMethod!;
    const call = superConstructorCall(method);
    if (call === undefined) return noArguments;
    return this.evaluateArguments(
      call,
      this.constructorScope(method, instance, this.constructorArguments(instance, below)),
    );
  }

  private constructorScope(
    method: FunctionDefinition,
    instance: Instance | undefined,
    given: Arguments,
  ): Scope {
    const isConstructor = method.name === "__init__" || method.owner === undefined;
    const bound = isConstructor ? given : noArguments;
    return this.scopeOf(method, instance, bound, undefined, true);
  }

  private scopeOf(
    code: FunctionDefinition,
    self: Instance | undefined,
    given: Arguments,
    outer: Scope | undefined,
    isLazy: boolean,
  ): Scope {
    const scope: Scope = {
      module: code.module,
      function: code,
      outer,
      variables: new Map(),
      returned: [],
      isLazy,
    };
    if (code.selfName !== undefined && self !== undefined) {
      scope.variables.set(code.selfName, self);
    }
    const positional = [...given.positional];
    for (const parameter of code.ownParameters) {
      const { name, kind } = parameter;
      if (kind === "variadic") {
        scope.variables.set(name, { kind: "tuple", items: positional.splice(0) });
      } else if (kind === "keywords") {
        scope.variables.set(name, nothing);
      } else {
        const value =
          given.keywords.get(name) ?? (kind === "positional" ? positional.shift() : undefined);
        const fallback = parameter.default;
        scope.variables.set(
          name,
          value ?? (fallback === undefined ? nothing : this.evaluate(fallback, scope)),
        );
      }
    }
    return scope;
  }

  private run(callable: Callable, given: Arguments): Value {
    const { code, self, scope: outer } = callable;
    if (this.running.includes(code) || this.running.length > deepestCall) {
      return opaque(given);
    }
    this.running.push(code);
    try {
      if (!(code instanceof FunctionDefinition)) return this.runLambda(code, given, outer!);
      if (code.owner !== undefined) this.classes.add(code.owner);
      if (self !== undefined) this.classes.add(self.definition);
      const scope = this.scopeOf(code, self, given, outer, false);
      this.execute(code.body, scope);
      return join(scope.returned);
    } finally {
      this.running.pop();
    }
  }

  private runLambda(lambda: SyntaxNode, given: Arguments, outer: Scope): Value {
    const scope: Scope = { ...outer, outer, variables: new Map(), returned: [], isLazy: false };
    const positional = [...given.positional];
    for (const parameter of lambda.child("parameters")?.children ?? []) {
      const name = parameter.child("name")?.text ?? parameter.text;
      scope.variables.set(name, given.keywords.get(name) ?? positional.shift() ?? nothing);
    }
    const body = lambda.child("body");
    return body === undefined ? nothing : this.evaluate(body, scope);
  }

  /** @returns false where the code after it is not reached */
  private execute(node: SyntaxNode, scope: Scope): boolean {
    switch (node.type) {
      case "block":
        return node.children.every((child) => this.execute(child, scope));
      case "return_statement": {
        const value = node.children[0];
        scope.returned.push(value === undefined ? nothing : this.evaluate(value, scope));
        return false;
      }
      case "raise_statement":
      case "break_statement":
      case "continue_statement":
        return node.type !== "raise_statement";
      case "if_statement":
        return this.executeIf(node, scope);
      case "for_statement":
        this.executeFor(node, scope);
        return true;
      case "while_statement": {
        const body = node.child("body");
        this.evaluateChild(node, "condition", scope);
        if (body !== undefined) this.branches([() => this.execute(body, scope), () => true], scope);
        return true;
      }
      case "function_definition": {
        const code = nested(node, scope);
        if (code !== undefined) {
          scope.variables.set(code.name, { kind: "callable", code, self: undefined, scope });
        }
        return true;
      }
      case "decorated_definition":
      case "class_definition":
      case "import_statement":
      case "import_from_statement":
        return true;
      case "match_statement":
      case "try_statement": {
        const bodies = [...descendants(node, (at) => at.type !== "block")].filter(
          ({ type }) => type === "block",
        );
        const ways = bodies.map((body) => () => this.execute(body, scope));
        if (node.type === "match_statement") return this.branches([...ways, () => true], scope);
        return ways.reduce((reached, way) => way() && reached, true);
      }
      case "with_statement": {
        const body = node.child("body");
        return body === undefined || this.execute(body, scope);
      }
      case "expression_statement":
        for (const child of node.children) this.evaluate(child, scope);
        return true;
      default:
        for (const child of node.children) this.evaluate(child, scope);
        return true;
    }
  }

  private executeIf(node: SyntaxNode, scope: Scope): boolean {
    this.evaluateChild(node, "condition", scope);
    const ways: (() => boolean)[] = [];
    let hasElse = false;
    for (const child of node.children) {
      if (child.field === "consequence") ways.push(() => this.execute(child, scope));
      if (child.type === "elif_clause" || child.type === "else_clause") {
        const body = child.child("consequence") ?? child.child("body");
        if (body !== undefined) ways.push(() => this.execute(body, scope));
        hasElse ||= child.type === "else_clause";
      }
    }
    if (!hasElse) ways.push(() => true);
    return this.branches(ways, scope);
  }

  /** Runs each way from the same variables and joins what they leave. */
  private branches(ways: readonly (() => boolean)[], scope: Scope): boolean {
    const before = scope.variables;
    const ends: Map<string, Value>[] = [];
    for (const way of ways) {
      scope.variables = new Map(before);
      if (way()) ends.push(scope.variables);
    }
    scope.variables = new Map(before);
    const names = new Set(ends.flatMap((end) => [...end.keys()]));
    for (const name of names) {
      scope.variables.set(name, join(ends.flatMap((end) => end.get(name) ?? [])));
    }
    return ends.length > 0;
  }

  private executeFor(node: SyntaxNode, scope: Scope): void {
    const [target, iterated, body] = [node.child("left"), node.child("right"), node.child("body")];
    if (target === undefined || iterated === undefined || body === undefined) return;
    const element = this.elementOf(iterated, scope);
    const isLayerLoop = this.stacked !== undefined && contains(element, this.stacked);
    const carried = isLayerLoop
      ? assignedNames(body).filter((name) => scope.variables.has(name))
      : [];
    for (const name of carried) {
      this.enterStack(scope.variables.get(name)!, node);
      scope.variables.set(name, tensor([`stream:${name}`]));
    }
    const round = (): boolean => {
      this.assign(target, element, scope);
      this.execute(body, scope);
      return true;
    };
    if (isLayerLoop) this.layerElements.push(element);
    const first = this.uses.length;
    this.branches(isLayerLoop ? [round] : [round, () => true], scope);
    for (const name of carried) this.loopOutputs.push(scope.variables.get(name)!);
    for (let index = first; isLayerLoop && index < this.uses.length; index++) {
      this.usesInLoops.add(index);
    }
  }

  /** What the variable of a loop over this expression stands for. */
  private elementOf(iterated: SyntaxNode, scope: Scope): Value {
    if (iterated.type === "call") {
      const name = dottedName(iterated.child("function"));
      const given = iterated.child("arguments")?.children ?? [];
      if (name === "enumerate" && given[0] !== undefined) {
        return { kind: "tuple", items: [nothing, this.elementOf(given[0], scope)] };
      }
      if (name === "zip") {
        return { kind: "tuple", items: given.map((one) => this.elementOf(one, scope)) };
      }
      if ((name === "reversed" || name === "list" || name === "iter") && given[0] !== undefined) {
        return this.elementOf(given[0], scope);
      }
      const callee = iterated.child("function");
      if (callee?.type === "attribute") {
        const method = callee.child("attribute")?.text;
        if (method === "values" || method === "children") {
          return this.elementOf(callee.child("object")!, scope);
        }
        if (method === "items" || method === "named_children") {
          const element = this.elementOf(callee.child("object")!, scope);
          return { kind: "tuple", items: [nothing, element] };
        }
      }
    }
    return join(elementsOf(this.evaluate(iterated, scope)));
  }

  private assign(target: SyntaxNode, value: Value, scope: Scope): void {
    switch (target.type) {
      case "identifier":
        scope.variables.set(target.text, value);
        return;
      case "pattern_list":
      case "tuple_pattern":
      case "list_pattern":
      case "tuple":
        target.children.forEach((part, index) => {
          this.assign(part, itemOf(value, index), scope);
        });
        return;
      case "list_splat_pattern":
      case "parenthesized_expression":
        if (target.children[0] !== undefined) this.assign(target.children[0], value, scope);
        return;
      case "attribute": {
        const object = this.evaluateChild(target, "object", scope);
        const name = target.child("attribute")?.text;
        if (object.kind === "instance" && name !== undefined && partsOf(value).size > 0) {
          object.attributes.set(name, value);
        }
        return;
      }
      default:
    }
  }

  private evaluateChild(node: SyntaxNode, field: string, scope: Scope): Value {
    const child = node.child(field);
    return child === undefined ? nothing : this.evaluate(child, scope);
  }

  private evaluate(node: SyntaxNode, scope: Scope): Value {
    switch (node.type) {
      case "identifier":
        return this.lookUp(node.text, scope);
      case "attribute":
        return this.evaluateAttribute(node, scope);
      case "call":
        return this.evaluateCall(node, scope);
      case "subscript":
        return this.evaluateSubscript(node, scope);
      case "assignment": {
        const right = node.child("right");
        if (right === undefined) return nothing;
        const value = this.evaluate(right, scope);
        const left = node.child("left");
        if (left !== undefined) this.assign(left, value, scope);
        return value;
      }
      case "augmented_assignment": {
        const [left, right] = [node.child("left"), node.child("right")];
        if (left === undefined || right === undefined) return nothing;
        const value = this.combine(node, left, right, scope);
        this.assign(left, value, scope);
        return value;
      }
      case "named_expression": {
        const value = this.evaluateChild(node, "value", scope);
        const name = node.child("name");
        if (name !== undefined) this.assign(name, value, scope);
        return value;
      }
      case "binary_operator": {
        const [left, right] = [node.child("left"), node.child("right")];
        if (left === undefined || right === undefined) return nothing;
        return this.combine(node, left, right, scope);
      }
      case "unary_operator":
      case "await":
      case "parenthesized_expression":
      case "list_splat":
      case "expression_list":
      case "tuple":
      case "list":
      case "set":
        return this.evaluateGroup(node, scope);
      case "dictionary": {
        const entries = new Map<string, Value>();
        for (const pair of node.children) {
          const value = this.evaluateChild(pair, "value", scope);
          const key = stringValue(pair.child("key"));
          entries.set(key ?? `*${entries.size}`, value);
        }
        return mapping(entries);
      }
      case "conditional_expression": {
        const [whenTrue, condition, whenFalse] = node.children;
        if (whenTrue === undefined || condition === undefined || whenFalse === undefined) {
          return nothing;
        }
        this.evaluate(condition, scope);
        return join([this.evaluate(whenTrue, scope), this.evaluate(whenFalse, scope)]);
      }
      case "boolean_operator":
        return join(
          node.children
            .filter(({ field }) => field === "left" || field === "right")
            .map((child) => this.evaluate(child, scope)),
        );
      case "lambda":
        return { kind: "callable", code: node, self: undefined, scope };
      case "list_comprehension":
      case "generator_expression":
      case "set_comprehension":
      case "dictionary_comprehension":
        return this.evaluateComprehension(node, scope);
      case "comparison_operator":
      case "not_operator":
        for (const child of node.children) this.evaluate(child, scope);
        return nothing;
      default:
        return nothing;
    }
  }

  private evaluateGroup(node: SyntaxNode, scope: Scope): Value {
    const values = node.children
      .filter(({ field }) => field !== "operator")
      .flatMap((child) => {
        const value = this.evaluate(child, scope);
        return child.type === "list_splat" && value.kind !== "tensor" ? elementsOf(value) : [value];
      });
    if (node.type === "expression_list" || node.type === "tuple") {
      return { kind: "tuple", items: values };
    }
    if (node.type === "list" || node.type === "set") return list(values);
    return join(values);
  }

  private evaluateComprehension(node: SyntaxNode, scope: Scope): Value {
    const inner: Scope = { ...scope, outer: scope, variables: new Map(), isLazy: false };
    for (const clause of node.children) {
      if (clause.type !== "for_in_clause") continue;
      const [target, iterated] = [clause.child("left"), clause.child("right")];
      if (target === undefined || iterated === undefined) continue;
      this.assign(target, this.elementOf(iterated, inner), inner);
    }
    const body = node.child("body");
    if (body === undefined) return nothing;
    return list([
      body.type === "pair" ? this.evaluateChild(body, "value", inner) : this.evaluate(body, inner),
    ]);
  }

  private lookUp(name: string, scope: Scope): Value {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      const value = at.variables.get(name);
      if (value !== undefined) return value;
      if (at.isLazy && at.function !== undefined) {
        const bindings = at.function.model.locals.filter(({ path }) => path[0] === name);
        if (bindings.length === 0) continue;
        at.variables.set(name, nothing);
        const scopeOfName = at;
        const values = bindings.map((binding) => ({
          binding,
          value: this.evaluate(binding.value, scopeOfName),
        }));
        const assigned = values.filter(
          ({ binding }) => binding.path.length === 1 && binding.how === "assigned",
        );
        const added = values.filter(
          ({ binding }) => !assigned.some((one) => one.binding === binding),
        );
        const base = join(assigned.map((one) => one.value));
        const found =
          added.length === 0
            ? base
            : list([
                ...elementsOf(base),
                ...added.flatMap((one) =>
                  one.binding.how === "extended" ? elementsOf(one.value) : [one.value],
                ),
              ]);
        at.variables.set(name, found);
        return found;
      }
    }
    const found = this.program.resolve(name, scope.module);
    if (found instanceof ClassDefinition) return { kind: "class", definition: found };
    if (found instanceof FunctionDefinition) {
      return { kind: "callable", code: found, self: undefined, scope: undefined };
    }
    return { kind: "foreign", name: found ?? name };
  }

  private evaluateAttribute(node: SyntaxNode, scope: Scope): Value {
    const name = node.child("attribute")?.text;
    if (name === undefined) return nothing;
    return this.attribute(this.evaluateChild(node, "object", scope), name, node, scope);
  }

  private attribute(object: Value, name: string, node: SyntaxNode, scope: Scope): Value {
    switch (object.kind) {
      case "instance": {
        if (name === "__call__") return object;
        const method = this.program.method(object.definition, name);
        if (method !== undefined) {
          if (method.decorators.includes("property")) {
            return this.run(
              { kind: "callable", code: method, self: object, scope: undefined },
              noArguments,
            );
          }
          return { kind: "callable", code: method, self: object, scope: undefined };
        }
        return this.attributeOf(object, name);
      }
      case "inherited": {
        const lineage = this.program.lineage(object.instance.definition);
        const above = lineage.slice(lineage.indexOf(object.from) + 1);
        const method = above.map(({ methods }) => methods.get(name)).find((found) => found);
        if (method === undefined) return { kind: "foreign", name: `super.${name}` };
        return { kind: "callable", code: method, self: object.instance, scope: undefined };
      }
      case "container":
        return object.entries.get(name) ?? nothing;
      case "foreign": {
        const dotted = `${object.name}.${name}`;
        const written = dottedName(node);
        const found =
          written === undefined ? undefined : this.program.resolve(written, scope.module);
        if (found instanceof ClassDefinition) return { kind: "class", definition: found };
        if (found instanceof FunctionDefinition) {
          return { kind: "callable", code: found, self: undefined, scope: undefined };
        }
        return { kind: "foreign", name: dotted };
      }
      case "tensor":
        return passthroughAttributes.has(name) ? object : nothing;
      case "choice":
        return join(object.options.map((option) => this.attribute(option, name, node, scope)));
      case "norm":
        if (name === "__call__" || name === "forward") return object;
        // self.norm.weight.dtype only asks.
        if (/^(dtype|device|shape)$/.test(node.parent?.child("attribute")?.text ?? ""))
          return nothing;
        if (object.isCertain) this.escapes.push(node);
        return nothing;
      case "class": {
        const method = this.program.method(object.definition, name);
        if (method === undefined) return nothing;
        return { kind: "callable", code: method, self: undefined, scope: undefined };
      }
      case "tuple":
      case "passthrough":
      case "callable":
        return nothing;
    }
  }

  private evaluateSubscript(node: SyntaxNode, scope: Scope): Value {
    const value = this.evaluateChild(node, "value", scope);
    const subscripts = node.children.filter(({ field }) => field === "subscript");
    for (const subscript of subscripts) this.evaluate(subscript, scope);
    const [only] = subscripts;
    if (only === undefined) return value;
    if (only.type === "slice") return value;
    const index = only.type === "integer" ? Number(only.text) : undefined;
    if (value.kind === "tensor") return value;
    if (value.kind === "container") {
      const name = stringValue(only);
      if (name !== undefined) return value.entries.get(name) ?? join(value.elements);
      return value.elements[index ?? -1] ?? join(value.elements);
    }
    if (value.kind === "tuple" || value.kind === "choice") {
      return index === undefined ? join(elementsOf(value)) : itemOf(value, index);
    }
    return nothing;
  }

  /** a + b is a sum of both; a · b keeps the parts that one of them brings; a @ b is a branch. */
  private combine(
    node: SyntaxNode,
    leftNode: SyntaxNode,
    rightNode: SyntaxNode,
    scope: Scope,
  ): Value {
    const left = this.evaluate(leftNode, scope);
    const right = this.evaluate(rightNode, scope);
    const operator = node.child("operator")?.text.replace(/=$/, "") ?? "";
    if (operator === "+" && (isSequence(left) || isSequence(right))) {
      const items = [...elementsOf(left), ...elementsOf(right)];
      return left.kind === "tuple" || right.kind === "tuple"
        ? { kind: "tuple", items }
        : list(items);
    }
    const parts = new Set([...partsOf(left), ...partsOf(right)]);
    if (operator === "*" || operator === "/") {
      this.noticeScale(left, rightNode, scope);
      this.noticeScale(right, leftNode, scope);
      return tensor(parts);
    }
    if (operator === "+" || operator === "-") return tensor(parts);
    return tensor(parts.size === 0 ? [] : ["branch"]);
  }

  private noticeScale(value: Value, factor: SyntaxNode, scope: Scope): void {
    const parts = [...partsOf(value)];
    const [part] = parts;
    if (parts.length !== 1 || !part?.startsWith("norm:")) return;
    if (growsWithDepth(this.textBehind(factor, scope)))
      this.uses[Number(part.slice(5))]!.isScaled = true;
  }

  /** An expression with the text of what its attributes were given. */
  private textBehind(node: SyntaxNode, scope: Scope): string {
    const texts = [node.text];
    for (const at of descendants(node)) {
      if (at.type !== "attribute") continue;
      const object = this.evaluateChild(at, "object", scope);
      if (object.kind !== "instance") continue;
      const name = at.child("attribute")?.text;
      for (const owner of this.program.lineage(object.definition)) {
        for (const { path, value } of owner.attributes) {
          if (path.length === 1 && path[0] === name) texts.push(value.text);
        }
        texts.push(...bufferNamed(name, owner));
      }
    }
    return texts.join("\n");
  }

  private evaluateArguments(call: SyntaxNode, scope: Scope): Arguments {
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    const listed = call.child("arguments");
    const nodes = listed?.type === "generator_expression" ? [listed] : (listed?.children ?? []);
    for (const node of nodes) {
      if (node.type === "keyword_argument") {
        const name = node.child("name")?.text;
        if (name !== undefined) keywords.set(name, this.evaluateChild(node, "value", scope));
      } else if (node.type === "list_splat") {
        const value =
          node.children[0] === undefined ? nothing : this.evaluate(node.children[0], scope);
        positional.push(...(isSequence(value) ? elementsOf(value) : [value]));
      } else if (node.type === "dictionary_splat") {
        if (node.children[0] !== undefined) this.evaluate(node.children[0], scope);
      } else {
        positional.push(this.evaluate(node, scope));
      }
    }
    return { positional, keywords };
  }

  private evaluateCall(node: SyntaxNode, scope: Scope): Value {
    const callee = node.child("function");
    if (callee === undefined) return nothing;
    if (callee.type === "attribute") {
      const object = this.evaluateChild(callee, "object", scope);
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
    const value = this.evaluate(callee, scope);
    const given = this.evaluateArguments(node, scope);
    return this.call(value, given, node, scope);
  }

  private selfOf(scope: Scope): Instance | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      const name = at.function?.selfName;
      const value = name === undefined ? undefined : at.variables.get(name);
      if (value?.kind === "instance") return value;
    }
    return undefined;
  }

  private call(callee: Value, given: Arguments, node: SyntaxNode, scope: Scope): Value {
    switch (callee.kind) {
      case "norm":
        return this.applyNorm(given, node, scope);
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
            return this.applyNorm(given, node, scope);
          }
        }
        return this.run(callee, given);
      }
      case "class":
        return this.construct(callee.definition, given, node);
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

  private construct(definition: ClassDefinition, given: Arguments, node: SyntaxNode): Value {
    if (this.isNormClass(definition)) return { kind: "norm", isCertain: true, construction: node };
    if (isPassthroughClassName(definition.name)) return { kind: "passthrough" };
    return this.instance(definition, node, given);
  }

  /** A norm by name or base, unless it calls modules other than norms: then it wraps something. */
  private isNormClass(definition: ClassDefinition): boolean {
    const bases = this.program.foreignBases(definition);
    if (bases.some(isNormClassName)) return true;
    if (!isNormClassName(definition.name)) return false;
    const forward = this.program.method(definition, "forward");
    if (forward === undefined) return true;
    const self = forward.selfName;
    const methods = new Set(
      this.program.lineage(definition).flatMap((one) => [...one.methods.keys()]),
    );
    return [...descendants(forward.body)].every((at) => {
      if (at.type !== "call") return true;
      const callee = at.child("function");
      if (callee?.type !== "attribute" || callee.child("object")?.text !== self) return true;
      const name = callee.child("attribute")!.text;
      return methods.has(name) || isNormName(name);
    });
  }

  private callInstance(
    instance: Instance,
    given: Arguments,
    node: SyntaxNode,
    scope: Scope,
  ): Value {
    const { definition } = instance;
    const method =
      this.program.method(definition, "forward") ?? this.program.method(definition, "__call__");
    if (method !== undefined) {
      return this.run({ kind: "callable", code: method, self: instance, scope: undefined }, given);
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
    if (this.stacked !== undefined && contains(container, this.stacked)) {
      this.enterStack(value, at);
      return tensor(["stream:sequence"]);
    }
    const callee = at.child("function");
    const isItself = callee?.type === "attribute" && this.evaluate(callee, scope) === container;
    container.elements.forEach((element, index) => {
      const next: Arguments = { positional: [value], keywords: new Map() };
      if (element.kind !== "norm") {
        value = this.call(element, next, at, scope);
      } else if (index === 0 && isItself && at.child("arguments")?.children.length === 1) {
        value = this.applyNorm(next, at, scope, "first");
      } else {
        value = this.applyNorm(next, element.construction ?? at, scope, "unreachable");
      }
    });
    return value;
  }

  /** Layers that follow layers on one residual stream count on; their indices do not start at 0. */
  private enterStack(value: Value, at: SyntaxNode): void {
    if ([...partsOf(value)].some((part) => part.startsWith("stream:"))) this.continued.push(at);
  }

  private applyNorm(
    given: Arguments,
    node: SyntaxNode,
    scope: Scope,
    application: NormUse["application"] = "call",
  ): Value {
    const [input = nothing, ...others] = [...given.positional, ...given.keywords.values()];
    const isFused = others.some((other) => partsOf(other).size > 0);
    if (isFused || (application === "call" && isTakenApart(node))) this.escapes.push(node);
    const index = this.uses.length;
    this.uses.push({
      node,
      module: scope.module,
      inputs: partsOf(input),
      isSumLost: isSum(node.child("arguments")?.children[0]),
      application,
      isScaled: false,
    });
    return tensor([`norm:${index}`]);
  }

  private tensorMethod(object: Value, method: string, node: SyntaxNode, scope: Scope): Value {
    const given = this.evaluateArguments(node, scope);
    const parts = partsOf(object);
    if (addingMethods.has(method)) return tensor([...parts, ...allParts(given)]);
    if (/^(mul|div)_?$/.test(method)) {
      const factor = node.child("arguments")?.children[0];
      if (factor !== undefined) this.noticeScale(object, factor, scope);
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
    if (!isCheckpoint(name) && last !== "getattr" && parts.size > 0) this.noticeEscape(given, node);
    if (isNormFunctionName(name) && parts.size > 0) return this.applyNorm(given, node, scope);
    if (parts.size === 0) {
      if (isNormClassName(name)) return { kind: "norm", isCertain: true, construction: node };
      if (isPassthroughClassName(name)) return { kind: "passthrough" };
      switch (last) {
        case "Sequential":
          return { ...container(given), isSequential: true };
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
        /(^|_)(build|make|get|create)_?\w*norm|norm(_?(layer|cls|class|fn|type|module|builder))?$/i.test(
          last,
        )
      ) {
        return { kind: "norm", isCertain: false, construction: node };
      }
    }
    if (last === "getattr") {
      const key = stringValue(node.child("arguments")?.children[1]);
      if (key !== undefined && first !== undefined) return this.attribute(first, key, node, scope);
      // getattr(torch, config.dtype) is no part of the model.
      if (first?.kind === "foreign" && !/(^|\.)(nn|functional|F)$/.test(first.name)) return nothing;
      this.lookups.push(node);
      return nothing;
    }
    if (/^(compile|cast|disable|allow_in_graph)$/.test(last) && given.positional.length > 0) {
      return given.positional.at(-1)!;
    }
    if (isCheckpoint(name) && first !== undefined) {
      return this.call(first, { positional: rest, keywords: new Map() }, node, scope);
    }
    if ((name === "super.forward" || name === "super.__call__") && this.mayApplyNorms(scope)) {
      throw new Refusal(
        "framework-code",
        `super().forward(…) applies the norms in ${this.foreignBase(scope)}, whose code is not here.`,
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

  /** PyTorch's plain modules apply no norms; its layers do, and so may the layers of other libraries. */
  private mayApplyNorms(scope: Scope): boolean {
    const owner = scope.function?.owner;
    const bases = owner === undefined ? [] : this.program.foreignBases(owner);
    return !bases.every(
      (base) => base.startsWith("torch.nn.") && !frameworkLayers.has(base.split(".").at(-1)!),
    );
  }

  private foreignBase(scope: Scope): string {
    const owner = scope.function?.owner;
    return (owner && this.program.foreignBases(owner)[0]) ?? "the base class";
  }

  /** A norm that is handed to code that is not here may be applied there. */
  private noticeEscape({ positional, keywords }: Arguments, node: SyntaxNode): void {
    const isNorm = (value: Value): boolean => value.kind === "norm" && value.isCertain;
    const values = [...positional, ...keywords.values()];
    if (values.some((value) => contains(value, isNorm))) this.escapes.push(node);
  }

  private callUnknown(given: Arguments, node: SyntaxNode, scope: Scope): Value {
    this.noticeEscape(given, node);
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
}

/** The constructor call of the base class in a constructor. */
export function superConstructorCall(method: FunctionDefinition): SyntaxNode | undefined {
  return [...descendants(method.body)].find((node) => {
    if (node.type !== "call") return false;
    const callee = node.child("function");
    if (callee?.type !== "attribute" || callee.child("attribute")?.text !== "__init__")
      return false;
    const object = callee.child("object");
    return object?.type === "call" && object.child("function")?.text === "super";
  });
}

/** What register_buffer is given for a name. */
function bufferNamed(name: string | undefined, { body }: ClassDefinition): string[] {
  return [...descendants(body)].flatMap((node) => {
    if (node.type !== "call") return [];
    if (!node.child("function")?.text.endsWith(".register_buffer")) return [];
    const [key, value] = node.child("arguments")?.children ?? [];
    return stringValue(key) === name && value !== undefined ? [value.text] : [];
  });
}

/** 1/√(index + 1) as it is usually written, wherever it stands. */
export function isScalingFactor(text: string): boolean {
  const index = "(self\\.)?\\w*(layer|block|depth|idx|index)\\w*|[il]";
  const root = `sqrt\\(\\s*(${index})\\s*\\+\\s*1(\\.0?)?\\s*\\)`;
  const power = `\\(\\s*(${index})\\s*\\+\\s*1(\\.0?)?\\s*\\)\\s*\\*\\*\\s*\\(?-\\s*0?\\.5`;
  return new RegExp(`/\\s*(\\w+\\.)?${root}|${power}`, "i").test(text);
}

/** Expressions such as 1 / math.sqrt(layer_idx + 1), whatever their names. */
export function growsWithDepth(text: string): boolean {
  const mentionsDepth = /layer|block|depth|idx|index|\bl\b|\bi\b/i.test(text);
  return mentionsDepth && /sqrt|\*\*\s*\(?-?\s*(0?\.5|1\s*\/\s*2)|pow\(/.test(text);
}

/** A function inside a function, which sees the variables around it. */
function nested(node: SyntaxNode, { module }: Scope): FunctionDefinition | undefined {
  const model = readFunction(node);
  return model && new FunctionDefinition(module, model, undefined);
}

function isSum(node: SyntaxNode | undefined): boolean {
  return node?.type === "binary_operator" && node.child("operator")?.text === "+";
}

/** A norm that gives several things, or adds a residual itself, gives nothing to multiply. */
function isTakenApart(node: SyntaxNode): boolean {
  const { parent } = node;
  if (parent?.type === "subscript" && node.field === "value") {
    return parent.child("subscript")?.type === "integer";
  }
  const left = parent?.type === "assignment" ? parent.child("left") : undefined;
  return left !== undefined && /^(pattern_list|tuple_pattern|list_pattern)$/.test(left.type);
}

function opaque(given: Arguments): Value {
  return allParts(given).size === 0 ? nothing : tensor(["branch"]);
}

function allParts({ positional, keywords }: Arguments): Set<Part> {
  return new Set([...positional, ...keywords.values()].flatMap((value) => [...partsOf(value)]));
}

function list(elements: readonly Value[]): Container {
  return { kind: "container", isSequential: false, elements, entries: new Map() };
}

function mapping(entries: ReadonlyMap<string, Value>): Container {
  return { kind: "container", isSequential: false, elements: [...entries.values()], entries };
}

/** What nn.Sequential is given: its elements, or one dictionary of them. */
function container({ positional }: Arguments): Container {
  const [only] = positional;
  if (positional.length === 1 && only?.kind === "container" && only.entries.size > 0) return only;
  return list(positional);
}

function isSequence(value: Value): boolean {
  return value.kind === "tuple" || value.kind === "container";
}

function elementsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case "tuple":
      return value.items;
    case "container":
      return value.elements;
    case "choice":
      return value.options.flatMap(elementsOf);
    case "tensor":
      return value.parts.size === 0 ? [] : [value];
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return [];
  }
}

function itemOf(value: Value, index: number): Value {
  switch (value.kind) {
    case "tuple":
      return value.items.at(index) ?? nothing;
    case "container":
      return value.elements[index] ?? join(value.elements);
    case "choice":
      return join(value.options.map((option) => itemOf(option, index)));
    case "tensor":
      return value;
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return nothing;
  }
}

/** True for a value that is such or holds one. */
export function contains(value: Value, is: (value: Value) => boolean): boolean {
  if (is(value)) return true;
  switch (value.kind) {
    case "tuple":
      return value.items.some((item) => contains(item, is));
    case "container":
      return value.elements.some((element) => contains(element, is));
    case "choice":
      return value.options.some((option) => contains(option, is));
    case "tensor":
    case "norm":
    case "instance":
    case "passthrough":
    case "callable":
    case "class":
    case "inherited":
    case "foreign":
      return false;
  }
}

function assignedNames(body: SyntaxNode): string[] {
  const names = new Set<string>();
  for (const node of descendants(body)) {
    if (node.type !== "assignment" && node.type !== "augmented_assignment") continue;
    const left = node.child("left");
    for (const target of left === undefined ? [] : descendants(left)) {
      if (target.type === "identifier") names.add(target.text);
    }
  }
  return [...names];
}
