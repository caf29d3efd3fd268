import type { LineageConfig } from "../config";
import type { LineageTraits } from "../llamaLineage";
import { lineageFamily, windowSize } from "../llamaLineage";
import { rotaryOfKind } from "../rotaryByKind";
import { olmo2Traits } from "./olmo2";

const base = 500_000;

/** OLMo 3 (Ai2, 2025): OLMo 2 with a window in all but every fourth layer. */
export const olmo3 = lineageFamily(
  {
    ...olmo2Traits,
    family: "olmo3",
    window: (config, layer) => (isLocal(config, layer) ? windowSize(config) : undefined),
    rotary: (reader, config, layer, headSize) => {
      const { rope_theta: stated, rope_parameters: byKind } = config;
      if (!byKind && stated && stated !== base) {
        const expectation = `versions of transformers differ in whether local layers have it or ${base}`;
        throw reader.refusal("rope_theta", stated, expectation);
      }
      const kind = isLocal(config, layer) ? "sliding_attention" : "full_attention";
      return rotaryOfKind(reader, config, kind, headSize, base);
    },
  } satisfies LineageTraits,
  (config) => config["model_type"] === "olmo3",
);

function isLocal({ layer_types: types }: LineageConfig, layer: number): boolean {
  return types ? types[layer] === "sliding_attention" : (layer + 1) % 4 !== 0;
}
