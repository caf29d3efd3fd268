import type { Dimension, ElementType, Shape, ValueType } from "./types";
import { broadcast, formatType, GraphError, sameShape } from "./types";

/** What each primitive takes besides its operands. Axes are negative: counted from the innermost. */
export interface Attributes {
  Add: NoAttributes;
  Sub: NoAttributes;
  Mul: NoAttributes;
  Div: NoAttributes;
  Neg: NoAttributes;
  Sqrt: NoAttributes;
  Exp: NoAttributes;
  Sigmoid: NoAttributes;
  Tanh: NoAttributes;
  Erf: NoAttributes;
  Relu: NoAttributes;
  /** x · Wᵀ: x [..., in], W [out, in] as checkpoints store it; the result is [..., out]. */
  Linear: NoAttributes;
  MatMul: NoAttributes;
  /** Over the innermost axis. */
  Softmax: NoAttributes;
  ReduceMean: { readonly axis: number };
  ReduceSum: { readonly axis: number };
  ReduceMax: { readonly axis: number };
  Transpose: { readonly permutation: readonly number[] };
  /** Keeps the order of elements; a symbol keeps its size and its place from the outside. */
  Reshape: { readonly shape: Shape };
  Slice: { readonly axis: number; readonly start: number; readonly end: number };
  Concat: { readonly axis: number };
  /** Stretches the first operand to the shape it broadcasts to with the second. */
  ExpandLike: NoAttributes;
  /** Whether the first operand exceeds the second (bool). */
  Greater: NoAttributes;
  /** Whether an element is among the `count` greatest of the innermost axis; of equals the first (bool). */
  TopKMask: { readonly count: number };
  /** The second operand where the first (bool) is true, else the third. */
  Where: NoAttributes;
  Cast: { readonly to: ElementType };
  /** Rows of the first operand [rows, ...] chosen by the second (int64). */
  Gather: NoAttributes;
  /** One element of the innermost axis of the first operand for each index in the second (int64). */
  GatherElements: NoAttributes;
}

export type NoAttributes = Readonly<Record<string, never>>;
export type Operator = keyof Attributes;

type TypeRule<K extends Operator> = (
  operands: readonly ValueType[],
  attributes: Attributes[K],
) => ValueType;

