import { readFunction } from "../../module";
import type { SyntaxNode } from "../../syntax";
import { descendants, dottedName } from "../../syntax";
import { FunctionDefinition } from "../program";
import type { Flow } from "./flow";
import type { Arguments, Callable, Scope, Value } from "./values";
import { contains, elementsOf, itemOf, join, nothing, opaque, partsOf, tensor } from "./values";

const deepestCall = 24;

/** Runs functions statement by statement, every branch of them. */
export class Statements {
  private readonly running: (FunctionDefinition | SyntaxNode)[] = [];

  constructor(private readonly flow: Flow) {}

  run(callable: Callable, given: Arguments): Value {
    const { code, self, scope: outer } = callable;
    if (this.running.includes(code) || this.running.length > deepestCall) {
      return opaque(given);
    }
    this.running.push(code);
    try {
      if (!(code instanceof FunctionDefinition)) return this.runLambda(code, given, outer!);
      if (code.owner !== undefined) this.flow.sightings.classes.add(code.owner);
      if (self !== undefined) this.flow.sightings.classes.add(self.definition);
      const scope = this.flow.objects.scopeOf(code, self, given, outer, false);
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
    return body === undefined ? nothing : this.flow.expressions.evaluate(body, scope);
  }

  /** @returns false where the code after it is not reached */
  private execute(node: SyntaxNode, scope: Scope): boolean {
    switch (node.type) {
      case "block":
        return node.children.every((child) => this.execute(child, scope));
      case "return_statement": {
        const value = node.children[0];
        scope.returned.push(
          value === undefined ? nothing : this.flow.expressions.evaluate(value, scope),
        );
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
        this.flow.expressions.evaluateChild(node, "condition", scope);
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
        for (const child of node.children) this.flow.expressions.evaluate(child, scope);
        return true;
      default:
        for (const child of node.children) this.flow.expressions.evaluate(child, scope);
        return true;
    }
  }

  private executeIf(node: SyntaxNode, scope: Scope): boolean {
    this.flow.expressions.evaluateChild(node, "condition", scope);
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
    const isLayerLoop =
      this.flow.sightings.stacked !== undefined && contains(element, this.flow.sightings.stacked);
    const carried = isLayerLoop
      ? assignedNames(body).filter((name) => scope.variables.has(name))
      : [];
    for (const name of carried) {
      this.flow.sightings.enterStack(scope.variables.get(name)!, node);
      scope.variables.set(name, tensor([`stream:${name}`]));
    }
    const round = (): boolean => {
      this.assign(target, element, scope);
      this.execute(body, scope);
      return true;
    };
    if (isLayerLoop) this.flow.sightings.layerElements.push(element);
    const first = this.flow.sightings.uses.length;
    this.branches(isLayerLoop ? [round] : [round, () => true], scope);
    for (const name of carried) this.flow.sightings.loopOutputs.push(scope.variables.get(name)!);
    for (let index = first; isLayerLoop && index < this.flow.sightings.uses.length; index++) {
      this.flow.sightings.usesInLoops.add(index);
    }
  }

  /** What the variable of a loop over this expression stands for. */
  elementOf(iterated: SyntaxNode, scope: Scope): Value {
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
    return join(elementsOf(this.flow.expressions.evaluate(iterated, scope)));
  }

  assign(target: SyntaxNode, value: Value, scope: Scope): void {
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
        const object = this.flow.expressions.evaluateChild(target, "object", scope);
        const name = target.child("attribute")?.text;
        if (object.kind === "instance" && name !== undefined && partsOf(value).size > 0) {
          object.attributes.set(name, value);
        }
        return;
      }
      default:
    }
  }
}

/** A function inside a function, which sees the variables around it. */
function nested(node: SyntaxNode, { module }: Scope): FunctionDefinition | undefined {
  const model = readFunction(node);
  return model && new FunctionDefinition(module, model, undefined);
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
