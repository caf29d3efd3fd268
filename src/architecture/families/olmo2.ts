import { t } from "@vscode/l10n";
import { epsilon, lineageSchema } from "../config";
import type { LineageTraits } from "../llamaLineage";
import { lineageFamily } from "../llamaLineage";
import { llamaTraits } from "./llama";

/** OLMo 2 (arXiv 2501.00656): norms after each sublayer, and of all heads' queries and keys. */
export const olmo2Traits = {
  ...llamaTraits,
  family: "olmo2",
  schema: lineageSchema.extend({ rms_norm_eps: epsilon.default(1e-5) }),
  biases: ({ attention_bias }) => ({
    queryKeyValue: attention_bias ?? false,
    attentionOutput: attention_bias ?? false,
    feedForward: false,
  }),
  scheme: {
    name: "reordered",
    get source() {
      return t("the default of the family");
    },
  },
  queryKeyNorm: "heads",
} as const satisfies LineageTraits;

export const olmo2 = lineageFamily(olmo2Traits, (config) => config["model_type"] === "olmo2");
