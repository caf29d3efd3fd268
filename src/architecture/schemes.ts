import type { NormPlacement } from "./description";

/** A norm placement scheme: one row of the table below. */
interface Scheme {
  /** The sublayer, f being attention or feed-forward and ℓ the layer index plus one. */
  readonly formula: string;
  /** Where both norms of the layer with this index stand. */
  readonly placement: (layer: number) => NormPlacement;
  /** Keys of config.json by which training code is known to say that it used the scheme. */
  readonly isStatedIn: (config: Readonly<Record<string, unknown>>) => boolean;
}

export const schemes = {
  "pre-ln": {
    formula: "x + f(LN x)",
    placement: () => ({ at: "input", scale: 1 }),
    isStatedIn: (config) => normType(config).some((value) => /^pre(-?(ln|norm))?$/.test(value)),
  },
  /** LayerNorm Scaling (Sun et al., arXiv 2502.05795): both norms' outputs × 1/√ℓ. */
  lns: {
    formula: "x + f(LN(x)/√ℓ)",
    placement: (layer) => ({ at: "input", scale: 1 / Math.sqrt(layer + 1) }),
    isStatedIn: (config) =>
      ["layer_norm_scaling", "layernorm_scaling", "use_layer_norm_scaling", "use_lns", "lns"].some(
        (key) => config[key] === true,
      ) ||
      normType(config).some((value) => /^(lns|layer-?norm-?scaling|scaled-?pre-?ln)$/.test(value)),
  },
} as const satisfies Record<string, Scheme>;

export type SchemeName = keyof typeof schemes;

export const schemeNames = Object.keys(schemes) as SchemeName[];

export function isSchemeName(name: string): name is SchemeName {
  return Object.hasOwn(schemes, name);
}

/** What config.json calls its norm scheme, in lower case with hyphens; kinds of norm are not schemes. */
export function normType(config: Readonly<Record<string, unknown>>): string[] {
  return ["norm_scheme", "norm_type", "norm_placement", "norm_position"]
    .map((key) => config[key])
    .filter((value) => typeof value === "string")
    .map((value) => value.toLowerCase().replaceAll(/[_\s]+/g, "-"))
    .filter((value) => !/^(rms-?norm|rms|layer-?norm|ln)$/.test(value));
}
