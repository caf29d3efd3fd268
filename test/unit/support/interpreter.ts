/** Evaluates graphs in double precision, primitive by primitive: what ONNX Runtime must agree with. */
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import type { Graph, NodeOf, Value } from "../../../src/graph/graph";
import type { Operator } from "../../../src/graph/operators";
import type { Shape } from "../../../src/graph/types";

/** Numbers of any element type, row-major. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Numbers>>,
  weights: (tensor: TensorEntry) => readonly number[] = () => [],
): Record<string, Numbers> {
  const known = new Map<Value, Numbers>();
  const symbols = new Map<string, number>();
  for (const input of graph.inputs) {
    const fed = feeds[input.name];
    if (fed === undefined) throw new Error(`Input ${input.name} is not fed.`);
    bind(symbols, input, fed);
    known.set(input, fed);
  }
  for (const constant of graph.constants) {
    const data = constant.kind === "numbers" ? constant.numbers : weights(constant.tensor);
    known.set(constant.value, { shape: sized(constant.value.type.shape, symbols), data });
  }
  for (const node of graph.nodes) {
    const operands = node.operands.map((operand) => known.get(operand)!);
    const shape = sized(node.result.type.shape, symbols);
    const result = compute(node, operands, shape);
    if (result.data.length !== count(shape) || result.shape.some((n, axis) => n !== shape[axis])) {
      throw new Error(`${node.operator} gave [${result.shape.join()}], not [${shape.join()}].`);
    }
    known.set(node.result, result);
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, known.get(value)!]));
}

function bind(symbols: Map<string, number>, { name, type }: Value, fed: Numbers): void {
  if (type.shape.length !== fed.shape.length || count(fed.shape) !== fed.data.length) {
    throw new Error(`${name} is fed ${fed.data.length} numbers as [${fed.shape.join()}].`);
  }
  for (const [axis, size] of type.shape.entries()) {
    const found = fed.shape[axis]!;
    const expected = typeof size === "number" ? size : (symbols.get(size) ?? found);
    if (found !== expected) throw new Error(`${name}: axis ${axis} is ${found}, not ${expected}.`);
    if (typeof size === "string") symbols.set(size, found);
  }
}

function sized(shape: Shape, symbols: ReadonlyMap<string, number>): number[] {
  return shape.map((size) => (typeof size === "number" ? size : symbols.get(size)!));
}

function compute<K extends Operator>(
  node: NodeOf<K>,
  operands: readonly Numbers[],
  shape: readonly number[],
): Numbers {
  return rules[node.operator](operands, node.attributes, shape);
}

type Rule<K extends Operator> = (
  operands: readonly Numbers[],
  attributes: NodeOf<K>["attributes"],
  /** Shape of the result, for primitives that take it from elsewhere. */
  shape: readonly number[],
) => Numbers;

