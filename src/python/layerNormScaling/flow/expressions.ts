import type { SyntaxNode } from "../../syntax";
import { descendants, dottedName, stringValue } from "../../syntax";
import { passthroughAttributes } from "../names";
import { ClassDefinition, FunctionDefinition } from "../program";
import { growsWithDepth } from "../scalingFactors";
import type { Flow } from "./flow";
import type { Scope, Value } from "./values";
import {
  elementsOf,
  isSequence,
  itemOf,
  join,
  list,
  mapping,
  noArguments,
  nothing,
  partsOf,
  tensor,
} from "./values";

/** What expressions stand for. */
export class Expressions {
  constructor(private readonly flow: Flow) {}

  evaluate(node: SyntaxNode, scope: Scope): Value {
    switch (node.type) {
      case "identifier":
        return this.lookUp(node.text, scope);
      case "attribute":
        return this.evaluateAttribute(node, scope);
      case "call":
        return this.flow.calls.evaluateCall(node, scope);
      case "subscript":
        return this.evaluateSubscript(node, scope);
      case "assignment": {
        const right = node.child("right");
        if (right === undefined) return nothing;
        const value = this.evaluate(right, scope);
        const left = node.child("left");
        if (left !== undefined) this.flow.statements.assign(left, value, scope);
        return value;
      }
      case "augmented_assignment": {
        const [left, right] = [node.child("left"), node.child("right")];
        if (left === undefined || right === undefined) return nothing;
        const value = this.combine(node, left, right, scope);
        this.flow.statements.assign(left, value, scope);
        return value;
      }
      case "named_expression": {
        const value = this.evaluateChild(node, "value", scope);
        const name = node.child("name");
        if (name !== undefined) this.flow.statements.assign(name, value, scope);
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

  evaluateChild(node: SyntaxNode, field: string, scope: Scope): Value {
    const child = node.child(field);
    return child === undefined ? nothing : this.evaluate(child, scope);
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
      this.flow.statements.assign(target, this.flow.statements.elementOf(iterated, inner), inner);
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
    const found = this.flow.program.resolve(name, scope.module);
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

  attribute(object: Value, name: string, node: SyntaxNode, scope: Scope): Value {
    switch (object.kind) {
      case "instance": {
        if (name === "__call__") return object;
        const method = this.flow.program.method(object.definition, name);
        if (method !== undefined) {
          if (method.decorators.includes("property")) {
            return this.flow.statements.run(
              { kind: "callable", code: method, self: object, scope: undefined },
              noArguments,
            );
          }
          return { kind: "callable", code: method, self: object, scope: undefined };
        }
        return this.flow.objects.attributeOf(object, name);
      }
      case "inherited": {
        const lineage = this.flow.program.lineage(object.instance.definition);
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
          written === undefined ? undefined : this.flow.program.resolve(written, scope.module);
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
        if (object.isCertain) this.flow.sightings.escapes.push(node);
        return nothing;
      case "class": {
        const method = this.flow.program.method(object.definition, name);
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

  noticeScale(value: Value, factor: SyntaxNode, scope: Scope): void {
    const parts = [...partsOf(value)];
    const [part] = parts;
    if (parts.length !== 1 || !part?.startsWith("norm:")) return;
    if (growsWithDepth(this.textBehind(factor, scope)))
      this.flow.sightings.uses[Number(part.slice(5))]!.isScaled = true;
  }

  /** An expression with the text of what its attributes were given. */
  private textBehind(node: SyntaxNode, scope: Scope): string {
    const texts = [node.text];
    for (const at of descendants(node)) {
      if (at.type !== "attribute") continue;
      const object = this.evaluateChild(at, "object", scope);
      if (object.kind !== "instance") continue;
      const name = at.child("attribute")?.text;
      for (const owner of this.flow.program.lineage(object.definition)) {
        for (const { path, value } of owner.attributes) {
          if (path.length === 1 && path[0] === name) texts.push(value.text);
        }
        texts.push(...bufferNamed(name, owner));
      }
    }
    return texts.join("\n");
  }
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
