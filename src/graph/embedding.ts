import type { Architecture } from "../architecture/description";
import type { Graph } from "./graph";
import { GraphBuilder } from "./graph";

export const embeddingInput = "tokens";
export const embeddingOutput = "stream";

/** Token ids [batch, sequence] → the residual stream x_0 [batch, sequence, hidden]. */
export function embeddingGraph({ embedding }: Architecture): Graph {
  const builder = new GraphBuilder();
  const tokens = builder.input(embeddingInput, {
    elementType: "int64",
    shape: ["batch", "sequence"],
  });
  // Rows are chosen before they are widened to float32, so the table itself is never copied.
  const rows = builder.apply("Gather", [builder.storedWeight(embedding), tokens]);
  builder.output(embeddingOutput, builder.toFloat32(rows));
  return builder.build();
}
