import type { Architecture, Head, HeadTransform } from "../architecture/description";
import { rows } from "../checkpoint/views";
import { capped } from "./attention";
import type { Graph, Value } from "./graph";
import { GraphBuilder } from "./graph";
import { activations, linear, normalised, scaled } from "./modules";

export const headInputs = { stream: "stream", targets: "targets" } as const;
export const headOutputs = {
  maximum: "maximum",
  /** Σ exp(logit − maximum). */
  exponentials: "exponentials",
  targetLogit: "target_logit",
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
 * results combine to the negative log-likelihood (see `negativeLogLikelihoods`).
 */
export function headSlices(
  { finalNorm, hiddenSize }: Architecture,
  head: Head,
  sliceBytes: number,
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
    const stream = builder.input(headInputs.stream, {
      elementType: "float32",
      shape: ["rows", hiddenSize],
    });
    const targets = builder.input(headInputs.targets, { elementType: "int64", shape: ["rows", 1] });
    const weight = builder.weight(rows(head.weight, start, end));
    const product = builder.apply("Linear", [
      transformed(builder, normalised(builder, stream, finalNorm), head.transform),
      weight,
    ]);
    const biased = head.bias
      ? builder.add(product, builder.weight(rows(head.bias, start, end)))
      : product;
    const logits = capped(builder, scaled(builder, biased, head.scale), head.softcap);
    const maximum = builder.apply("ReduceMax", [logits], { axis: -1 });
    const exponentials = builder.apply("Exp", [builder.apply("Sub", [logits, maximum])]);
    builder.output(headOutputs.maximum, maximum);
    builder.output(
      headOutputs.exponentials,
      builder.apply("ReduceSum", [exponentials], { axis: -1 }),
    );
    builder.output(headOutputs.targetLogit, builder.apply("GatherElements", [logits, targets]));
    return { start, end, graph: builder.build() };
  });
}

function transformed(builder: GraphBuilder, x: Value, transform: HeadTransform | undefined): Value {
  if (transform === undefined) return x;
  const { dense, activation, norm } = transform;
  const projected = linear(builder, x, dense);
  const activated = activation ? activations[activation](builder, projected) : projected;
  return normalised(builder, activated, norm);
}
