/** What a tensor does, in the words of fathom.json, and where inference finds one that does it. */
interface RoleDescription {
  /** Module path that inference understands; within a layer where `place` says so. */
  readonly path: string;
  /** `layer`: every layer has one; `model`: it stands around the layers; `any`: either. */
  readonly place: "layer" | "model" | "any";
  /** What the tensor's own name ends in there; left out: `weight`, or `bias` for the role's bias. */
  readonly ending?: string;
  readonly hasNoBias?: true;
  readonly description: string;
}

/** In the order in which a layer computes with them. */
const table = {
  "token embedding": {
    path: "token_embedding",
    place: "model",
    hasNoBias: true,
    description: "Vectors of the tokens [vocabulary, channels].",
  },
  "patch embedding": {
    path: "patch_embed",
    place: "model",
    description: "Convolution or linear that an image's patches go through.",
  },
  "pixel norm": {
    path: "pixel_norm",
    place: "model",
    description: "Norm of a patch's pixels, before they go through the patch embedding.",
  },
  "patch norm": {
    path: "patch_norm",
    place: "model",
    description: "Norm of what the patch embedding makes of a patch, before positions are added.",
  },
  "class token": {
    path: "cls_token",
    place: "model",
    hasNoBias: true,
    description: "Vector before an image's patches that its class is read from.",
  },
  "distillation token": {
    path: "dist_token",
    place: "model",
    hasNoBias: true,
    description: "Second vector before an image's patches, which a teacher's class is read from.",
  },
  "register tokens": {
    path: "reg_tokens",
    place: "model",
    hasNoBias: true,
    description: "Further vectors before an image's patches.",
  },
  "position embedding": {
    path: "position_embedding",
    place: "model",
    hasNoBias: true,
    description: "Learned vectors of the positions [places, channels].",
  },
  "segment embedding": {
    path: "segment_embedding",
    place: "model",
    hasNoBias: true,
    description: "Vectors of the kinds of segment; reading.segment says which every token has.",
  },
  "embedding norm": {
    path: "embedding_norm",
    place: "model",
    description: "Norm of the embedding, before the first layer.",
  },
  "attention norm": {
    path: "attention_norm",
    place: "layer",
    description:
      "The attention's norm; reading.norm says where it stands. Of two, the one of its input; where a layer has one norm, that.",
  },
  "attention output norm": {
    path: "attention_post_norm",
    place: "layer",
    description: "Norm of what the attention computes, in layers of four norms.",
  },
  "feed-forward norm": {
    path: "feed_forward_norm",
    place: "layer",
    description:
      "The feed-forward's norm; reading.norm says where it stands. Of two, the one of its input.",
  },
  "feed-forward output norm": {
    path: "feed_forward_post_norm",
    place: "layer",
    description: "Norm of what the feed-forward computes, in layers of four norms.",
  },
  query: {
    path: "attn.q_proj",
    place: "layer",
    description: "Query projection; with {head} in its name, of one head.",
  },
  key: {
    path: "attn.k_proj",
    place: "layer",
    description: "Key projection; with {head} in its name, of one head.",
  },
  value: {
    path: "attn.v_proj",
    place: "layer",
    description: "Value projection; with {head} in its name, of one head.",
  },
  "key-value": {
    path: "attn.kv",
    place: "layer",
    description: "Key and value projection in one: all keys, then all values.",
  },
  "query-key-value": {
    path: "attn.qkv",
    place: "layer",
    description: "Query, key and value projection in one; reading.fused says how its rows lie.",
  },
  "query norm": {
    path: "attn.q_norm",
    place: "layer",
    description: "Norm of the queries, over each head or over all of them.",
  },
  "key norm": {
    path: "attn.k_norm",
    place: "layer",
    description: "Norm of the keys, over each head or over all of them.",
  },
  "attention output": {
    path: "attn.out_proj",
    place: "layer",
    description: "Projection from the heads' values back to the stream.",
  },
  "attention layer scale": {
    path: "attention_layer_scale",
    place: "layer",
    hasNoBias: true,
    description: "LayerScale's vector [channels], which multiplies what the attention computes.",
  },
  "attention residual scale": {
    path: "attention_omega",
    place: "layer",
    hasNoBias: true,
    description:
      "Admin's ω [channels], which multiplies the stream that the attention is added to.",
  },
  "cross-attention norm": {
    path: "cross_attention_norm",
    place: "layer",
    description:
      "Norm of the attention to a memory, in layers that attend to one between attention and feed-forward.",
  },
  "cross-attention query": {
    path: "cross_attn.q_proj",
    place: "layer",
    description: "Query projection of the attention to a memory.",
  },
  "cross-attention key": {
    path: "cross_attn.k_proj",
    place: "layer",
    description: "Key projection of the attention to a memory.",
  },
  "cross-attention value": {
    path: "cross_attn.v_proj",
    place: "layer",
    description: "Value projection of the attention to a memory.",
  },
  "cross-attention query-key-value": {
    path: "cross_attn.qkv",
    place: "layer",
    description: "Query, key and value projection of the attention to a memory in one.",
  },
  "cross-attention output": {
    path: "cross_attn.out_proj",
    place: "layer",
    description: "Projection from the values of the attention to a memory back to the stream.",
  },
  "feed-forward gate": {
    path: "mlp.gate_proj",
    place: "layer",
    description: "The inner linear of a gated feed-forward that goes through the activation.",
  },
  "feed-forward up": {
    path: "mlp.up_proj",
    place: "layer",
    description: "Inner linear of the feed-forward.",
  },
  "feed-forward gate and up": {
    path: "mlp.gate_up_proj",
    place: "layer",
    description:
      "Both inner linears of a gated feed-forward in one; reading.gate says which is first.",
  },
  "feed-forward down": {
    path: "mlp.down_proj",
    place: "layer",
    description: "Linear of the feed-forward back to the stream.",
  },
  "feed-forward layer scale": {
    path: "feed_forward_layer_scale",
    place: "layer",
    hasNoBias: true,
    description: "LayerScale's vector [channels], which multiplies what the feed-forward computes.",
  },
  "feed-forward residual scale": {
    path: "feed_forward_omega",
    place: "layer",
    hasNoBias: true,
    description:
      "Admin's ω [channels], which multiplies the stream that the feed-forward is added to.",
  },
  "final norm": {
    path: "final_norm",
    place: "model",
    description: "Norm after the last layer.",
  },
  "head transform": {
    path: "mlm.dense",
    place: "model",
    description: "Linear of a head that tells masked tokens, before its activation.",
  },
  "head norm": {
    path: "mlm.norm",
    place: "model",
    description: "Norm of a head that tells masked tokens, before its decoder.",
  },
  head: {
    path: "lm_head",
    place: "model",
    description:
      "Head [vocabulary or classes, channels]; a language model without one has its embedding.",
  },
  "distillation head": {
    path: "head_dist",
    place: "model",
    description: "Second head, of the distillation token.",
  },
  "rotary frequencies": {
    path: "rotary",
    ending: "inv_freq",
    place: "any",
    hasNoBias: true,
    description: "Angle per position of each rotary pair.",
  },
  "rotary cosines": {
    path: "rotary",
    ending: "cos",
    place: "any",
    hasNoBias: true,
    description: "Table of the rotary angles' cosines [places, channels].",
  },
  "rotary sines": {
    path: "rotary",
    ending: "sin",
    place: "any",
    hasNoBias: true,
    description: "Table of the rotary angles' sines [places, channels].",
  },
  unused: {
    path: "",
    place: "any",
    hasNoBias: true,
    description: "Computes nothing: a mask, a buffer, what is left of training.",
  },
} as const satisfies Record<string, RoleDescription>;

export type Part = keyof typeof table;

/** A part of a model, or the bias of one: `query`, `query bias`. */
export type Role = Part | `${Part} bias`;

export const partNames = Object.keys(table) as Part[];

/** The row of the table, with every column that a row may leave out. */
export function partNamed(name: Part): RoleDescription {
  return table[name];
}

/** Every role, a part's bias after the part. */
export const roleNames: readonly Role[] = partNames.flatMap((part): Role[] =>
  partNamed(part).hasNoBias ? [part] : [part, `${part} bias`],
);

/** For each of `roleNames`, in a sentence. */
export const roleDescriptions: readonly string[] = roleNames.map((role) =>
  isBiasRole(role) ? `Bias of the ${partOf(role)}.` : partNamed(partOf(role)).description,
);

export function partOf(role: Role): Part {
  return role.replace(/ bias$/, "") as Part;
}

export function isBiasRole(role: Role): boolean {
  return role.endsWith(" bias");
}

/** What is written for a tensor that nothing is known of; it is no role, so it has to be replaced. */
export const unknownRole = "unknown";
