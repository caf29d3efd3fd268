/** A size known now (number) or only when the graph runs (the name of a symbol, such as "batch"). */
export type Dimension = number | string;

/** Sizes of a value's axes, outermost first. */
export type Shape = readonly Dimension[];

/** Element types of values; the half-width ones only ever come out of a checkpoint. */
export type ElementType = "float32" | "float16" | "bfloat16" | "int64" | "bool";

export interface ValueType {
  readonly elementType: ElementType;
  readonly shape: Shape;
}

/** A graph that is not well formed: a mistake in our own code or in a rule, never in a checkpoint. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/** For example `float32[batch, sequence, 64]`. */
export function formatType(type: ValueType): string {
  return `${type.elementType}[${type.shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * The shape two operands broadcast to: axes are matched from the innermost, and a size of 1 stretches.
 *
 * @throws GraphError when two sizes differ and neither is 1
 */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new GraphError(`Shapes [${a.join(", ")}] and [${b.join(", ")}] do not broadcast.`);
  });
}
