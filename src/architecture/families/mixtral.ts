import type * as z from "zod";
import { epsilon, lineageSchema, size } from "../config";
import { readExperts, softmaxRouter } from "../experts";
import { lineageFamily } from "../llamaLineage";
import { mistralTraits } from "./mistral";

const schema = lineageSchema.extend({
  num_local_experts: size.default(8),
  num_experts_per_tok: size.default(2),
  rms_norm_eps: epsilon.default(1e-5),
  // MixtralConfig's own default is no window.
  sliding_window: size.nullable().default(null),
});

/** Mixtral (arXiv 2401.04088): Mistral with a mixture of experts in every layer. */
export const mixtral = lineageFamily<z.infer<typeof schema>>(
  {
    ...mistralTraits,
    family: "mixtral",
    otherNames: { num_experts: "num_local_experts" },
    schema,
    defaultTheta: 1_000_000,
    readFeedForward: (reading) => {
      const { reader, config } = reading;
      const count = { num_local_experts: config.num_local_experts };
      // transformers 5 calls the module `mlp`, and saves it under its old name.
      const old = `${reading.path}.block_sparse_moe`;
      const path = reader.tensors.has(`${old}.gate.weight`) ? old : `${reading.path}.mlp`;
      return {
        router: softmaxRouter(reading, `${path}.gate`, count, true),
        experts: readExperts(reading, {
          path: `${path}.experts`,
          count,
          inner: { intermediate_size: config.intermediate_size },
          names: { gate: "w1", up: "w3", down: "w2" },
        }),
        shared: undefined,
      };
    },
  },
  (config) => config["model_type"] === "mixtral",
);
