import type { Architecture } from "./description";

/** What weights cannot tell, by name; the values are written as a person states them. */
export const settingNames = [
  "heads",
  "norm",
  "norm-groups",
  "norm-kind",
  "norm-order",
  "activation",
  "positions",
  "sines",
  "rotary",
  "rotary-base",
  "rotary-span",
  "scale",
  "embedding-scale",
  "segment",
  "attention",
  "mask-token",
  "memory",
  "fused",
  "gate",
  "pool",
  "pixels",
  "head-activation",
  "gelu",
  "epsilon",
  "linears",
] as const;

export type SettingName = (typeof settingNames)[number];

export function isSettingName(name: string): name is SettingName {
  return settingNames.some((known) => known === name);
}

export type Settings = Readonly<Partial<Record<SettingName, string>>>;

/** A setting that nothing states, and the values it may have, the likeliest first. */
export interface OpenSetting {
  readonly name: SettingName;
  readonly values: readonly string[];
  /** Where it says anything: only where another setting has this value. */
  readonly onlyWith?: { readonly name: SettingName; readonly value: string };
  /**
   * Its values compute nearly the same (an activation and its approximation, two small ε): where
   * evidence cannot tell them apart, the first stands.
   */
  readonly isApproximate?: true;
  /**
   * Any number may be meant: its values are tried first, and what predicts best is then looked for among
   * the round numbers around the best of them.
   */
  readonly isContinuous?: true;
  /**
   * How stored tensors are taken apart. Under a wrong value nothing else can be told, so each is tried
   * by itself before the others are settled.
   */
  readonly isArrangement?: true;
  /** Values under which other settings may be told wrongly, so that they are settled anew with each. */
  readonly branches?: readonly string[];
  /** Values that are tried, but never taken without being stated: winning, they show another model. */
  readonly onlyStated?: readonly string[];
}

/** How a checkpoint is read: one architecture, or several that its weights could be of. */
export interface Proposal {
  /**
   * config.json and a family; a family told by what the file states itself; names and shapes; or the
   * roles that fathom.json states of its tensors.
   */
  readonly source: "config" | "family" | "inference" | "statement";
  /** What was settled without evaluating anything, by whom: the user, the config, the tensors. */
  readonly settled: readonly SettledSetting[];
  readonly open: readonly OpenSetting[];
  /** What speaks against every reading from the start, in words that name tensors. */
  readonly doubt?: string;
  /** Readings that could not be tried, and why, in words. */
  readonly untried?: string;
  /** @param settings a value for every open setting; left out ones are the likeliest */
  readonly architecture: (settings: Settings) => Architecture;
}

export interface SettledSetting {
  readonly name: SettingName;
  readonly value: string;
  /** In words: `as asked`, `12 tensors of one head each`. */
  readonly by: string;
}

/** What somebody states of a reading. */
export interface StatedSettings {
  readonly settings: Settings;
  /** Who, in words that a report can use: `as asked`, `fathom.json`. */
  readonly by: string;
  /** Made of what was open once: what the checkpoint tells by now goes over it without a word. */
  readonly isRemembered?: true;
}

/** What is stated of a reading by all who state something, the first going over the others. */
export interface Statements {
  readonly stated: readonly StatedSettings[];
  /** Values to try first of what nothing settles. */
  readonly guess: Settings;
  /** Keys of the config that change nothing of what is computed, although they look so. */
  readonly ignoredConfigKeys: readonly string[];
}

/** The likeliest reading. */
export function likeliest({ open }: Pick<Proposal, "open">): Settings {
  return withoutIdle(open, {});
}

/**
 * A reading with the likeliest values of what it leaves out, and without those that say nothing beside
 * the others (see `onlyWith`).
 */
export function withoutIdle(open: readonly OpenSetting[], settings: Settings): Settings {
  const whole: Record<string, string> = {};
  // What a setting depends on stands before it.
  for (const { name, values, onlyWith } of open) {
    if (onlyWith && whole[onlyWith.name] !== onlyWith.value) continue;
    whole[name] = settings[name] ?? values[0]!;
  }
  return whole;
}
