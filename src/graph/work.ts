import type { Graph } from "./graph";
import { elements } from "./memory";

/**
 * Multiply–adds of the matrix products of one run. All else takes little time beside them in layers
 * of any width.
 *
 * @param sizes what the graph's symbols stand for in that run
 */
export function multiplyAdds(graph: Graph, sizes: Readonly<Record<string, number>>): number {
  return graph.nodes.reduce((sum, { operator, operands, result }) => {
    if (operator !== "Linear" && operator !== "MatMul") return sum;
    // Each number of the result is a sum over the innermost axis of the first operand.
    const inner = elements(operands[0]!.type.shape.slice(-1), sizes);
    return sum + elements(result.type.shape, sizes) * inner;
  }, 0);
}
