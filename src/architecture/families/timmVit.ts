import { t } from "@vscode/l10n";
import * as z from "zod";
import { flag, size } from "../config";
import type { Activation, Architecture, Attention, MeanPooling, Norm } from "../description";
import { plainHead, tokensOfImage } from "../description";
import type { Family } from "../family";
import type { NormKind, Sizes } from "../familyReader";
import { FamilyReader, fromFused, plainAttention } from "../familyReader";
import { readPatchEmbedding } from "../patches";
import type { SettledScheme } from "../settleScheme";
import { settleScheme } from "../settleScheme";
import { describeStack } from "../stack";
import type { LayerNames } from "../sublayers";
import { vectorNames } from "../sublayers";
import { noClassHead } from "./vit";

/** What the name of one of timm's architectures says, and its tensors do not. */
interface Named {
  readonly name: RegExp;
  readonly epsilon?: number;
  readonly activation?: Activation;
  readonly scheme?: SettledScheme;
  /** Why it is refused. */
  readonly refusal?: string;
}

/** The first that a name fits is meant. */
const named: readonly Named[] = [
  { name: /_siglip/, refusal: "its activation differs from one model of the name to another" },
  { name: /_(clip|dfn|metaclip)_quickgelu_/, epsilon: 1e-5, activation: "quick_gelu" },
  { name: /_clip_/, epsilon: 1e-5 },
  {
    name: /_rpn_/,
    scheme: {
      name: "reordered",
      get source() {
        return t("the architecture's name; weights cannot tell it");
      },
    },
  },
  { name: /^(vit|deit3?|flexivit)_/ },
];

/** Channels and heads by what names call the size; others must state `num_heads` in `model_args`. */
const sizes: readonly { readonly name: RegExp; readonly width: number; readonly heads: number }[] =
  [
    { name: /^vit_base_patch16_gap_/, width: 768, heads: 16 },
    { name: /_tiny_/, width: 192, heads: 3 },
    { name: /_(xsmall|d?wee)_/, width: 256, heads: 4 },
    { name: /_d?little_/, width: 320, heads: 5 },
    { name: /_small(_|$)/, width: 384, heads: 6 },
    { name: /_mediumd?_/, width: 512, heads: 8 },
    { name: /_betwixt_/, width: 640, heads: 10 },
    { name: /_base_.*_plus_/, width: 896, heads: 14 },
    { name: /_base(_|$)/, width: 768, heads: 12 },
    { name: /_so150m2_/, width: 832, heads: 13 },
    { name: /_so150m_/, width: 896, heads: 14 },
    { name: /_large(_|$)/, width: 1024, heads: 16 },
    { name: /_so400m_/, width: 1152, heads: 16 },
    { name: /_huge_/, width: 1280, heads: 16 },
    { name: /_giant_/, width: 1408, heads: 16 },
    { name: /_gigantic_/, width: 1664, heads: 16 },
  ];

const pixels = z.union([size, z.tuple([size, size])]);
const schema = z.object({
  architecture: z.string(),
  num_classes: z.int().nonnegative().nullish(),
  global_pool: z.string().nullish(),
  pretrained_cfg: z.object({ input_size: z.tuple([size, size, size]).nullish() }).nullish(),
  /** What was stated over the architecture's own settings when the model was made. */
  model_args: z
    .object({
      img_size: pixels.nullish(),
      num_heads: size.nullish(),
      act_layer: z.string().nullish(),
      norm_layer: z.unknown().optional(),
      global_pool: z.string().nullish(),
      pool_include_prefix: flag,
    })
    .nullish(),
});
type TimmConfig = z.infer<typeof schema>;

/** timm's names of activations, as Hugging Face has them. */
const activationNames: Readonly<Record<string, string>> = {
  gelu_tanh: "gelu_pytorch_tanh",
  quickgelu: "quick_gelu",
};

const names: LayerNames = {
  attention: { ...vectorNames.attention, ...everyPlace("norm1"), branchScale: "ls1.gamma" },
  feedForward: { ...vectorNames.feedForward, ...everyPlace("norm2"), branchScale: "ls2.gamma" },
};

