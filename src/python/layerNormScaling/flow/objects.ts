import type { SyntaxNode } from "../../syntax";
import { descendants } from "../../syntax";
import {
  frameworkLayers,
  isNormClassName,
  isNormName,
  isPassthroughClassName,
  isPassthroughName,
} from "../names";
import type { ClassDefinition, FunctionDefinition } from "../program";
import { superConstructorCall } from "../program";
import type { Flow } from "./flow";
import type { Arguments, Container, Instance, Scope, Value } from "./values";
import { elementsOf, join, noArguments, nothing } from "./values";

/** What the constructors of these files make: objects, with what their attributes stand for. */
export class Objects {
  constructor(private readonly flow: Flow) {}

  attributeOf(instance: Instance, name: string): Value {
    const known = instance.attributes.get(name);
    if (known !== undefined) return known;
    instance.attributes.set(name, nothing);
    const found = this.findAttribute(instance, name);
    instance.attributes.set(name, found);
    return found;
  }

  private findAttribute(instance: Instance, name: string): Value {
    const values: Value[] = [];
    const added: Value[] = [];
    for (const owner of this.flow.program.lineage(instance.definition)) {
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
        const value = this.flow.expressions.evaluate(binding.value, scope);
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
    const inherited = this.flow.program
      .foreignBases(instance.definition)
      .flatMap((base) => frameworkLayers.get(base.split(".").at(-1)!) ?? []);
    if (inherited.includes(name)) return { kind: "norm", isCertain: true, construction: undefined };
    if (isPassthroughName(name)) return { kind: "passthrough" };
    return isNormName(name) ? { kind: "norm", isCertain: false, construction: undefined } : value;
  }

  instance(
    definition: ClassDefinition,
    construction: SyntaxNode | undefined,
    given: Arguments,
  ): Instance {
    return { kind: "instance", definition, construction, given, attributes: new Map() };
  }

  /** What the constructor of `owner` is given when `instance` is made: through super().__init__. */
  private constructorArguments(instance: Instance, owner: ClassDefinition): Arguments {
    const lineage = this.flow.program.lineage(instance.definition);
    const withConstructor = lineage.filter((definition) => definition.constructorMethod);
    const position = withConstructor.indexOf(owner);
    if (position <= 0) return instance.given;
    const below = withConstructor[position - 1]!;
    const method = below.constructorMethod!;
    const call = superConstructorCall(method);
    if (call === undefined) return noArguments;
    return this.flow.calls.evaluateArguments(
      call,
      this.constructorScope(method, instance, this.constructorArguments(instance, below)),
    );
  }

  constructorScope(
    method: FunctionDefinition,
    instance: Instance | undefined,
    given: Arguments,
  ): Scope {
    const isConstructor = method.name === "__init__" || method.owner === undefined;
    const bound = isConstructor ? given : noArguments;
    return this.scopeOf(method, instance, bound, undefined, true);
  }

  scopeOf(
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
          value ??
            (fallback === undefined ? nothing : this.flow.expressions.evaluate(fallback, scope)),
        );
      }
    }
    return scope;
  }

  construct(definition: ClassDefinition, given: Arguments, node: SyntaxNode): Value {
    if (this.isNormClass(definition)) return { kind: "norm", isCertain: true, construction: node };
    if (isPassthroughClassName(definition.name)) return { kind: "passthrough" };
    return this.instance(definition, node, given);
  }

  /** A norm by name or base, unless it calls modules other than norms: then it wraps something. */
  private isNormClass(definition: ClassDefinition): boolean {
    const bases = this.flow.program.foreignBases(definition);
    if (bases.some(isNormClassName)) return true;
    if (!isNormClassName(definition.name)) return false;
    const forward = this.flow.program.method(definition, "forward");
    if (forward === undefined) return true;
    const self = forward.selfName;
    const methods = new Set(
      this.flow.program.lineage(definition).flatMap((one) => [...one.methods.keys()]),
    );
    return [...descendants(forward.body)].every((at) => {
      if (at.type !== "call") return true;
      const callee = at.child("function");
      if (callee?.type !== "attribute" || callee.child("object")?.text !== self) return true;
      const name = callee.child("attribute")!.text;
      return methods.has(name) || isNormName(name);
    });
  }
}