const rules: { readonly [K in Operator]: Rule<K> } = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Tanh: unary(Math.tanh),
  Erf: unary(erf),
  Relu: unary((x) => Math.max(x, 0)),
  Linear: ([x, weight], _, shape) => {
    const inputs = weight!.shape[1]!;
    return table(shape, (index) =>
      sum(inputs, (k) => at(x!, [...index.slice(0, -1), k]) * at(weight!, [index.at(-1)!, k])),
    );
  },
  MatMul: ([a, b], _, shape) =>
    table(shape, (index) => {
      const batch = index.slice(0, -2);
      return sum(
        a!.shape.at(-1)!,
        (k) => at(a!, [...batch, index.at(-2)!, k]) * at(b!, [...batch, k, index.at(-1)!]),
      );
    }),
  Softmax: ([x]) =>
    overRows(x!, (row) => {
      const most = Math.max(...row);
      const powers = row.map((value) => Math.exp(value - most));
      const total = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / total);
    }),
  ReduceMean: reduction((values) => values.reduce((a, b) => a + b, 0) / values.length),
  ReduceSum: reduction((values) => values.reduce((a, b) => a + b, 0)),
  ReduceMax: reduction((values) => Math.max(...values)),
  Transpose: ([x], { permutation }, shape) =>
    table(shape, (index) => {
      const source = [...index];
      for (const [to, from] of permutation.entries()) source[from] = index[to]!;
      return at(x!, source);
    }),
  Reshape: ([x], _, shape) => ({ shape, data: x!.data }),
  Slice: ([x], { axis, start }, shape) =>
    table(shape, (index) =>
      at(
        x!,
        index.map((value, n) => (n === shape.length + axis ? value + start : value)),
      ),
    ),
  Concat: (operands, { axis }, shape) =>
    table(shape, (index) => {
      const place = shape.length + axis;
      let within = index[place]!;
      const source = operands.find((operand) => {
        if (within < operand.shape[place]!) return true;
        within -= operand.shape[place]!;
        return false;
      });
      return at(
        source!,
        index.map((value, n) => (n === place ? within : value)),
      );
    }),
  ExpandLike: ([x], _, shape) => table(shape, (index) => at(x!, index)),
  Greater: binary((a, b) => (a > b ? 1 : 0)),
  TopKMask: ([x], { count }) =>
    overRows(x!, (row) => {
      const order = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b);
      return row.map((_, at) => (order.indexOf(at) < count ? 1 : 0));
    }),
  Where: ([condition, a, b], _, shape) =>
    table(shape, (index) => at(at(condition!, index) === 0 ? b! : a!, index)),
  Cast: ([x]) => x!,
  Gather: ([rows, indices], _, shape) => {
    const width = count(rows!.shape.slice(1));
    const data = indices!.data.flatMap((row) => rows!.data.slice(row * width, (row + 1) * width));
    return { shape, data };
  },
  GatherElements: ([x, indices], _, shape) =>
    table(shape, (index) => at(x!, [...index.slice(0, -1), at(indices!, index)])),
};

function unary<K extends Operator>(f: (x: number) => number): Rule<K> {
  return ([x]) => ({ shape: x!.shape, data: x!.data.map(f) });
}

function binary<K extends Operator>(f: (a: number, b: number) => number): Rule<K> {
  return ([a, b], _, shape) => table(shape, (index) => f(at(a!, index), at(b!, index)));
}

function reduction(
  f: (values: number[]) => number,
): Rule<"ReduceMean" | "ReduceSum" | "ReduceMax"> {
  return ([x], { axis }, shape) => {
    const place = shape.length + axis;
    return table(shape, (index) =>
      f(
        Array.from({ length: x!.shape[place]! }, (_, k) =>
          at(
            x!,
            index.map((value, n) => (n === place ? k : value)),
          ),
        ),
      ),
    );
  };
}

function overRows(x: Numbers, f: (row: number[]) => number[]): Numbers {
  const width = x.shape.at(-1)!;
  const rows = Array.from({ length: x.data.length / width }, (_, row) =>
    f(x.data.slice(row * width, (row + 1) * width)),
  );
  return { shape: x.shape, data: rows.flat() };
}

/** A result filled element by element. */
function table(shape: readonly number[], f: (index: number[]) => number): Numbers {
  const index = shape.map(() => 0);
  const data = Array.from({ length: count(shape) }, () => {
    const value = f([...index]);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
    return value;
  });
  return { shape, data };
}

/** The element at an index into something this broadcasts to. */
function at({ shape, data }: Numbers, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  return data[
    offset(
      own.map((value, axis) => (shape[axis] === 1 ? 0 : value)),
      shape,
    )
  ]!;
}

function offset(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((total, value, axis) => total * shape[axis]! + value, 0);
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function sum(length: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < length; index++) total += term(index);
  return total;
}

/** erf x = 2/√π e^{−x²} Σ 2ⁿ x^{2n+1} / (2n+1)!!, all terms of one sign (DLMF 7.6.2). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}
