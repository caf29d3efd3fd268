import type { Graph, NodeOf, Value } from "./graph";
import { GraphBuilder } from "./graph";
import type { Operator } from "./operators";
import type { Shape } from "./types";
import { GraphError, sameShape } from "./types";

/** The symbol of the axis that tells probes apart; tangents carry it outermost. */
export const probesAxis = "probes";

/** The name under which a graph's tangent is fed or returned. */
export function tangentName(name: string): string {
  return `${name}.tangent`;
}

/**
 * Forward-mode differentiation of a graph, as a graph: besides what it computed, the result also
 * computes Jacobian-vector products J v for a stack of probes v, exactly (no finite differences).
 *
 * The primal values are computed once and shared by all probes. Fed with zero probes, the tangent
 * part computes nothing, so one graph serves plain and differentiated runs.
 *
 * @param input the input x to differentiate by; the new graph is fed `x.tangent` [probes, ...x]
 * @param outputs the outputs f to differentiate; the new graph also returns `f.tangent` [probes, ...f]
 * @throws GraphError when there is no such input or a rule does not apply
 */
export function jvp(graph: Graph, input: string, outputs: readonly string[]): Graph {
  const builder = new GraphBuilder();
  const primals = new Map<Value, Value>();
  const tangents = new Map<Value, Value>();
  for (const value of graph.inputs) primals.set(value, builder.input(value.name, value.type));
  for (const constant of graph.constants) {
    primals.set(
      constant.value,
      constant.kind === "weight"
        ? builder.storedWeight(constant.tensor)
        : builder.scalar(constant.numbers[0]!),
    );
  }
  const source = graph.inputs.find(({ name }) => name === input);
  if (source === undefined) throw new GraphError(`There is no input ${input} to differentiate by.`);
  const probes = builder.input(tangentName(input), {
    ...source.type,
    shape: [probesAxis, ...source.type.shape],
  });
  tangents.set(source, probes);

  for (const node of graph.nodes) {
    const operands = node.operands.map((operand) => primals.get(operand)!);
    const result = builder.apply<Operator>(node.operator, operands, node.attributes);
    primals.set(node.result, result);
    const active = node.operands.map((operand) => tangents.get(operand));
    if (active.every((tangent) => tangent === undefined)) continue;
    const step = new TangentStep(builder, { ...node, operands, result }, active, probes);
    const tangent = step.derive();
    if (tangent === undefined) continue;
    const expected: Shape = [probesAxis, ...result.type.shape];
    if (!sameShape(tangent.type.shape, expected)) {
      throw new GraphError(
        `The tangent of ${node.operator} has shape [${tangent.type.shape.join(", ")}]; expected [${expected.join(", ")}].`,
      );
    }
    tangents.set(node.result, tangent);
  }

  for (const { name, value } of graph.outputs) builder.output(name, primals.get(value)!);
  for (const name of outputs) {
    const output = graph.outputs.find((candidate) => candidate.name === name);
    if (output === undefined) throw new GraphError(`There is no output ${name} to differentiate.`);
    const tangent = tangents.get(output.value);
    if (tangent === undefined) throw new GraphError(`Output ${name} does not depend on ${input}.`);
    builder.output(tangentName(name), tangent);
  }
  return builder.build();
}

/** One primitive whose tangent is to be written, with what its rule needs. */
class TangentStep<K extends Operator = Operator> {
  constructor(
    readonly builder: GraphBuilder,
    readonly node: NodeOf<K>,
    /** Tangents of the operands [probes, ...]; undefined where an operand does not depend on x. */
    readonly active: readonly (Value | undefined)[],
    private readonly probes: Value,
  ) {}

  /** Undefined: the result does not change with x, almost everywhere. */
  derive(): Value | undefined {
    return tangentRules[this.node.operator](this);
  }

  /** An operand's tangent, its axes after the probes padded with 1 to the rank of the result. */
  tangent(index: number): Value | undefined {
    const tangent = this.active[index];
    if (tangent === undefined) return undefined;
    const [probes, ...shape] = tangent.type.shape;
    const missing = this.node.result.type.shape.length - shape.length;
    if (missing <= 0) return tangent;
    return this.builder.reshape(tangent, [probes!, ...Array<number>(missing).fill(1), ...shape]);
  }

