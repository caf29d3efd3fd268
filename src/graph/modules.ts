/** The pieces that layers, the embedding and the head are made of. */
import type { Activation, Factor, Linear, Norm } from "../architecture/description";
import type { GraphBuilder, Value } from "./graph";

/** The norm of x, or x where there is none. */
export function normalised(builder: GraphBuilder, x: Value, norm: Norm | undefined): Value {
  return norm ? normalise(builder, x, norm) : x;
}

/** Norms over the innermost axis that differ in their weights, one for each place on the axes before it. */
export function normalisedEach(builder: GraphBuilder, x: Value, norms: readonly Norm[]): Value {
  const unit = normalise(builder, x, { ...norms[0]!, weight: undefined, bias: undefined });
  const weights = norms.map((norm) => {
    const weight = factorOf(builder, norm);
    return builder.reshape(weight, [1, ...weight.type.shape]);
  });
  const table = builder.apply("Concat", weights, { axis: -2 });
  return builder.multiply(unit, builder.reshape(table, x.type.shape.slice(2)));
}

/** weight ⊙ (x − mean) / deviation + bias, over the innermost axis (see `Norm`). */
function normalise(builder: GraphBuilder, x: Value, norm: Norm): Value {
  const { shape } = x.type;
  const size = shape.at(-1) as number;
  const grouped =
    norm.groups === 1
      ? x
      : builder.reshape(x, [...shape.slice(0, -1), norm.groups, size / norm.groups]);
  const mean = (value: Value): Value => builder.apply("ReduceMean", [value], { axis: -1 });
  const centred = norm.kind === "rms" ? grouped : builder.apply("Sub", [grouped, mean(grouped)]);
  const squares = mean(builder.multiply(centred, centred));
  const unit = builder.apply("Div", [centred, deviation(builder, squares, norm, size)]);
  const joined = norm.groups === 1 ? unit : builder.reshape(unit, shape);
  const weighted = norm.weight ? builder.multiply(joined, factorOf(builder, norm)) : joined;
  return norm.bias ? builder.add(weighted, builder.weight(norm.bias)) : weighted;
}

/** What a norm divides by, from the mean of the squares over so many channels. */
function deviation(builder: GraphBuilder, squares: Value, norm: Norm, size: number): Value {
  const epsilon = builder.scalar(norm.epsilon);
  if (norm.kind !== "sample") return builder.apply("Sqrt", [builder.add(squares, epsilon)]);
  const channels = size / norm.groups;
  const ofSample = builder.multiply(squares, builder.scalar(channels / (channels - 1)));
  return builder.add(builder.apply("Sqrt", [ofSample]), epsilon);
}

function factorOf(builder: GraphBuilder, { weight, weightOffset }: Norm): Value {
  const stored = builder.weight(weight!);
  return weightOffset === 0 ? stored : builder.add(stored, builder.scalar(weightOffset));
}

/** x times a number or a vector. */
export function scaled(builder: GraphBuilder, x: Value, factor: Factor): Value {
  if (factor === 1) return x;
  const by = typeof factor === "number" ? builder.scalar(factor) : builder.weight(factor);
  return builder.multiply(x, by);
}

/** x Wᵀ + b. */
export function linear(builder: GraphBuilder, x: Value, { weight, bias }: Linear): Value {
  const product = builder.apply("Linear", [x, builder.weight(weight)]);
  return bias ? builder.add(product, builder.weight(bias)) : product;
}

/** The formulas of activations, elementwise. */
export const activations: Record<Activation, (builder: GraphBuilder, x: Value) => Value> = {
  // x σ(x)
  silu: (builder, x) => builder.multiply(x, builder.apply("Sigmoid", [x])),
  // x (1 + erf(x/√2)) / 2
  gelu: (builder, x) => {
    const erf = builder.apply("Erf", [builder.multiply(x, builder.scalar(Math.SQRT1_2))]);
    const half = builder.multiply(x, builder.scalar(0.5));
    return builder.multiply(half, builder.add(erf, builder.scalar(1)));
  },
  // x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
  gelu_tanh: (builder, x) => {
    const cube = builder.multiply(builder.multiply(x, x), x);
    const inner = builder.add(x, builder.multiply(cube, builder.scalar(0.044715)));
    const tanh = builder.apply("Tanh", [
      builder.multiply(inner, builder.scalar(Math.sqrt(2 / Math.PI))),
    ]);
    const half = builder.multiply(x, builder.scalar(0.5));
    return builder.multiply(half, builder.add(tanh, builder.scalar(1)));
  },
  // x σ(1.702 x)
  quick_gelu: (builder, x) =>
    builder.multiply(x, builder.apply("Sigmoid", [builder.multiply(x, builder.scalar(1.702))])),
  // max(x, 0)
  relu,
  // max(x, 0)² (arXiv 2109.08668)
  squared_relu: (builder, x) => {
    const positive = relu(builder, x);
    return builder.multiply(positive, positive);
  },
};

export function relu(builder: GraphBuilder, x: Value): Value {
  return builder.apply("Relu", [x]);
}
