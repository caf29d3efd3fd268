/**
 * Where the norms of one layer's two sublayers stand and what is scaled, by a scheme (see `Sublayer`
 * for the formula). What a scheme does not name is left out of the sublayer.
 */
export interface Placement {
  /** A norm of what the sublayer's module reads, and the factor on its output. */
  readonly inputNorm?: { readonly scale: number };
  /** A norm of what the module computes, before it is added to the stream. */
  readonly branchNorm?: true;
  /** A norm of the sum. */
  readonly sumNorm?: true;
  /** Factor on what the module computes: a vector of the checkpoint. */
  readonly branchScale?: "vector";
  /** Factor on the stream before the sum: a number, or a vector of the checkpoint. */
  readonly streamScale?: number | "vector";
  /** Both sublayers read the layer's input, and their outputs are added together. */
  readonly isParallel?: true;
}

/** A norm placement scheme: one row of the table below. */
interface Scheme {
  /** How it is written in the field. */
  readonly title: string;
  /** The sublayer, f being attention or feed-forward and ℓ the layer index plus one. */
  readonly formula: string;
  /** @param layer module index, of how many layers */
  readonly placement: (layer: number, layers: number) => Placement;
  /** What a key of config.json such as `norm_scheme` calls it, in lower case with hyphens. */
  readonly names: RegExp;
  /** Keys of config.json that say so by being true (or 1). */
  readonly flags?: readonly string[];
  /** Keys of config.json that say so by being a number above 1. */
  readonly counts?: readonly string[];
  /** Tensors that only a checkpoint of this scheme holds. */
  readonly tensors?: RegExp;
}

const preNorm: Placement = { inputNorm: { scale: 1 } };
const postNorm: Placement = { sumNorm: true };

export const schemes = {
  "pre-ln": {
    title: "Pre-LN",
    formula: "x + f(LN x)",
    placement: () => preNorm,
    names: /^pre(-?(ln|norm))?$/,
  },
  /** LayerNorm Scaling (Sun et al., arXiv 2502.05795): both norms' outputs × 1/√ℓ. */
  lns: {
    title: "LayerNorm Scaling",
    formula: "x + f(LN(x)/√ℓ)",
    placement: (layer) => ({ inputNorm: { scale: 1 / Math.sqrt(layer + 1) } }),
    names: /^(lns|layer-?norm-?scaling|scaled-?pre-?ln)$/,
    flags: ["layer_norm_scaling", "layernorm_scaling", "use_layer_norm_scaling", "use_lns", "lns"],
    tensors: /\.ln_scale$/,
  },
  /** The original Transformer (arXiv 1706.03762) and BERT. */
  "post-ln": {
    title: "Post-LN",
    formula: "LN(x + f x)",
    placement: () => postNorm,
    names: /^post(-?(ln|norm))?$/,
  },
  /** Wang et al., arXiv 2203.00555, for decoder-only models of L layers. */
  deepnorm: {
    title: "DeepNorm",
    formula: "LN((2L)^¼ x + f x)",
    placement: (_, layers) => ({ ...postNorm, streamScale: (2 * layers) ** 0.25 }),
    names: /^deep-?(norm|ln|post)$/,
    flags: ["deepnorm", "use_deepnorm"],
  },
  /** Li et al., arXiv 2412.13795, with the share of Post-LN layers that the paper settles on. */
  "mix-ln": {
    title: "Mix-LN",
    formula: "Post-LN in the first ⌊L/4⌋ layers, Pre-LN in the rest",
    placement: (layer, layers) => (layer < Math.floor(layers / 4) ? postNorm : preNorm),
    names: /^(mix-?(ln|norm)|post-pre)$/,
    flags: ["mix_ln", "use_mix_ln"],
  },
  /** Sandwich-LN (arXiv 2105.13290), Peri-LN (arXiv 2502.02732). */
  sandwich: {
    title: "Sandwich-LN (Peri-LN)",
    formula: "x + LN(f(LN x))",
    placement: () => ({ ...preNorm, branchNorm: true }),
    names: /^(sandwich|peri)(-?(ln|norm))?$/,
    flags: ["sandwich_norm", "peri_ln"],
    tensors: /\.pre_feedforward_layernorm\.weight$/,
  },
  /** OLMo 2 (arXiv 2501.00656). */
  reordered: {
    title: "Reordered norm",
    formula: "x + LN(f x)",
    placement: () => ({ branchNorm: true }),
    names: /^(reordered(-?(ln|norm))?|output-?norm)$/,
  },
  /** Touvron et al., arXiv 2103.17239. */
  layerscale: {
    title: "LayerScale",
    formula: "x + λ ⊙ f(LN x)",
    placement: () => ({ ...preNorm, branchScale: "vector" }),
    names: /^layer-?scale$/,
    flags: ["layer_scale", "use_layer_scale"],
    tensors: /\.((attention|feed_forward)_layer_scale|ls[12]\.gamma|gamma_[12])$/,
  },
  /** Pre-LN whose output projections began at σ/√(2L), as in GPT-2; it computes what Pre-LN does. */
  "scaled-init": {
    title: "scaled initialisation",
    formula: "x + f(LN x), output projections initialised at σ/√(2L)",
    placement: () => preNorm,
    names: /^scaled?-?init(iali[sz]ation)?$/,
    flags: ["scaled_init", "use_scaled_init"],
  },
  /** Liu et al., arXiv 2004.08249: ω is profiled at initialisation. */
  admin: {
    title: "Admin",
    formula: "LN(ω ⊙ x + f x)",
    placement: () => ({ ...postNorm, streamScale: "vector" }),
    names: /^admin$/,
    tensors: /\.(attention|feed_forward)_residual_scale$/,
  },
  /** Every norm of the model is taken over equal groups of channels, as many as the config states. */
  "group-ln": {
    title: "Group-LN",
    formula: "x + f(LN x), the norm over groups of channels",
    placement: () => preNorm,
    names: /^group-?(ln|norm|rms-?norm)$/,
    counts: ["norm_groups"],
  },
  /** GPT-J, GPT-NeoX (arXiv 2204.06745), PaLM. */
  parallel: {
    title: "parallel sublayers",
    formula: "x + attention(LN x) + feed-forward(LN x)",
    placement: () => ({ ...preNorm, isParallel: true }),
    names: /^parallel(-?(ln|norm|residual))?$/,
    flags: ["parallel_attn", "use_parallel_residual", "parallel_residual"],
  },
} as const satisfies Record<string, Scheme>;

export type SchemeName = keyof typeof schemes;

export const schemeNames = Object.keys(schemes) as SchemeName[];

export function isSchemeName(name: string): name is SchemeName {
  return Object.hasOwn(schemes, name);
}

/** The row of the table, with every column a row may leave out. */
export function schemeNamed(name: SchemeName): Scheme {
  return schemes[name];
}

/** The scheme that a person or a config calls so: `pre`, `peri-ln`; undefined where it is none. */
export function schemeOf(name: string): SchemeName | undefined {
  if (isSchemeName(name)) return name;
  return schemeNames.find((known) => schemeNamed(known).names.test(name));
}