  /** The tangent stretched to [probes, ...result]. */
  stretched(tangent: Value): Value {
    const { result } = this.node;
    return sameShape(tangent.type.shape, [probesAxis, ...result.type.shape])
      ? tangent
      : this.builder.apply("ExpandLike", [tangent, result]);
  }

  /** An operand's own tangent, or zeros of its shape where it does not depend on x. */
  tangentOrZeros(index: number): Value {
    const known = this.active[index];
    if (known !== undefined) return known;
    const { builder } = this;
    const zeros = builder.apply("ExpandLike", [builder.scalar(0), this.node.operands[index]!]);
    return builder.add(this.zeroPerProbe(zeros.type.shape.length), zeros);
  }

  /** An operand repeated for each probe, padded with 1 to the rank of the result. */
  perProbe(index: number): Value {
    const zeros = this.zeroPerProbe(this.node.result.type.shape.length);
    return this.builder.apply("ExpandLike", [this.node.operands[index]!, zeros]);
  }

  /** Zeros [probes, 1, …] that carry the axis of probes; probes are finite by construction. */
  private zeroPerProbe(rank: number): Value {
    const { builder } = this;
    let perProbe = this.probes;
    for (let axis = 1; axis < this.probes.type.shape.length; axis++) {
      perProbe = builder.apply("Slice", [perProbe], { axis: -axis, start: 0, end: 1 });
    }
    const shape = [probesAxis, ...Array<number>(rank).fill(1)];
    return builder.multiply(builder.reshape(perProbe, shape), builder.scalar(0));
  }
}

type TangentRule<K extends Operator> = (step: TangentStep<K>) => Value | undefined;

/**
 * The derivative of each primitive. In the formulas y is the result, a and b (or x) the operands,
 * and a dot marks a tangent.
 */
