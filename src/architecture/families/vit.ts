import { t } from "@vscode/l10n";
import * as z from "zod";
import { epsilon, flag, layerCount, size } from "../config";
import { describeStack } from "../stack";
import type { Architecture, Head, Linear } from "../description";
import { plainHead, tokensOfImage } from "../description";
import type { Family } from "../family";
import type { Sizes } from "../familyReader";
import { FamilyReader, plainAttention } from "../familyReader";
import { readPatchEmbedding } from "../patches";
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
      const head = classHead(reader, { num_labels: labels }, hidden);
      // Of other tasks: masked images, and a summary that no classifier of images reads.
      tensors.ignore(/(^|\.)embeddings\.mask_token$|(^|\.)pooler\.|^decoder\.0\./);
      const path = `${prefix}embeddings`;
      const embedding = readPatchEmbedding(
        reader,
        {
          projection: `${path}.patch_embeddings.projection`,
          hasBias: true,
          firstTokens: ["cls_token", ...furtherTokens].map((name) => `${path}.${name}`),
          positions: `${path}.position_embeddings`,
        },
        {
          hidden,
          channels: { num_channels: parsed.num_channels },
          image: { key: "image_size", pixels: pair(parsed.image_size) },
          patch: { key: "patch_size", pixels: pair(parsed.patch_size) },
        },
        undefined,
      );
      const described = describeStack(reader, {
        heads,
        keyValueHeads: heads,
        feedForwardSize: parsed.intermediate_size,
        vocabularySize: labels,
        contextLength: tokensOfImage(embedding),
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
        feedForward: (path) =>
          reader.feedForward(
            { up: `${path}.intermediate.dense`, down: `${path}.output.dense` },
            inner,
            hidden,
            activation,
          ),
        embedding,
        finalNorm: `${prefix}layernorm`,
        head,
        objective: { kind: "class" },
      });
      return head ? described : { ...described, whyNoHead: noClassHead() };
    },
  };
}

/** Why a vision model's loss is not measured where it has no head. */
export const noClassHead = (): string => t("the checkpoint has no head that tells classes");

/** A classifier of the first token, or DeiT's two, whose second is of the token after. */
function classHead(reader: FamilyReader, classes: Sizes, hidden: Sizes): Head | undefined {
  const { tensors } = reader;
  const linear = (name: string): Linear => reader.linear(name, classes, hidden);
  if (tensors.has("classifier.weight")) {
    const { weight, bias } = linear("classifier");
    return { ...plainHead(weight), bias };
  }
  if (!tensors.has("distillation_classifier.weight")) return undefined;
  const { weight, bias } = linear("cls_classifier");
  return { ...plainHead(weight), bias, besides: linear("distillation_classifier") };
}

function pair(sizes: number | [number, number]): [number, number] {
  return typeof sizes === "number" ? [sizes, sizes] : sizes;
}