/** The same of DeiT III's released files. */
const oldNames: LayerNames = {
  attention: { ...names.attention, branchScale: "gamma_1" },
  feedForward: { ...names.feedForward, branchScale: "gamma_2" },
};

function everyPlace(name: string) {
  return { inputNorm: name, branchNorm: name, sumNorm: name };
}

/**
 * ViT and DeiT (arXiv 2010.11929, 2012.12877, 2204.07118) as timm keeps them: vision_transformer.py and
 * deit.py. Its config.json names the architecture; most of what that settles shows in the tensors.
 */
export const timmVit: Family = {
  name: "timm-vit",
  recognises: (config, tensors) =>
    typeof config["architecture"] === "string" &&
    tensors.has("patch_embed.proj.weight") &&
    tensors.has("blocks.0.attn.qkv.weight"),
  describe: (checkpoint, config, asked): Architecture => {
    const reader = new FamilyReader("timm-vit", checkpoint, config);
    const { tensors } = reader;
    const parsed = reader.parse(schema);
    const known = named.find(({ name }) => name.test(parsed.architecture));
    if (known === undefined || known.refusal !== undefined) {
      const reason = known?.refusal ?? "supported are vit_*, deit_*, deit3_* and flexivit_*";
      throw reader.refusal("architecture", parsed.architecture, reason);
    }
    if (parsed.model_args?.norm_layer) {
      const { norm_layer: stated } = parsed.model_args;
      throw reader.refusal("model_args.norm_layer", stated, "supported is only the architecture's");
    }
    const hiddenSize = tensors.shapeOf("patch_embed.proj.weight")?.[0] ?? 0;
    const hidden = { "channels of patch_embed.proj": hiddenSize };
    const innerSize = tensors.shapeOf("blocks.0.mlp.fc1.weight")?.[0] ?? 0;
    const inner = { "channels of mlp.fc1": innerSize };
    const heads = headsOf(reader, parsed, hiddenSize);
    const headSize = reader.headSize("model_args.num_heads", heads, hiddenSize);
    const norm: NormKind = { kind: "layer", epsilon: known.epsilon ?? 1e-6 };
    const stated = parsed.model_args?.act_layer;
    const activation = stated
      ? reader.activation("model_args.act_layer", activationNames[stated] ?? stated)
      : (known.activation ?? "gelu");
    const layerCount =
      1 + Math.max(...tensors.named(/^blocks\.(\d+)\./).map(([, at]) => Number(at)));
    const [, channels = 0, rows = 0, columns = 0] =
      tensors.shapeOf("patch_embed.proj.weight") ?? [];
    const embedding = readPatchEmbedding(
      reader,
      {
        projection: "patch_embed.proj",
        hasBias: tensors.has("patch_embed.proj.bias"),
        firstTokens: ["cls_token", "dist_token", "reg_token"].filter((name) => tensors.has(name)),
        positions: "pos_embed",
        mayLeaveOutFirstTokens: true,
      },
      {
        hidden,
        channels: { "channels of patch_embed.proj": channels },
        image: imageOf(parsed),
        patch: { key: "patch_embed.proj", pixels: [rows, columns] },
      },
      normAt(reader, "norm_pre", hidden, norm),
    );
    const { pooling, finalNorm } = poolingOf(reader, parsed, embedding.firstTokens.length);
    const hasHead = tensors.has("head.weight");
    const classes = { num_classes: parsed.num_classes ?? tensors.shapeOf("head.weight")?.[0] ?? 0 };
    const head = hasHead ? reader.linear("head", classes, hidden) : undefined;
    const besides = hasHead && tensors.has("head_dist.weight");
    const described = describeStack(reader, {
      heads,
      keyValueHeads: heads,
      feedForwardSize: innerSize,
      vocabularySize: hasHead ? Object.values(classes)[0]! : 1,
      contextLength: tokensOfImage(embedding),
      scheme: settleScheme(checkpoint, config, asked, known.scheme),
      hidden,
      layerNumber: layerCount,
      layers: "blocks",
      norm,
      norms: tensors.has("blocks.0.gamma_1") ? oldNames : names,
      attention: (path): Attention => {
        const fused = reader.linear(
          `${path}.attn.qkv`,
          { "3 × channels of patch_embed.proj": 3 * hiddenSize },
          hidden,
          { hasBias: tensors.has(`${path}.attn.qkv.bias`) },
        );
        const ofHead = { "channels of a head": headSize };
        return {
          ...plainAttention(heads, headSize, {
            ...fromFused(fused, headSize, { heads, keyValueHeads: heads, groups: 1 }),
            output: reader.linear(`${path}.attn.proj`, hidden, hidden, {
              hasBias: tensors.has(`${path}.attn.proj.bias`),
            }),
          }),
          queryNorm: normAt(reader, `${path}.attn.q_norm`, ofHead, norm),
          keyNorm: normAt(reader, `${path}.attn.k_norm`, ofHead, norm),
          isBidirectional: true,
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.fc1`, down: `${path}.mlp.fc2` },
          inner,
          hidden,
          activation,
          { hasBias: tensors.has(`${path}.mlp.fc1.bias`) },
        ),
      embedding,
      finalNorm,
      head: head && {
        ...plainHead(head.weight),
        bias: head.bias,
        ...(besides && { besides: reader.linear("head_dist", classes, hidden) }),
      },
      objective: { kind: "class", ...(pooling && { pooling }) },
    });
    return hasHead ? described : { ...described, whyNoHead: noClassHead() };
  },
};

function normAt(
  reader: FamilyReader,
  path: string,
  channels: Sizes,
  norm: NormKind,
): Norm | undefined {
  return reader.tensors.has(`${path}.weight`) ? reader.norm(path, channels, norm) : undefined;
}

/** @throws CheckpointError when neither the config nor the architecture's name tells how many there are */
function headsOf(reader: FamilyReader, config: TimmConfig, width: number): number {
  const stated = config.model_args?.num_heads;
  if (stated) return stated;
  const known = sizes.find(({ name }) => name.test(config.architecture));
  if (known?.width === width) return known.heads;
  throw reader.refusal(
    "model_args.num_heads",
    stated,
    known
      ? `it is needed where ${config.architecture} has ${width} channels instead of ${known.width}`
      : `it is needed to know the heads of ${config.architecture}`,
  );
}

function imageOf({ model_args: args, pretrained_cfg: released }: TimmConfig) {
  const stated = args?.img_size;
  if (stated) {
    const pixels = typeof stated === "number" ? ([stated, stated] as const) : stated;
    return { key: "model_args.img_size", pixels };
  }
  const [, height, width] = released?.input_size ?? [3, 224, 224];
  return { key: "pretrained_cfg.input_size", pixels: [height, width] as const };
}

/**
 * What the head reads, and where the final norm is: `norm` is of every token's state, `fc_norm` of what
 * was pooled. @throws CheckpointError when states are pooled in a way that is not supported
 */
function poolingOf(
  reader: FamilyReader,
  { architecture, global_pool: kept, model_args: args }: TimmConfig,
  firstTokens: number,
): { pooling: MeanPooling | undefined; finalNorm: string | undefined } {
  const { tensors } = reader;
  const finalNorm = ["norm", "fc_norm"].find((name) => tensors.has(`${name}.weight`));
  const byName = architecture.includes("_gap_") ? "avg" : "token";
  const pool = args?.global_pool ?? kept ?? byName;
  // Without a head nothing is pooled.
  if (pool === "token" || !tensors.has("head.weight")) return { pooling: undefined, finalNorm };
  if (pool !== "avg") throw reader.refusal("global_pool", pool, 'supported are "token" and "avg"');
  const after = args?.pool_include_prefix ? 0 : firstTokens;
  return { pooling: { after, isOfNormed: finalNorm === "norm" }, finalNorm };
}
