import type { Architecture } from "../architecture/description";
import type { Graph } from "./graph";
import { GraphBuilder } from "./graph";
import { linear, normalised, scaled } from "./modules";

export const embeddingInputs = {
  /** Token ids [batch, sequence]. */
  tokens: "tokens",
  /** Row of each position in the table of positions [sequence]; only where there is one. */
  positions: "positions",
} as const;
export const embeddingOutput = "stream";

/** Token ids → the residual stream x_0 [batch, sequence, hidden]. */
export function embeddingGraph({ embedding }: Architecture): Graph {
  const { tokens, scale, tokenProjection, positions, segment, norm, projection } = embedding;
  const builder = new GraphBuilder();
  const ids = builder.input(embeddingInputs.tokens, {
    elementType: "int64",
    shape: ["batch", "sequence"],
  });
  // Rows are chosen before they are widened to float32, so the table itself is never copied.
  const chosen = builder.toFloat32(builder.apply("Gather", [builder.storedWeight(tokens), ids]));
  const embedded = scaled(builder, chosen, scale);
  let stream = tokenProjection ? linear(builder, embedded, tokenProjection) : embedded;
  if (positions) {
    const places = builder.input(embeddingInputs.positions, {
      elementType: "int64",
      shape: ["sequence"],
    });
    const rows = builder.apply("Gather", [builder.storedWeight(positions.table), places]);
    stream = builder.add(stream, builder.toFloat32(rows));
  }
  if (segment) stream = builder.add(stream, builder.weight(segment));
  const normed = normalised(builder, stream, norm);
  builder.output(embeddingOutput, projection ? linear(builder, normed, projection) : normed);
  return builder.build();
}
