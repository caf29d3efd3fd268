import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants } from "../syntax";
import type { CopiesOf } from "./copies";
import { scaleCopies } from "./copies";
import type { EditList } from "./edits";
import { addConstructor, addStatement, multiply, multiplyFirst } from "./edits";
import { IndexPlan } from "./indices";
import { layerNumber } from "./layerIndex";
import { scaleName } from "./names";
import { Refusal, type ScalingWarning } from "./outcome";
import type { PlacedNorm } from "./placement";
import type { ClassDefinition, ModuleFile } from "./program";
import { superConstructorCall } from "./program";
import type { Model } from "./model";
import { attributeOf, checkSyntax, lineOf } from "./nodes";
import type { ScaledClass } from "./placement";

/** Writes the factors, and what it takes to know them. */
export class Writing {
  constructor(
    private readonly model: Model,
    private readonly scaled: readonly ScaledClass[],
    private readonly edits: EditList,
    /** Gets what a person should know of what is written. */
    private readonly warnings: ScalingWarning[],
  ) {}

  write(): void {
    const plan = new IndexPlan(
      this.model.program,
      this.model.constructions,
      this.model.stacks,
      this.model.copies,
      this.edits,
      this.warnings,
    );
    const copied = new Map<ClassDefinition, CopiesOf[]>();
    for (const { definition, norms } of this.scaled) {
      checkSyntax(definition);
      if (/@(\w+\.)*dataclass/.test(definition.node.parent?.text.slice(0, 200) ?? "")) {
        throw new Refusal(
          "unclear-construction",
          t("{0} is a dataclass, whose constructor is not written out.", definition.name),
        );
      }
      if (
        this.model.program.lineage(definition).some((one) => one.module.isDefinedTwice(one.name))
      ) {
        throw new Refusal("unclear-construction", t("{0} is defined twice.", definition.name));
      }
      for (const { node, module, application } of norms) {
        const scale = `${this.selfAround(node)}.${scaleName}`;
        const write = application === "first" ? multiplyFirst : multiply;
        write(this.edits, module, node, scale);
      }
      const stacks = this.model.copies.stacksOf(definition);
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
      throw new Refusal("unclear-norm", t("{0} stands in a method without self.", lineOf(node)));
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
      throw new Refusal(
        "unclear-construction",
        t("The constructor of {0} is empty.", definition.name),
      );
    }
    addStatement(this.edits, module, constructor.body, place, [statement]);
  }
}

/** 1/√ℓ as a Python float; math is used where it is there already. */
function factor(number: string, module: ModuleFile): string {
  if (module.qualified("math") === "math" && /^import math\b/m.test(module.text)) {
    return `1.0 / math.sqrt(${number})`;
  }
  return /^\w+$/.test(number) ? `${number} ** -0.5` : `(${number}) ** -0.5`;
}