const tangentRules: { readonly [K in Operator]: TangentRule<K> } = {
  // ẏ = ȧ + ḃ
  Add: (step) => step.stretched(sum(step.builder, [step.tangent(0), step.tangent(1)])),
  // ẏ = ȧ − ḃ
  Sub: (step) => {
    const b = step.tangent(1);
    const negated = b && step.builder.apply("Neg", [b]);
    return step.stretched(sum(step.builder, [step.tangent(0), negated]));
  },
  // ẏ = ȧ b + a ḃ
  Mul: product((builder, a, b) => builder.multiply(a, b)),
  // ẏ = (ȧ − y ḃ) / b
  Div: (step) => {
    const { builder, node } = step;
    const a = step.tangent(0);
    const b = step.tangent(1);
    const change = b && builder.apply("Neg", [builder.multiply(node.result, b)]);
    return step.stretched(builder.apply("Div", [sum(builder, [a, change]), node.operands[1]!]));
  },
  // ẏ = −ẋ
  Neg: linear,
  // ẏ = ẋ / (2 √x)
  Sqrt: unary((builder, _, y) => builder.apply("Div", [builder.scalar(0.5), y])),
  // ẏ = eˣ ẋ
  Exp: unary((_, __, y) => y),
  // ẏ = y (1 − y) ẋ
  Sigmoid: unary((builder, _, y) =>
    builder.multiply(y, builder.apply("Sub", [builder.scalar(1), y])),
  ),
  // ẏ = (1 − y²) ẋ
  Tanh: unary((builder, _, y) => builder.apply("Sub", [builder.scalar(1), builder.multiply(y, y)])),
  // ẏ = (2/√π) e^{−x²} ẋ
  Erf: unary((builder, x) =>
    builder.multiply(
      builder.scalar(2 / Math.sqrt(Math.PI)),
      builder.apply("Exp", [builder.apply("Neg", [builder.multiply(x, x)])]),
    ),
  ),
  // ẏ = ẋ where x > 0, else 0, as PyTorch has it at 0
  Relu: ({ builder, node, active }) =>
    builder.apply("Where", [
      builder.apply("Greater", [node.operands[0]!, builder.scalar(0)]),
      active[0]!,
      builder.scalar(0),
    ]),
  // ẏ = ẋ Wᵀ; the weight is a constant
  Linear: (step) => {
    if (step.active[1] !== undefined) throw new GraphError("A Linear's weight cannot be active.");
    return step.builder.apply("Linear", [step.active[0]!, step.node.operands[1]!]);
  },
  // ẏ = ȧ b + a ḃ
  MatMul: (step) => {
    const { builder } = step;
    const a = step.tangent(0);
    const b = step.tangent(1);
    // ONNX Runtime's MatMul cannot broadcast an axis that is missing against one of size 0, which
    // is what the axis of probes is in a plain run; so the other operand is given that axis.
    return step.stretched(
      sum(builder, [
        a && builder.apply("MatMul", [a, step.perProbe(1)]),
        b && builder.apply("MatMul", [step.perProbe(0), b]),
      ]),
    );
  },
  // ẏ = y ⊙ (ẋ − Σ y ⊙ ẋ)
  Softmax: (step) => {
    const { builder, node } = step;
    const weighted = builder.multiply(node.result, step.active[0]!);
    const total = builder.apply("ReduceSum", [weighted], { axis: -1 });
    return builder.apply("Sub", [weighted, builder.multiply(node.result, total)]);
  },
  ReduceMean: linear,
  ReduceSum: linear,
  ReduceMax: notDifferentiated,
  Greater: piecewiseConstant,
  TopKMask: piecewiseConstant,
  Transpose: (step) =>
    step.builder.transpose(step.active[0]!, [
      0,
      ...step.node.attributes.permutation.map((axis) => axis + 1),
    ]),
  Reshape: (step) =>
    step.builder.reshape(step.active[0]!, [probesAxis, ...step.node.attributes.shape]),
  Slice: linear,
  Concat: (step) =>
    step.builder.apply(
      "Concat",
      step.node.operands.map((_, index) => step.tangentOrZeros(index)),
      step.node.attributes,
    ),
  ExpandLike: (step) => step.stretched(step.tangent(0)!),
  // ẏ = ȧ where the condition holds, else ḃ
  Where: (step) => {
    const zero = step.builder.scalar(0);
    return step.stretched(
      step.builder.apply("Where", [
        step.node.operands[0]!,
        step.tangent(1) ?? zero,
        step.tangent(2) ?? zero,
      ]),
    );
  },
  Cast: linear,
  Gather: notDifferentiated,
  GatherElements: notDifferentiated,
};

/** Primitives that are linear in one operand, on axes counted from the innermost: ẏ = f(ẋ). */
function linear<K extends Operator>(step: TangentStep<K>): Value {
  return step.builder.apply<Operator>(step.node.operator, [step.active[0]!], step.node.attributes);
}

/** ẏ = f′(x) ⊙ ẋ, from the operand x and the result y. */
function unary<K extends Operator>(
  derivative: (builder: GraphBuilder, x: Value, y: Value) => Value,
): TangentRule<K> {
  return ({ builder, node, active }) =>
    builder.multiply(derivative(builder, node.operands[0]!, node.result), active[0]!);
}

/** ẏ = f(ȧ, b) + f(a, ḃ), for f linear in each operand. */
function product<K extends Operator>(
  apply: (builder: GraphBuilder, a: Value, b: Value) => Value,
): TangentRule<K> {
  return (step) => {
    const { builder, node } = step;
    const [a, b] = node.operands as readonly [Value, Value];
    const tangentA = step.tangent(0);
    const tangentB = step.tangent(1);
    return step.stretched(
      sum(builder, [
        tangentA && apply(builder, tangentA, b),
        tangentB && apply(builder, a, tangentB),
      ]),
    );
  };
}

/** A choice: it changes nowhere but where it jumps, which no token meets. */
function piecewiseConstant(): undefined {
  return undefined;
}

function notDifferentiated<K extends Operator>({ node }: TangentStep<K>): never {
  throw new GraphError(`${node.operator} has no derivative here: its operand may not be active.`);
}

function sum(builder: GraphBuilder, terms: readonly (Value | undefined)[]): Value {
  const present = terms.filter((term) => term !== undefined);
  return present.reduce((a, b) => builder.add(a, b));
}
