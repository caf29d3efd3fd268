import { t } from "@vscode/l10n";
import * as z from "zod";
import { CheckpointError } from "../../checkpoint/errors";
import { epsilon, flag, layerCount, size } from "../config";
import type { Architecture, Attention, Encoder, SpanCorruption, Stack } from "../description";
import { plainEmbedding, plainHead } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import type { StackPlan } from "../stack";
import { describeLayers, describeStack } from "../stack";
import { everywhere } from "../sublayers";

const token = z.int().nonnegative();
const schema = z.object({
  architectures: z.array(z.string()).nullish(),
  vocab_size: size,
  d_model: size,
  d_kv: size,
  d_ff: size,
  num_layers: layerCount,
  num_decoder_layers: layerCount.nullish(),
  num_heads: size,
  relative_attention_num_buckets: size.default(32),
  relative_attention_max_distance: size.default(128),
  layer_norm_epsilon: epsilon.default(1e-6),
  feed_forward_proj: z.string().default("relu"),
  tie_word_embeddings: flag,
  /** transformers 5 writes what it took from tie_word_embeddings, which it then sets to true. */
  scale_decoder_outputs: flag,
  pad_token_id: token.nullish(),
  eos_token_id: token.default(1),
  decoder_start_token_id: token.nullish(),
});
type Config = z.infer<typeof schema>;

/**
 * T5 (arXiv 1910.10683) and its kin: RMS norms, no biases, scores that are not scaled, and positions told
 * by one table of relative biases that all layers of a stack share (modeling_t5.py of transformers). One
 * of its two stacks is measured: the decoder, whose layers attend to the encoder's output, or the encoder.
 */
export const t5: Family = {
  name: "t5",
  recognises: (config) => config["model_type"] === "t5",
  describe: (checkpoint, config, scheme, stack): Architecture =>
    new T5(
      new FamilyReader("t5", checkpoint, config),
      settleScheme(checkpoint, config, scheme),
    ).describe(stack),
};

/** What a stack of T5's is, apart from what all its stacks share. */
interface StackOfT5 {
  readonly name: Stack;
  readonly layerNumber: number;
}

class T5 {
  private readonly config: Config;

  constructor(
    private readonly reader: FamilyReader,
    private readonly scheme: Architecture["scheme"],
  ) {
    this.config = reader.parse(schema);
    this.requireBuckets();
  }

  /** @param asked the user's word; undefined: the decoder where there is one with a head */
  describe(asked: Stack | undefined): Architecture {
    const { tensors, checkpoint } = this.reader;
    const decoderLayers = new Set(
      tensors.named(/^decoder\.block\.(\d+)\./).map(([, index]) => index),
    ).size;
    const byDefault = decoderLayers > 0 && this.hasHead() ? "decoder" : "encoder";
    const stack = asked ?? byDefault;
    if (stack === "encoder") return this.encoder(decoderLayers > 0);
    if (decoderLayers === 0) {
      throw new CheckpointError(
        "config",
        `${checkpoint.directoryFile}: the stack "decoder" was asked for, but there is only an encoder.`,
      );
    }
    return this.decoder();
  }

  private encoder(hasDecoder: boolean): Architecture {
    const { tensors } = this.reader;
    const stack: StackOfT5 = { name: "encoder", layerNumber: this.config.num_layers };
    // The embedding again, and the decoder with its head.
    tensors.ignore(/^(encoder|decoder)\.embed_tokens\.weight$|^decoder\.|^lm_head\.weight$/);
    const described: Architecture = {
      ...describeStack(this.reader, {
        ...this.plan(stack),
        head: undefined,
        objective: { kind: "masked-token", maskToken: undefined },
      }),
      stack: "encoder",
    };
    if (!hasDecoder) {
      const whyNoHead = t("the checkpoint is an encoder without a head that tells tokens");
      return { ...described, whyNoHead };
    }
    return {
      ...described,
      whyNoHead: t("the encoder is measured, which tells no tokens"),
      notices: [
        t("Measured are the {0} layers of the encoder, without the decoder.", stack.layerNumber),
      ],
    };
  }

