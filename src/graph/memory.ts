import type { Graph, Value } from "./graph";
import type { Shape } from "./types";

const elementBytes = { float32: 4, float16: 2, bfloat16: 2, int64: 8, bool: 1 } as const;

/** Bytes of all weights as float32, which is how they are held while a graph runs. */
export function weightBytes(graph: Graph): number {
  return graph.constants.reduce((sum, { value }) => sum + elements(value.type.shape, {}) * 4, 0);
}

/**
 * Largest number of bytes that inputs, intermediate values and outputs of one run hold at once, when
 * each value is freed after its last use.
 *
 * @param sizes what the graph's symbols stand for in that run
 */
export function activationBytes(graph: Graph, sizes: Readonly<Record<string, number>>): number {
  const bytes = ({ type }: Value): number =>
    elements(type.shape, sizes) * elementBytes[type.elementType];
  const kept = new Set(graph.outputs.map(({ value }) => value));
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach(({ operands }, step) => {
    for (const operand of operands) lastUse.set(operand, step);
  });
  // What depends on constants alone is computed once, when the session is built.
  const folded = new Set(graph.constants.map(({ value }) => value));
  const computed = new Set<Value>();
  let live = graph.inputs.reduce((sum, input) => sum + bytes(input), 0);
  let peak = live;
  graph.nodes.forEach(({ operands, result }, step) => {
    if (operands.every((operand) => folded.has(operand))) {
      folded.add(result);
      return;
    }
    computed.add(result);
    live += bytes(result);
    peak = Math.max(peak, live);
    for (const operand of new Set(operands)) {
      const isDone = lastUse.get(operand) === step && computed.has(operand) && !kept.has(operand);
      if (isDone) live -= bytes(operand);
    }
  });
  return peak;
}

/** How many numbers a value of this shape has. */
export function elements(shape: Shape, sizes: Readonly<Record<string, number>>): number {
  return shape.reduce<number>(
    (product, size) => product * (typeof size === "number" ? size : sizes[size]!),
    1,
  );
}