/** The type of each primitive's result; a rule throws GraphError when the operands do not fit. */
export const typeRules: { readonly [K in Operator]: TypeRule<K> } = {
  Add: elementwise,
  Sub: elementwise,
  Mul: elementwise,
  Div: elementwise,
  Neg: elementwise,
  Sqrt: elementwise,
  Exp: elementwise,
  Sigmoid: elementwise,
  Tanh: elementwise,
  Erf: elementwise,
  Relu: elementwise,
  Linear: ([x, weight]) => {
    requireFloats(x!, weight!);
    check(weight!.shape.length === 2, "the weight has two axes", weight!);
    check(
      x!.shape.at(-1) === weight!.shape[1],
      "x and the weight share the inner size",
      x!,
      weight!,
    );
    return float([...x!.shape.slice(0, -1), weight!.shape[0]!]);
  },
  MatMul: ([a, b]) => {
    requireFloats(a!, b!);
    check(a!.shape.length >= 2 && b!.shape.length >= 2, "both have two axes or more", a!, b!);
    check(a!.shape.at(-1) === b!.shape.at(-2), "the inner sizes agree", a!, b!);
    const batch = broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return float([...batch, a!.shape.at(-2)!, b!.shape.at(-1)!]);
  },
  Softmax: ([x]) => {
    requireFloats(x!);
    check(x!.shape.length > 0, "there is an axis to sum over", x!);
    return x!;
  },
  ReduceMean: reduce,
  ReduceSum: reduce,
  ReduceMax: reduce,
  Transpose: ([x], { permutation }) => {
    const axes = [...permutation].sort((a, b) => a - b);
    check(
      axes.length === x!.shape.length && axes.every((axis, index) => axis === index),
      `[${permutation.join(", ")}] permutes the axes`,
      x!,
    );
    return { ...x!, shape: permutation.map((axis) => x!.shape[axis]!) };
  },
  Reshape: ([x], { shape }) => {
    const known = (dimensions: Shape): number =>
      dimensions.reduce<number>((n, size) => (typeof size === "number" ? n * size : n), 1);
    check(
      known(x!.shape) === known(shape) &&
        [...x!.shape.entries()].every(([axis, size]) => !isSymbol(size) || shape[axis] === size) &&
        [...shape.entries()].every(([axis, size]) => !isSymbol(size) || x!.shape[axis] === size),
      `[${shape.join(", ")}] holds the same elements, symbols in place`,
      x!,
    );
    return { ...x!, shape };
  },
  Slice: ([x], { axis, start, end }) => {
    // Of a symbol it is only known that it is at least 1.
    const size = x!.shape.at(axis);
    const known = isSymbol(size) ? 1 : size;
    check(
      axis < 0 && known !== undefined && 0 <= start && start < end && end <= known,
      `[${start}, ${end}) lies within axis ${axis}`,
      x!,
    );
    return { ...x!, shape: withAxis(x!.shape, axis, end - start) };
  },
  Concat: (operands, { axis }) => {
    const first = operands[0]!;
    let total = 0;
    for (const { elementType, shape } of operands) {
      const size = shape.at(axis);
      check(axis < 0 && typeof size === "number", `axis ${axis} is known`, ...operands);
      check(
        elementType === first.elementType &&
          sameShape(withAxis(shape, axis, 0), withAxis(first.shape, axis, 0)),
        `all are alike but for axis ${axis}`,
        ...operands,
      );
      total += size as number;
    }
    return { ...first, shape: withAxis(first.shape, axis, total) };
  },
  ExpandLike: ([x, like]) => ({ ...x!, shape: broadcast(x!.shape, like!.shape) }),
  Greater: (operands) => ({ ...elementwise(operands), elementType: "bool" }),
  TopKMask: ([x], { count }) => {
    requireFloats(x!);
    const size = x!.shape.at(-1);
    check(
      typeof size === "number" && 0 < count && count <= size,
      `the innermost axis holds ${count} elements or more`,
      x!,
    );
    return { ...x!, elementType: "bool" };
  },
  Where: ([condition, a, b]) => {
    check(condition!.elementType === "bool", "the condition is bool", condition!);
    check(a!.elementType === b!.elementType, "both choices are of one type", a!, b!);
    return { ...a!, shape: broadcast(condition!.shape, broadcast(a!.shape, b!.shape)) };
  },
  Cast: ([x], { to }) => ({ ...x!, elementType: to }),
  Gather: ([table, indices]) => {
    check(indices!.elementType === "int64", "the indices are int64", indices!);
    return { ...table!, shape: [...indices!.shape, ...table!.shape.slice(1)] };
  },
  GatherElements: ([x, indices]) => {
    check(indices!.elementType === "int64", "the indices are int64", indices!);
    check(
      sameShape(withAxis(x!.shape, -1, 0), withAxis(indices!.shape, -1, 0)),
      "the indices have the operand's outer axes",
      x!,
      indices!,
    );
    return { ...x!, shape: indices!.shape };
  },
};

function elementwise(operands: readonly ValueType[]): ValueType {
  requireFloats(...operands);
  return float(operands.map(({ shape }) => shape).reduce(broadcast));
}

function reduce([x]: readonly ValueType[], { axis }: { readonly axis: number }): ValueType {
  requireFloats(x!);
  check(axis < 0 && -axis <= x!.shape.length, `axis ${axis} exists`, x!);
  return { ...x!, shape: withAxis(x!.shape, axis, 1) };
}

function requireFloats(...operands: readonly ValueType[]): void {
  for (const operand of operands)
    check(operand.elementType === "float32", "all are float32", operand);
}

function isSymbol(size: Dimension | undefined): size is string {
  return typeof size === "string";
}

function withAxis(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, index) => (index === shape.length + axis ? size : old));
}

function float(shape: Shape): ValueType {
  return { elementType: "float32", shape };
}

function check(holds: boolean, expectation: string, ...operands: readonly ValueType[]): void {
  if (!holds) {
    throw new GraphError(
      `Expected that ${expectation}, found ${operands.map(formatType).join(", ")}.`,
    );
  }
}
