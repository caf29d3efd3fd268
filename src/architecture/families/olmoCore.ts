import { t } from "@vscode/l10n";
import * as z from "zod";
import { epsilon, flag, layerCount, positive, size } from "../config";
import type { Architecture, Attention, FeedForward, LayerDescription, Norm } from "../description";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import type { NormKind, Sizes } from "../familyReader";
import { FamilyReader, plainAttention } from "../familyReader";
import { rotary } from "../rotary";
import type { SchemeName } from "../schemes";
import { schemeNamed } from "../schemes";
import { settleScheme } from "../settleScheme";
import { sublayers, vectorNames } from "../sublayers";

const norm = z.object({
  name: z.enum(["default", "rms", "fused_rms"]).default("default"),
  eps: epsilon.default(1e-5),
  elementwise_affine: flag,
  bias: flag,
});

const attention = z.object({
  name: z.literal("default").default("default"),
  n_heads: size.default(16),
  n_kv_heads: size.nullish(),
  head_dim: size.nullish(),
  bias: flag,
  gate: z.null().optional(),
  rope: z
    .object({
      name: z.enum(["default", "fused", "complex"]).default("default"),
      theta: positive.default(500_000),
      scaling: z.null().optional(),
      no_global_rope: z.literal(false).nullish(),
    })
    .nullish(),
  clip_qkv: positive.nullish(),
  qk_norm: norm.nullish(),
  use_head_qk_norm: flag,
  sliding_window: z
    .object({
      pattern: z.array(z.int().min(-1)).min(1),
      force_full_attention_on_first_layer: z.boolean().default(true),
      force_full_attention_on_last_layer: z.boolean().default(true),
    })
    .nullish(),
});

/** The scheme of each of its blocks that is supported. */
const schemesOfBlocks = {
  default: "pre-ln",
  default_scaled: "lns",
  reordered_norm: "reordered",
  peri_norm: "sandwich",
} as const satisfies Record<string, SchemeName>;

const blockNames = Object.keys(schemesOfBlocks) as (keyof typeof schemesOfBlocks)[];

/** The keys of OLMo-core's TransformerConfig, with its defaults; what only null is accepted of is not supported. */
const schema = z.object({
  name: z.literal("default").default("default"),
  d_model: size,
  vocab_size: size,
  n_layers: layerCount,
  block: z.object({
    name: z.enum(blockNames).default("default"),
    attention: attention.optional(),
    /** What newer versions call it. */
    sequence_mixer: attention.optional(),
    feed_forward: z.object({
      name: z.literal("default").default("default"),
      hidden_size: size,
      bias: flag,
      activation: z.literal("silu").default("silu"),
    }),
    layer_norm: norm,
    attention_residual_alpha: z.literal(1).nullish(),
    feed_forward_residual_alpha: z.literal(1).nullish(),
  }),
  lm_head: z.object({
    name: z.literal("default").default("default"),
    layer_norm: norm.nullish(),
    bias: flag,
  }),
  embedding_norm: norm.nullish(),
  embed_scale: positive.nullish(),
  block_overrides: z.null().optional(),
  block_pattern: z.null().optional(),
  tie_word_embeddings: flag,
});

type Config = z.infer<typeof schema>;

/** Models trained with OLMo-core, in its own layout; its config.json describes a run, `model` being a part. */
export const olmoCore: Family = {
  name: "olmo-core",
  recognises: (config) => isModel(config) || isModel(config["model"]),
  describe: (checkpoint, config, asked): Architecture => {
    const own = isModel(config.value)
      ? config
      : { ...config, value: config.value["model"] as Readonly<Record<string, unknown>> };
    const reader = new FamilyReader("olmo-core", checkpoint, own);
    const parsed = reader.parse(schema);
    const scheme = settleScheme(checkpoint, own, asked, {
      name: schemesOfBlocks[parsed.block.name],
      source: t("the block {0} in config.json", parsed.block.name),
    });
    const hidden = { d_model: parsed.d_model };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const { tensors } = reader;
    const tokens = tensors.take("embeddings.weight", vocabulary);
    const layers = Array.from({ length: parsed.n_layers }, (_, index): LayerDescription => {
      const path = `blocks.${index}`;
      return {
        path,
        ...sublayers(
          schemeNamed(scheme.name).placement(index, parsed.n_layers),
          namesOf(parsed.block.name),
          {
            norm: (name) => normAt(reader, `${path}.${name}`, hidden, parsed.block.layer_norm),
            vector: (name) => tensors.take(`${path}.${name}`, hidden),
          },
          {
            attention: () => attentionAt(reader, parsed, index, `${path}.attention`),
            feedForward: () => feedForwardAt(reader, parsed, `${path}.feed_forward`),
          },
        ),
      };
    });
    const { layer_norm: headNorm, bias } = parsed.lm_head;
    const head = reader.head("lm_head.w_out.weight", tokens, vocabulary, {
      isTied: parsed.tie_word_embeddings ?? false,
      isExpected: true,
    });
    const first = layers[0]!.attention.module;
    return reader.finish({
      hiddenSize: parsed.d_model,
      heads: first.heads,
      keyValueHeads: first.keyValueHeads,
      feedForwardSize: parsed.block.feed_forward.hidden_size,
      vocabularySize: parsed.vocab_size,
      contextLength: undefined,
      scheme,
      embedding: {
        ...plainEmbedding(tokens),
        scale: parsed.embed_scale ?? 1,
        norm: parsed.embedding_norm
          ? normAt(reader, "embedding_norm", hidden, parsed.embedding_norm)
          : undefined,
      },
      layers,
      finalNorm: headNorm ? normAt(reader, "lm_head.norm", hidden, headNorm) : undefined,
      head: head && {
        ...head,
        bias:
          (bias ?? true)
            ? tensors.take("lm_head.w_out.bias", { vocab_size: parsed.vocab_size })
            : undefined,
      },
      statedScales: reader.scalesOfLayers(/^blocks\.(\d+)\.ln_scale$/),
    });
  },
};

