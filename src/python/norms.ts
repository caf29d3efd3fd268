import { lastName, membersOf } from "./members";
import type { PythonClass, PythonFunction, PythonModule } from "./module";
import { classNamed, partialOf, qualifiedName } from "./module";
import type { SyntaxNode } from "./syntax";
import { dottedName } from "./syntax";

/** What a norm takes out: the mean and the variance, the root mean square, or it is not known. */
export type NormKind = "layer" | "rms" | "unknown";

export interface NormName {
  readonly kind: NormKind;
  /** What the name stands for: `torch.nn.LayerNorm`. */
  readonly qualified: string;
}

/**
 * The norm that a name stands for where it is called: a class whose name ends in Norm or
 * Normalization, a class of the file that has a norm as its base, or a parameter or local name that
 * holds one, but for those of otherNorms.
 *
 * @param scope the function around the call
 */
export function normNamed(
  module: PythonModule,
  callee: string,
  scope: PythonFunction | undefined,
): NormName | undefined {
  const qualified = qualifiedName(module, callee);
  const name = lastName(qualified);
  // `LayerNorm.build(config)` and `RMSNorm.Config(…).build()`
  const made = makers.has(name) ? lastName(qualified.slice(0, -name.length - 1)) : name;
  const own = classNamed(module, made);
  if (own !== undefined) return isNormClass(module, own) ? normOf(made, qualified) : undefined;
  if (isNormClassName(made) && !qualified.startsWith("keras.layers.Normalization")) {
    return normOf(made, qualified);
  }
  for (const held of heldBy(scope, callee)) {
    const norm = normNamed(module, held, undefined);
    if (norm !== undefined) return norm;
  }
  return undefined;
}

/** The function that normalises where it is called: `F.layer_norm`, `torch.rms_norm`. */
export function normFunctionNamed(module: PythonModule, callee: string): NormName | undefined {
  const qualified = qualifiedName(module, callee);
  const name = lastName(qualified);
  return /^_*(?:fused_|fast_)?(?:layer|rms)_?norm(?:alization)?$/.test(name)
    ? normOf(name, qualified)
    : undefined;
}

/**
 * True for a lower-case name that makes a norm where an object gets the result as its part:
 * `norm_layer(size)`, `config.norm_class(size)`, `build_norm(config)`.
 */
export function isNormFactory(module: PythonModule, callee: string): boolean {
  const qualified = qualifiedName(module, callee);
  const name = lastName(qualified);
  if (otherNorms.test(name) || measures.test(qualified)) return false;
  if (makers.has(name)) {
    return /(?:^|_)norm$/.test(lastName(qualified.slice(0, -name.length - 1)));
  }
  // `x.norm()` measures and `self.final_norm(x)` applies; `norm(size)`, handed in, makes.
  if (/(?:^|_)norm$/.test(name) && !/^(?:build|get|make|create|init)_/.test(name)) {
    return !callee.includes(".");
  }
  return /(?:^|_)norm_(?:layer|class|cls|fn|func|module|type|builder|factory|op)$|^(?:build|get|make|create|init)_(?:\w+_)?norm(?:_\w+)?$/.test(
    name,
  );
}

/** `layer` or `rms`, where a name says so. */
export function normOf(name: string, qualified: string): NormName {
  const kind = /rms|t5/i.test(name) ? "rms" : /layer|^_*ln/i.test(name) ? "layer" : "unknown";
  return { kind, qualified };
}

/** True for a class of the file that normalises itself, and does not merely hold a norm. */
export function isNormClass(module: PythonModule, definition: PythonClass): boolean {
  let answers = knownNormClasses.get(module);
  if (answers === undefined) {
    answers = new Map<PythonClass, boolean>();
    knownNormClasses.set(module, answers);
  }
  const known = answers.get(definition);
  if (known !== undefined) return known;
  // A class that is its own base, in code that is being typed, is none.
  answers.set(definition, false);
  const hasNormBase = definition.bases.some((base) => {
    const qualified = qualifiedName(module, base);
    const own = classNamed(module, qualified);
    return own !== undefined && own !== definition
      ? isNormClass(module, own)
      : isNormClassName(lastName(qualified));
  });
  const isNorm =
    hasNormBase || (isNormClassName(definition.name) && !holdsNorm(module, definition));
  answers.set(definition, isNorm);
  return isNorm;
}

/** Of a module, since what a class is depends on the classes and imports around it. */
const knownNormClasses = new WeakMap<PythonModule, Map<PythonClass, boolean>>();

/** `PreNorm(size, attention)` is no norm: it has one. */
function holdsNorm(module: PythonModule, definition: PythonClass): boolean {
  return membersOf(definition).some((member) => {
    if (member.kind !== "constructed") return false;
    const name = lastName(qualifiedName(module, member.callee));
    const own = classNamed(module, name);
    return own === undefined
      ? isNormClassName(name)
      : own !== definition && isNormClass(module, own);
  });
}

function isNormClassName(name: string): boolean {
  return /^_*[A-Z]\w*(?:Norm|norm)(?:alization)?$|^_*Norm$/.test(name) && !otherNorms.test(name);
}

/**
 * BatchNorm and InstanceNorm take their statistics over a batch or an image and belong to
 * convolutions, where the offer to diagnose depth would be noise; WeightNorm and SpectralNorm change
 * the weights of another module rather than a stream.
 */
export const otherNorms = /batch_?(?:re)?norm|instance_?norm|^_*(?:weight|spectral)_?norm/i;

/** Functions that measure a size rather than make a norm. */
const measures = /linalg|grad|clip|total|comput|calc|param|vector|matrix|l1|l2|max/i;

/** Methods of a class, or of a description of it, that make its object. */
const makers = new Set(["build", "create", "make", "from_config", "instantiate"]);

/** What a parameter has as its default, and what a local name is given. */
function heldBy(scope: PythonFunction | undefined, name: string): string[] {
  if (scope === undefined || name.includes(".")) return [];
  const values = [
    ...scope.parameters.filter((parameter) => parameter.name === name).map((p) => p.default),
    ...scope.locals.filter(({ path }) => path.length === 1 && path[0] === name).map((l) => l.value),
  ];
  return values
    .flatMap((value) => choicesOf(value))
    .map((value) => dottedName(value) ?? partialOf(value))
    .filter((held): held is string => held !== undefined && held !== name);
}

function choicesOf(value: SyntaxNode | undefined): SyntaxNode[] {
  switch (value?.type) {
    case "conditional_expression":
      return [value.children[0], value.children[2]].flatMap((choice) => choicesOf(choice));
    case "boolean_operator":
      return [value.child("left"), value.child("right")].flatMap((choice) => choicesOf(choice));
    case "parenthesized_expression":
      return value.children.flatMap((choice) => choicesOf(choice));
    case undefined:
    default:
      return value === undefined ? [] : [value];
  }
}