  private decoder(): Architecture {
    const { tensors, config: file } = this.reader;
    const unsupported = ["parallel", "deepnorm"].find((name) => name === this.scheme.name);
    if (unsupported !== undefined) {
      throw new CheckpointError(
        "unsupported",
        `${file.path}: the norm scheme ${unsupported} is not supported in a decoder that attends to an encoder.`,
      );
    }
    const { config } = this;
    const encoderLayers = config.num_layers;
    const stack: StackOfT5 = {
      name: "decoder",
      layerNumber: config.num_decoder_layers ?? encoderLayers,
    };
    const plan = this.plan({ name: "encoder", layerNumber: encoderLayers });
    const { norm, hidden } = plan;
    const encoder: Encoder = {
      hiddenSize: config.d_model,
      embedding: plan.embedding,
      layers: describeLayers(this.reader, plan),
      finalNorm: this.reader.norm("encoder.final_layer_norm", hidden, norm),
    };
    const head = this.hasHead() ? this.head() : undefined;
    // The embedding again, and a table of relative biases that cross-attention once had but never used.
    tensors.ignore(
      /^(encoder|decoder)\.embed_tokens\.weight$|\.EncDecAttention\.relative_attention_bias\.weight$/,
    );
    const described: Architecture = {
      ...describeStack(this.reader, {
        ...this.plan(stack),
        head,
        objective: this.objective(),
      }),
      stack: "decoder",
      encoder,
    };
    return {
      ...described,
      ...(head === undefined && { whyNoHead: t("the checkpoint's decoder has no head") }),
      notices: [
        t(
          "Measured are the {0} layers of the decoder, each with its attention to the encoder's output, which stays the same whatever is removed.",
          stack.layerNumber,
        ),
      ],
    };
  }