function isModel(config: unknown): boolean {
  return typeof config === "object" && config !== null && "d_model" in config && "block" in config;
}

/** Peri-norm has norms of its own after each sublayer; every other block uses its two at one place. */
function namesOf(block: Config["block"]["name"]) {
  const at = (name: string) => ({
    inputNorm: name,
    branchNorm: block === "peri_norm" ? `post_${name}` : name,
    sumNorm: name,
  });
  return {
    attention: { ...vectorNames.attention, ...at("attention_norm") },
    feedForward: { ...vectorNames.feedForward, ...at("feed_forward_norm") },
  };
}

function normAt(
  reader: FamilyReader,
  path: string,
  size: Sizes,
  { name, eps, elementwise_affine: isAffine, bias }: z.infer<typeof norm>,
): Norm {
  const hasWeight = isAffine ?? true;
  const kind: NormKind = {
    kind: name === "default" ? "layer" : "rms",
    epsilon: eps,
    hasWeight,
    hasBias: hasWeight && (bias ?? true),
  };
  return reader.norm(path, size, kind);
}

function attentionAt(
  reader: FamilyReader,
  { block, d_model: hiddenSize, n_layers: layers }: Config,
  layer: number,
  path: string,
): Attention {
  const own = block.attention ?? block.sequence_mixer;
  if (own === undefined) {
    throw reader.refusal("block.attention", undefined, "expected the options of the attention");
  }
  const { n_heads: heads, rope, qk_norm: headsNorm, use_head_qk_norm: isPerHead } = own;
  const keyValueHeads = own.n_kv_heads ?? heads;
  reader.requireGroups("block.attention.n_kv_heads", keyValueHeads, heads);
  const headSize = own.head_dim ?? reader.headSize("block.attention.n_heads", heads, hiddenSize);
  const hidden = { d_model: hiddenSize };
  const queries = { "n_heads × head_dim": heads * headSize };
  const keys = { "n_kv_heads × head_dim": keyValueHeads * headSize };
  const hasBias = own.bias ?? true;
  const normOf = (name: string, all: Sizes): Norm | undefined =>
    headsNorm
      ? normAt(reader, `${path}.${name}`, isPerHead ? { head_dim: headSize } : all, headsNorm)
      : undefined;
  return {
    ...plainAttention(heads, headSize, {
      query: reader.linear(`${path}.w_q`, queries, hidden, { hasBias }),
      key: reader.linear(`${path}.w_k`, keys, hidden, { hasBias }),
      value: reader.linear(`${path}.w_v`, keys, hidden, { hasBias }),
      output: reader.linear(`${path}.w_out`, hidden, queries, { hasBias }),
    }),
    keyValueHeads,
    clip: own.clip_qkv ?? undefined,
    queryNorm: normOf("q_norm", queries),
    keyNorm: normOf("k_norm", keys),
    normsSpan: isPerHead ? "head" : "heads",
    rotary: rope
      ? rotary(
          headSize,
          rope.theta,
          { type: "default" },
          rope.name === "complex" ? "neighbours" : "halves",
        )
      : undefined,
    window: windowOf(own.sliding_window ?? undefined, layer, layers),
  };
}

/** The pattern's window of a layer; −1 in it is none, and the first and the last layer may be left out. */
function windowOf(
  sliding: NonNullable<z.infer<typeof attention>["sliding_window"]> | undefined,
  layer: number,
  layers: number,
): number | undefined {
  if (sliding === undefined) return undefined;
  const { force_full_attention_on_first_layer: firstIsFull, pattern } = sliding;
  const lastIsFull = sliding.force_full_attention_on_last_layer;
  if ((firstIsFull && layer === 0) || (lastIsFull && layer === layers - 1)) return undefined;
  const window = pattern[(firstIsFull ? layer - 1 : layer) % pattern.length]!;
  return window === -1 ? undefined : window;
}

function feedForwardAt(
  reader: FamilyReader,
  { block, d_model }: Config,
  path: string,
): FeedForward {
  const { hidden_size, bias } = block.feed_forward;
  const [hidden, inner] = [{ d_model }, { "feed_forward.hidden_size": hidden_size }];
  const hasBias = bias ?? true;
  return {
    gate: reader.linear(`${path}.w1`, inner, hidden, { hasBias }),
    up: reader.linear(`${path}.w3`, inner, hidden, { hasBias }),
    down: reader.linear(`${path}.w2`, hidden, inner, { hasBias }),
    activation: "silu",
  };
}
