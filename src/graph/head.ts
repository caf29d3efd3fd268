import type { Architecture, Head, HeadTransform, Linear, Norm } from "../architecture/description";
import { rows } from "../checkpoint/views";
import { capped } from "./attention";
import type { Graph, Value } from "./graph";
import { GraphBuilder } from "./graph";
import { activations, linear, normalised, scaled } from "./modules";

export const headInputs = {
  /** State that the logits are of [rows, hidden]. */
  stream: "stream",
  /** The state of the token after [rows, hidden]; only for a second head. */
  besides: "besides",
  targets: "targets",
} as const;
export const headOutputs = {
  maximum: "maximum",
  /** Σ exp(logit − maximum). */
  exponentials: "exponentials",
  targetLogit: "target_logit",
  /** Σ exp(logit − maximum) · (logit − maximum); only where the entropy is asked for. */
  weighted: "weighted",
} as const;

/** Rows [start, end) of the vocabulary, and the graph of their logits. */
export interface HeadSlice {
  readonly start: number;
  readonly end: number;
  readonly graph: Graph;
}

/**
 * The head, cut along the vocabulary so that no slice's float32 weight exceeds `sliceBytes`. Each
 * slice maps the stream [rows, hidden] and target ids within the slice [rows, 1] to the maximum
 * logit, the sum of exponentials below it, and the target's logit, all [rows, 1]; the slices'
 * results combine to the negative log-likelihood (see `negativeLogLikelihoods`), and to the entropy.
 */
export function headSlices(
  { finalNorm, hiddenSize }: Pick<Architecture, "finalNorm" | "hiddenSize">,
  head: Head,
  sliceBytes: number,
  hasEntropy = false,
): HeadSlice[] {
  const [vocabulary] = head.weight.shape as readonly [number, number];
  const count = Math.min(
    vocabulary,
    Math.max(1, Math.ceil((vocabulary * hiddenSize * 4) / sliceBytes)),
  );
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * vocabulary) / count);
    const end = Math.floor(((index + 1) * vocabulary) / count);
    const builder = new GraphBuilder();
    const logitsOf = (name: string, { weight, bias }: Linear): Value => {
      const stream = builder.input(name, { elementType: "float32", shape: ["rows", hiddenSize] });
      return linear(
        builder,
        transformed(builder, normalised(builder, stream, finalNorm), head.transform),
        { weight: rows(weight, start, end), bias: bias && rows(bias, start, end) },
      );
    };
    const own = logitsOf(headInputs.stream, head);
    const besides = head.besides && logitsOf(headInputs.besides, head.besides);
    const found = besides ? scaled(builder, builder.add(own, besides), 0.5) : own;
    const targets = builder.input(headInputs.targets, { elementType: "int64", shape: ["rows", 1] });
    const logits = capped(builder, scaled(builder, found, head.scale), head.softcap);
    const maximum = builder.apply("ReduceMax", [logits], { axis: -1 });
    const below = builder.apply("Sub", [logits, maximum]);
    const exponentials = builder.apply("Exp", [below]);
    if (hasEntropy) {
      const products = builder.apply("Mul", [exponentials, below]);
      builder.output(headOutputs.weighted, builder.apply("ReduceSum", [products], { axis: -1 }));
    }
    builder.output(headOutputs.maximum, maximum);
    builder.output(
      headOutputs.exponentials,
      builder.apply("ReduceSum", [exponentials], { axis: -1 }),
    );
    builder.output(headOutputs.targetLogit, builder.apply("GatherElements", [logits, targets]));
    return { start, end, graph: builder.build() };
  });
}

/** A norm by itself: of states [rows, hidden], the same normalised under `headInputs.stream`. */
export function normGraph(norm: Norm, hiddenSize: number): Graph {
  const builder = new GraphBuilder();
  const stream = builder.input(headInputs.stream, {
    elementType: "float32",
    shape: ["rows", hiddenSize],
  });
  builder.output(normOutput, normalised(builder, stream, norm));
  return builder.build();
}

export const normOutput = "normalised";

function transformed(builder: GraphBuilder, x: Value, transform: HeadTransform | undefined): Value {
  if (transform === undefined) return x;
  const { dense, activation, norm } = transform;
  const projected = linear(builder, x, dense);
  const activated = activation ? activations[activation](builder, projected) : projected;
  return normalised(builder, activated, norm);
}
