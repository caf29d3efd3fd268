/** What llama.cpp's decoders with tensor names of their own have in common. */
import type { Names } from "../names";
import type { Keys } from "./keys";

/** What parts of a decoder are called, under the name of a layer, as module paths. */
export interface DecoderModules {
  readonly tokens: string;
  readonly finalNorm: string;
  readonly layer: string;
  /** By the name that llama.cpp has for it, such as `attn_norm`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Tensors outside the layers, the same. */
  readonly further?: Readonly<Record<string, string>>;
}

export function namesOf({ tokens, finalNorm, layer, parts, further = {} }: DecoderModules): Names {
  const outside = Object.entries({
    token_embd: tokens,
    output_norm: finalNorm,
    output: "lm_head",
    ...further,
  }).map(([ours, theirs]) => [new RegExp(`^${ours}\\.`), `${theirs}.`] as const);
  const inside = Object.entries(parts).map(
    ([ours, theirs]) =>
      [new RegExp(`^blk\\.(\\d+)\\.${ours}\\.`), `${layer}.$1.${theirs}.`] as const,
  );
  return [...outside, ...inside];
}

export const vocabulary = (keys: Keys): unknown => keys.shapeOf("token_embd.weight")[0];
export const isTied = (keys: Keys): boolean => !keys.has("output.weight");
export const baseOf = (keys: Keys): unknown => keys.get("rope.freq_base") ?? 10_000;
