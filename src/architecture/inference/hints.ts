import type { Checkpoint } from "../../checkpoint/checkpoint";
import type { SettingName } from "../reading";

/** What training scripts call a setting that they save. */
const keys: Partial<Record<SettingName, readonly string[]>> = {
  heads: [
    "n_head",
    "n_heads",
    "num_heads",
    "nhead",
    "num_attention_heads",
    "n_head_q",
    "n_heads_q",
    "heads",
  ],
  "rotary-base": ["rope_theta", "rope_base", "rotary_base"],
};

/** What a config, or an object in it, states of a setting; undefined where it states none, or several. */
export function hintOf(
  { config }: Checkpoint,
  name: SettingName,
): { readonly value: string; readonly by: string } | undefined {
  if (config === undefined) return undefined;
  const found = new Map<string, string>();
  const look = (object: Readonly<Record<string, unknown>>, path: string, depth: number): void => {
    for (const [key, value] of Object.entries(object)) {
      if (typeof value === "number" && keys[name]?.includes(key)) {
        found.set(String(value), `${path}${key}`);
      }
      const isInner = typeof value === "object" && value !== null && !Array.isArray(value);
      if (isInner && depth < 2) look(value as Record<string, unknown>, `${path}${key}.`, depth + 1);
    }
  };
  look(config.value, "", 0);
  const [only] = [...found];
  return only && found.size === 1
    ? { value: only[0], by: `${only[1]} of the checkpoint` }
    : undefined;
}
