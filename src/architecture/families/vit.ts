import * as z from "zod";
import { reshaped } from "../../checkpoint/views";
import { epsilon, flag, layerCount, size } from "../config";
import { describeDecoder } from "../decoder";
import type { Architecture, Linear, PatchEmbedding } from "../description";
import { plainHead } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const pixels = z.union([size, z.tuple([size, size])]);
const schema = z.object({
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  image_size: pixels.default(224),
  patch_size: pixels.default(16),
  num_channels: size.default(3),
  hidden_act: z.string().default("gelu"),
  layer_norm_eps: epsilon.default(1e-12),
  qkv_bias: flag,
  num_labels: size.nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
});
type VisionConfig = z.infer<typeof schema>;

/** ViT (arXiv 2010.11929): modeling_vit.py of transformers. */
export const vit = visionFamily("vit", []);

/**
 * DeiT (arXiv 2012.12877): ViT with a token more, which learns from a teacher (modeling_deit.py of
 * transformers).
 */
export const deit = visionFamily("deit", ["distillation_token"]);

/** @param furtherTokens what stands between the class token and the patches */
function visionFamily(name: string, furtherTokens: readonly string[]): Family {
  return {
    name,
    recognises: (config) => config["model_type"] === name,
    describe: (checkpoint, config, asked): Architecture => {
      const reader = new FamilyReader(name, checkpoint, config);
      const { tensors } = reader;
      const parsed = reader.parse(schema);
      const { hidden_size: hiddenSize, num_attention_heads: heads } = parsed;
      const scheme = settleScheme(checkpoint, config, asked);
      const headSize = reader.headSize("num_attention_heads", heads, hiddenSize);
      const activation = reader.activation("hidden_act", parsed.hidden_act);
      const prefix = tensors.has(`${name}.embeddings.cls_token`) ? `${name}.` : "";
      const hidden = { hidden_size: hiddenSize };
      const inner = { intermediate_size: parsed.intermediate_size };
      const hasBias = parsed.qkv_bias ?? true;
      const labels = parsed.num_labels ?? Object.keys(parsed.id2label ?? { 0: "", 1: "" }).length;
      const hasHead = tensors.has("classifier.weight");
      const classes = { num_labels: labels };
      const head = hasHead ? reader.linear("classifier", classes, hidden) : undefined;
      // DeiT's released form: the mean of two heads, each on a token of its own.
      const hasTwoHeads = tensors.has("distillation_classifier.weight");
      tensors.ignore(/^(cls|distillation)_classifier\./);
      // Of other tasks: masked images, and a summary that no classifier of images reads.
      tensors.ignore(/(^|\.)embeddings\.mask_token$|(^|\.)pooler\.|^decoder\.0\./);
      const embedding = patchEmbedding(reader, parsed, `${prefix}embeddings`, [
        "cls_token",
        ...furtherTokens,
      ]);
      const described = describeDecoder(reader, {
        heads,
        keyValueHeads: heads,
        feedForwardSize: parsed.intermediate_size,
        vocabularySize: labels,
        contextLength: embedding.positions.shape[0],
        scheme,
        hidden,
        layerNumber: parsed.num_hidden_layers,
        layers: `${prefix}encoder.layer`,
        norm: { kind: "layer", epsilon: parsed.layer_norm_eps },
        norms: everywhere("layernorm_before", "layernorm_after"),
        attention: (path) => {
          const projection = (part: string): Linear =>
            reader.linear(`${path}.attention.attention.${part}`, hidden, hidden, { hasBias });
          return {
            ...plainAttention(heads, headSize, {
              query: projection("query"),
              key: projection("key"),
              value: projection("value"),
              output: reader.linear(`${path}.attention.output.dense`, hidden, hidden),
            }),
            isBidirectional: true,
          };
        },
        feedForward: (path) => ({
          gate: undefined,
          up: reader.linear(`${path}.intermediate.dense`, inner, hidden),
          down: reader.linear(`${path}.output.dense`, hidden, inner),
          activation,
        }),
        embedding,
        finalNorm: `${prefix}layernorm`,
        head: head && { ...plainHead(head.weight), bias: head.bias },
        objective: { kind: "class" },
      });
      if (hasHead) return described;
      const whyNoHead = hasTwoHeads
        ? "its logits are the mean of two heads on two tokens, which is not supported"
        : "the checkpoint has no head that tells classes";
      return { ...described, whyNoHead };
    },
  };
}

function patchEmbedding(
  reader: FamilyReader,
  parsed: VisionConfig,
  path: string,
  tokens: readonly string[],
): PatchEmbedding {
  const { tensors } = reader;
  const { num_channels: channels, hidden_size: hiddenSize } = parsed;
  const [height, width] = pair(parsed.image_size);
  const [rows, columns] = pair(parsed.patch_size);
  if (height % rows !== 0 || width % columns !== 0) {
    throw reader.refusal(
      "patch_size",
      parsed.patch_size,
      `it must divide image_size, ${height} × ${width}`,
    );
  }
  const hidden = { hidden_size: hiddenSize };
  const kernel = tensors.take(
    `${path}.patch_embeddings.projection.weight`,
    hidden,
    { num_channels: channels },
    { patch_size: rows },
    { "patch_size ": columns },
  );
  const count = tokens.length + (height / rows) * (width / columns);
  const positions = tensors.take(
    `${path}.position_embeddings`,
    { batch: 1 },
    { "patches and first tokens": count },
    hidden,
  );
  return {
    patches: {
      // A convolution that steps by whole patches is a linear of their pixels.
      weight: reshaped(kernel, [hiddenSize, channels * rows * columns]),
      bias: tensors.take(`${path}.patch_embeddings.projection.bias`, hidden),
    },
    firstTokens: tokens.map((name) =>
      reshaped(tensors.take(`${path}.${name}`, { batch: 1 }, { token: 1 }, hidden), [
        1,
        hiddenSize,
      ]),
    ),
    positions: reshaped(positions, [count, hiddenSize]),
    image: { channels, height, width },
    patch: [rows, columns],
  };
}

function pair(sizes: number | [number, number]): [number, number] {
  return typeof sizes === "number" ? [sizes, sizes] : sizes;
}
