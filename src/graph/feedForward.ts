import type { FeedForward, MixtureOfExperts, Router } from "../architecture/description";
import { isMixture } from "../architecture/description";
import type { GraphBuilder, Value } from "./graph";
import { activations, linear, scaled } from "./modules";

/** What a layer's feed-forward computes of x [batch, sequence, hidden]. */
export function feedForward(
  builder: GraphBuilder,
  x: Value,
  module: FeedForward | MixtureOfExperts,
): Value {
  return isMixture(module) ? mixture(builder, x, module) : dense(builder, x, module);
}

/** down(activation(gate x) ⊙ up x), or down(activation(up x)). */
function dense(builder: GraphBuilder, x: Value, module: FeedForward): Value {
  const { gate, up, down, activation } = module;
  const activated = activations[activation](builder, linear(builder, x, gate ?? up));
  const inner = gate ? builder.multiply(activated, linear(builder, x, up)) : activated;
  return linear(builder, inner, down);
}

/**
 * Σ weight · expert(x) + σ(gate x) · shared(x). Every expert computes every token, and what the router
 * did not choose counts 0: exact, and the graph is the same for all tokens. It costs experts / chosen
 * times the arithmetic of the routed model, and the weights of all experts of one layer are held
 * together; of the activations only one expert's are, since each is added before the next begins.
 */
function mixture(builder: GraphBuilder, x: Value, module: MixtureOfExperts): Value {
  const weights = routing(builder, x, module.router);
  let routed: Value | undefined;
  for (const [index, expert] of module.experts.entries()) {
    const weight = builder.apply("Slice", [weights], { axis: -1, start: index, end: index + 1 });
    const output = builder.multiply(dense(builder, x, expert), weight);
    routed = routed ? builder.add(routed, output) : output;
  }
  if (module.shared === undefined) return routed!;
  const { expert, gate } = module.shared;
  const shared = dense(builder, x, expert);
  const open = gate && builder.apply("Sigmoid", [linear(builder, x, gate)]);
  return builder.add(routed!, open ? builder.multiply(shared, open) : shared);
}

/** The weight of each expert for each token, 0 where it is not chosen: [batch, sequence, experts]. */
function routing(builder: GraphBuilder, x: Value, router: Router): Value {
  const logits = linear(builder, x, router.projection);
  const scores = builder.apply(router.scores === "softmax" ? "Softmax" : "Sigmoid", [logits]);
  const merit = router.choiceBias ? builder.add(scores, builder.weight(router.choiceBias)) : scores;
  const chosen = builder.apply("TopKMask", [ofBestGroups(builder, merit, router)], {
    count: router.chosen,
  });
  const weights = builder.apply("Where", [chosen, scores, builder.scalar(0)]);
  if (!router.isNormalised) return scaled(builder, weights, router.scale);
  const total = builder.apply("ReduceSum", [weights], { axis: -1 });
  return scaled(builder, builder.apply("Div", [weights, total]), router.scale);
}

/** Far below any score: the experts of groups that are not chosen. */
const outOfChoice = -1e30;

/** The merit of each expert, none where its group is not among the best. */
function ofBestGroups(builder: GraphBuilder, merit: Value, { groups }: Router): Value {
  if (groups === undefined) return merit;
  const { shape } = merit.type;
  const size = (shape.at(-1) as number) / groups.count;
  const grouped = builder.reshape(merit, [...shape.slice(0, -1), groups.count, size]);
  const best = builder.apply("TopKMask", [grouped], { count: groups.judgedBy });
  const kept = builder.apply("Where", [best, grouped, builder.scalar(0)]);
  const merits = builder.reshape(builder.apply("ReduceSum", [kept], { axis: -1 }), [
    ...shape.slice(0, -1),
    groups.count,
  ]);
  const chosen = builder.apply("TopKMask", [merits], { count: groups.chosen });
  const perExpert = builder.reshape(chosen, [...shape.slice(0, -1), groups.count, 1]);
  const rest = builder.apply("Where", [perExpert, grouped, builder.scalar(outOfChoice)]);
  return builder.reshape(rest, shape);
}
