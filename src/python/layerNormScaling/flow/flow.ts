import type { SyntaxNode } from "../../syntax";
import type { Program } from "../program";
import type { ClassDefinition, FunctionDefinition } from "../program";
import { Calls } from "./calls";
import { Expressions } from "./expressions";
import { Objects } from "./objects";
import type { LayerFlow } from "./sightings";
import { Sightings } from "./sightings";
import { Statements } from "./statements";
import type { Instance, Value } from "./values";
import { firstOf, noArguments, partsOf, tensor } from "./values";

/**
 * Follows the residual stream through a layer without running it: an abstract interpretation of
 * `forward` and of whatever code of these files it calls. Unknown calls give a branch.
 */
export class Flow {
  readonly sightings = new Sightings();
  readonly objects = new Objects(this);
  readonly statements = new Statements(this);
  readonly expressions = new Expressions(this);
  readonly calls = new Calls(this);

  constructor(readonly program: Program) {}

  /** The way through a method whose arguments are streams. */
  through(instance: Instance, method = "forward"): LayerFlow | undefined {
    const code = this.program.method(instance.definition, method);
    if (code === undefined) return undefined;
    const streams = new Map<string, Value>(
      code.ownParameters
        .filter(({ kind }) => kind === "positional" || kind === "keywordOnly")
        .map(({ name }) => [name, tensor([`stream:${name}`])]),
    );
    const value = this.statements.run(
      { kind: "callable", code, self: instance, scope: undefined },
      { positional: [], keywords: streams },
    );
    return this.sightings.result(partsOf(firstOf(value)));
  }

  /** The way through one round of the loops of `host` over containers whose elements are such. */
  throughLoops(host: ClassDefinition, isElement: (value: Value) => boolean): LayerFlow {
    const instance = this.objects.instance(host, undefined, noArguments);
    this.sightings.stacked = isElement;
    for (const method of host.methods.values()) {
      if (method.name === "__init__") continue;
      this.statements.run(
        { kind: "callable", code: method, self: instance, scope: undefined },
        noArguments,
      );
    }
    return this.sightings.result(
      new Set(this.sightings.loopOutputs.flatMap((value) => [...partsOf(firstOf(value))])),
    );
  }

  /** What an expression in a constructor makes. */
  constructed(node: SyntaxNode, method: FunctionDefinition): Value {
    const owner = method.owner;
    const instance = owner && this.objects.instance(owner, undefined, noArguments);
    return this.expressions.evaluate(
      node,
      this.objects.constructorScope(method, instance, noArguments),
    );
  }
}