  /** What both stacks have, each from its own tensors. */
  private plan({ name, layerNumber }: StackOfT5): Omit<StackPlan, "head"> {
    const { reader, config } = this;
    const { d_model, d_ff, num_heads: heads } = config;
    const isDecoder = name === "decoder";
    const feedForward = isDecoder ? "layer.2" : "layer.1";
    const hidden = { d_model };
    const inner = { d_ff };
    const noBias = { hasBias: false };
    const { isGated, activation } = this.activation();
    const relativeBias: Attention["relativeBias"] = {
      table: reader.tensors.take(
        `${name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
        { relative_attention_num_buckets: config.relative_attention_num_buckets },
        { num_heads: heads },
      ),
      maximumDistance: config.relative_attention_max_distance,
    };
    return {
      heads,
      keyValueHeads: heads,
      feedForwardSize: d_ff,
      vocabularySize: config.vocab_size,
      contextLength: undefined,
      scheme: this.scheme,
      hidden,
      layerNumber,
      layers: `${name}.block`,
      norm: { kind: "rms", epsilon: config.layer_norm_epsilon },
      norms: everywhere(
        "layer.0.layer_norm",
        `${feedForward}.layer_norm`,
        isDecoder ? "layer.1.layer_norm" : undefined,
      ),
      attention: (path) => ({
        ...this.attention(`${path}.layer.0.SelfAttention`),
        isBidirectional: !isDecoder,
        relativeBias,
      }),
      ...(isDecoder && {
        crossAttention: (path: string) => this.attention(`${path}.layer.1.EncDecAttention`),
      }),
      feedForward: (path) => {
        const module = `${path}.${feedForward}.DenseReluDense`;
        return {
          gate: isGated ? reader.linear(`${module}.wi_0`, inner, hidden, noBias) : undefined,
          up: reader.linear(`${module}.${isGated ? "wi_1" : "wi"}`, inner, hidden, noBias),
          down: reader.linear(`${module}.wo`, hidden, inner, noBias),
          activation,
        };
      },
      embedding: plainEmbedding(this.tokenEmbedding(name)),
      finalNorm: `${name}.final_layer_norm`,
    };
  }

  private attention(path: string): Attention {
    const { reader, config } = this;
    const { num_heads: heads, d_kv: headSize } = config;
    const queries = { "num_heads × d_kv": heads * headSize };
    const hidden = { d_model: config.d_model };
    const noBias = { hasBias: false };
    return {
      ...plainAttention(heads, headSize, {
        query: reader.linear(`${path}.q`, queries, hidden, noBias),
        key: reader.linear(`${path}.k`, queries, hidden, noBias),
        value: reader.linear(`${path}.v`, queries, hidden, noBias),
        output: reader.linear(`${path}.o`, hidden, queries, noBias),
      }),
      scale: 1,
      isBidirectional: true,
    };
  }

  private tokenEmbedding(stack: Stack) {
    const { tensors } = this.reader;
    const names = ["shared.weight", `${stack}.embed_tokens.weight`];
    return tensors.take(
      names.find((name) => tensors.has(name)) ?? "encoder.embed_tokens.weight",
      { vocab_size: this.config.vocab_size },
      { d_model: this.config.d_model },
    );
  }

  /** A decoder whose head is the embedding has no tensor that tells of it. */
  private hasHead(): boolean {
    if (this.reader.tensors.has("lm_head.weight")) return true;
    return !(this.config.architectures ?? []).some((name) => /^T5(Encoder)?Model$/.test(name));
  }

  /** Where the head is the embedding, the state is scaled by 1/√d_model first. */
  private head(): Architecture["head"] {
    const { config, reader } = this;
    const { d_model, scale_decoder_outputs: isScaled } = config;
    const isTied = config.tie_word_embeddings !== false;
    const scale = (isScaled ?? isTied) ? 1 / Math.sqrt(d_model) : 1;
    const vocabulary = { vocab_size: config.vocab_size, d_model };
    // transformers 5 states that a head is tied which it stores by itself.
    const isOwn = reader.tensors.has("lm_head.weight") && typeof isScaled === "boolean";
    if (isOwn) {
      const weight = reader.tensors.take("lm_head.weight", vocabulary);
      return { ...plainHead(weight), scale };
    }
    const options = { isTied, isExpected: true };
    const head = reader.head("lm_head.weight", this.tokenEmbedding("decoder"), vocabulary, options);
    return head && { ...head, scale };
  }

  private objective(): SpanCorruption {
    const { vocab_size, pad_token_id, decoder_start_token_id, eos_token_id } = this.config;
    const { padded, tokens } = releasedVocabulary;
    const startToken = decoder_start_token_id ?? pad_token_id ?? 0;
    for (const [key, id] of Object.entries({ eos_token_id, decoder_start_token_id: startToken })) {
      if (id < vocab_size) continue;
      throw this.reader.refusal(key, id, `it must be below vocab_size, ${vocab_size}`);
    }
    return {
      kind: "span-corruption",
      firstSentinel: (vocab_size === padded ? tokens : vocab_size) - 1,
      startToken,
      endToken: eos_token_id,
    };
  }

  private activation() {
    const { feed_forward_proj: stated } = this.config;
    const form = /^(gated-)?(\w+)$/.exec(stated);
    const isGated = form?.[1] !== undefined;
    // Released configs say gated-gelu and mean its approximation.
    const name = isGated && form[2] === "gelu" ? "gelu_new" : (form?.[2] ?? "");
    return { isGated, activation: this.reader.activation("feed_forward_proj", name) };
  }

  private requireBuckets(): void {
    const {
      relative_attention_num_buckets: buckets,
      relative_attention_max_distance: maximumDistance,
    } = this.config;
    if (buckets % 4 !== 0) {
      throw this.reader.refusal(
        "relative_attention_num_buckets",
        buckets,
        "expected a multiple of 4",
      );
    }
    // Of a decoder's buckets, which are all for keys before the query, half are one distance wide.
    const isDecoded = this.reader.tensors.named(/^decoder\.block\./).length > 0;
    const [share, words] = isDecoded ? [2, "half"] : [4, "a quarter"];
    if (maximumDistance <= buckets / share) {
      throw this.reader.refusal(
        "relative_attention_max_distance",
        maximumDistance,
        `it must exceed ${words} of relative_attention_num_buckets, ${buckets / share}`,
      );
    }
  }
}

/** Released models have an embedding of more rows than their tokenizer has tokens. */
const releasedVocabulary = { padded: 32_128, tokens: 32_100 };
