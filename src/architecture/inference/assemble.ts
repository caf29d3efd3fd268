import { t } from "@vscode/l10n";
import type {
  Activation,
  Architecture,
  Attention,
  Embedding,
  FeedForward,
  Head,
  LayerDescription,
  Norm,
  PatchEmbedding,
  Rotary,
} from "../description";
import { rows } from "../../checkpoint/views";
import { plainEmbedding, tokensOfImage } from "../description";
import { alibiSlopes } from "../alibi";
import { plainAttention } from "../familyReader";
import type { Settings } from "../reading";
import { rotary } from "../rotary";
import type { SchemeName } from "../schemes";
import { schemeNamed } from "../schemes";
import type { SineLayout } from "../sines";
import { sineLayouts } from "../sines";
import { gelus } from "../settingValues";
import { withNormGroups } from "../normGroups";
import type { LayerNames } from "../sublayers";
import { everywhere, sublayers, vectorNames } from "../sublayers";
import type { StoredRotary } from "./frequencies";
import { baseOf } from "./frequencies";
import type { ImageEnds, PixelOrder } from "./imageEnds";
import type { TokenEnds } from "./ends";
import type { AttentionParts, FusedArrangement } from "./attentionParts";
import type { LayerParts } from "./layer";
import type { Part } from "./parts";
import type { Structure } from "./structure";
import { orderName } from "./structure";

/** The architecture that a structure is under one reading: a value for every setting that says anything of it. */
export function assemble(structure: Structure, settings: Settings): Architecture {
  const { stack, ends, layers, rotary: stored } = structure;
  const { hidden } = ends;
  const heads = Number(settings.heads);
  const [{ attention: first, feedForward }] = layers as [LayerParts];
  const headSize = first.queryWidth / heads;
  const scheme = settings.norm as SchemeName;
  const normOf = ({ path, weight, bias }: Part, prefix: string): Norm => ({
    kind: settings["norm-kind"] as Norm["kind"],
    path: prefix === "" ? path : `${prefix}.${path}`,
    weight,
    weightOffset: 0,
    bias,
    epsilon: Number(settings.epsilon),
    groups: 1,
  });
  const turning = turningOf(settings, stored, {
    head: headSize,
    query: first.queryWidth,
    key: first.keyWidth,
  });
  const activation = activationOf(settings.activation!, settings);

  const layer = (parts: LayerParts, index: number): LayerDescription => {
    const path = `${stack.prefix}${index}`;
    const { attention, crossAttention, feedForward: fed, normOrders } = parts;
    const norms =
      normOrders.find((order) => orderName(order) === settings["norm-order"]) ?? normOrders[0]!;
    const normsSpan = attention.queryNorm?.weight.shape[0] === headSize ? "head" : "heads";
    const attentionOf = (own: AttentionParts): Attention => ({
      ...plainAttention(heads, headSize, {
        ...own.projections((settings.fused ?? "thirds") as FusedArrangement, headSize),
        output: own.output,
      }),
      keyValueHeads: own.keyWidth / headSize,
      queryNorm: own.queryNorm && normOf(own.queryNorm, path),
      keyNorm: own.keyNorm && normOf(own.keyNorm, path),
      normsSpan,
      scale: { head: 1 / Math.sqrt(headSize), hidden: 1 / Math.sqrt(hidden), none: 1 }[
        settings.scale as "head" | "hidden" | "none"
      ],
    });
    const modules = {
      attention: (): Attention => ({
        ...attentionOf(attention),
        rotary: turning,
        slopes: settings.positions === "alibi" ? alibiSlopes(heads) : undefined,
        isBidirectional: ends.kind === "images" || settings.attention === "bidirectional",
      }),
      ...(crossAttention && {
        crossAttention: (): Attention => ({
          ...attentionOf(crossAttention),
          isBidirectional: settings.memory !== "causal",
        }),
      }),
      feedForward: (): FeedForward => {
        const { gate, up, down } = fed;
        const isTurned = gate !== undefined && settings.gate === "second";
        return isTurned ? { gate: up, up: gate, down, activation } : { gate, up, down, activation };
      },
    };
    const byPath = new Map(norms.map((norm) => [norm.path, norm]));
    return {
      path,
      ...sublayers(
        schemeNamed(scheme).placement(index, layers.length),
        namesOf(norms.map((norm) => norm.path)),
        {
          norm: (name) => normOf(byPath.get(name)!, path),
          vector: (name) => {
            const isOfAttention = Object.values(vectorNames.attention).includes(name);
            return parts.scales![isOfAttention ? "attention" : "feedForward"].weight;
          },
        },
        modules,
      ),
    };
  };

  const whole: Architecture = {
    family: "inferred",
    hiddenSize: hidden,
    heads,
    keyValueHeads: first.keyWidth / headSize,
    feedForwardSize: feedForward.size,
    scheme: { name: scheme, source: t("inferred from names and shapes") },
    layers: layers.map(layer),
    finalNorm: ends.finalNorm && normOf(ends.finalNorm, ""),
    head: ends.head && headOf(ends, ends.head, settings, (part) => normOf(part, "")),
    ...inputOf(structure, settings, (part) => normOf(part, "")),
  };
  return scheme === "group-ln" ? withNormGroups(whole, Number(settings["norm-groups"])) : whole;
}

/** The head, with what it does first. */
function headOf(
  { transform }: Pick<TokenEnds | ImageEnds, "transform">,
  head: Head,
  settings: Settings,
  normOf: (part: Part) => Norm,
): Head {
  if (transform === undefined) return head;
  const { dense, norm } = transform;
  return {
    ...head,
    transform: {
      dense: { weight: dense.weight, bias: dense.bias },
      activation: activationOf(settings["head-activation"]!, settings),
      norm: norm && normOf(norm),
    },
  };
}

function activationOf(name: string, { gelu }: Settings): Activation {
  return name === "gelu" ? gelus[gelu as keyof typeof gelus] : (name as Activation);
}

function maskTokenIn(settings: Settings): number | undefined {
  const stated = settings["mask-token"];
  return stated === undefined ? undefined : Number(stated);
}

/** What cross-attention reads where there is no encoder: an embedding, which is one without layers. */
function memoryOf(
  { memory }: Settings,
  embedding: Embedding,
  hiddenSize: number,
): Pick<Architecture, "encoder" | "notices"> {
  const isOfZeros = memory === "zeros";
  const read = isOfZeros ? { ...plainEmbedding(embedding.tokens), scale: 0 } : embedding;
  const notice = {
    causal: t(
      "The layers attend to the embedding of the tokens up to each as well, which stays the same whatever is removed.",
    ),
    whole: t(
      "The layers attend to the embedding of all tokens as well, those that are to be told among them, which stays the same whatever is removed.",
    ),
    zeros: t(
      "The layers attend to a memory of zeros as well, which adds one vector to every token.",
    ),
  }[memory as "causal" | "whole" | "zeros"];
  return {
    encoder: { hiddenSize, embedding: read, layers: [], finalNorm: undefined },
    notices: [notice],
  };
}

/** What a class is read from: the first token, or a mean that is normed, or of normed states. */
export const pools = {
  token: undefined,
  mean: { isOfNormed: false },
  "normed-mean": { isOfNormed: true },
} as const;

/** What a model reads, and what it is asked. */
function inputOf(
  { ends, layers }: Structure,
  settings: Settings,
  normOf: (part: Part) => Norm,
): Pick<
  Architecture,
  | "vocabularySize"
  | "contextLength"
  | "embedding"
  | "encoder"
  | "objective"
  | "notices"
  | "whyNoHead"
> {
  const { hidden, positions } = ends;
  const embeddingNorm = ends.embeddingNorm && normOf(ends.embeddingNorm);
  if (ends.kind === "tokens") {
    const embedding: Embedding = {
      ...plainEmbedding(ends.tokens),
      scale: settings["embedding-scale"] === "sqrt" ? Math.sqrt(hidden) : 1,
      positions: positions && { table: positions, offset: 0 },
      ...(settings.positions === "sines" && {
        sines: sineLayouts[settings.sines as SineLayout](hidden),
      }),
      ...(ends.segments && {
        segment: rows(ends.segments, Number(settings.segment), Number(settings.segment) + 1),
      }),
      norm: embeddingNorm,
    };
    return {
      vocabularySize: ends.tokens.shape[0]!,
      contextLength: positions?.shape[0],
      embedding,
      ...(layers[0]!.crossAttention && memoryOf(settings, embedding, hidden)),
      objective:
        settings.attention === "bidirectional"
          ? { kind: "masked-token", maskToken: maskTokenIn(settings) }
          : { kind: "next-token" },
      ...(ends.whyNoHead !== undefined && { whyNoHead: ends.whyNoHead }),
    };
  }
  const { image, patch, firstTokens, head } = ends;
  const order = (settings.pixels ?? "channels-first") as PixelOrder;
  const embedding: PatchEmbedding = {
    patches: ends.projection(order),
    firstTokens,
    ...(ends.pixelNorm && { pixelNorm: normOf(ends.pixelNorm(order)) }),
    ...(ends.patchNorm && { patchNorm: normOf(ends.patchNorm) }),
    positions: ends.positions,
    norm: embeddingNorm,
    image,
    patch,
  };
  const pooling = pools[settings.pool as keyof typeof pools];
  return {
    vocabularySize: head?.weight.shape[0] ?? 1,
    contextLength: tokensOfImage(embedding),
    embedding,
    objective: {
      kind: "class",
      ...(pooling && { pooling: { ...pooling, after: firstTokens.length } }),
    },
    ...(head === undefined && { whyNoHead: t("the checkpoint has no head that tells classes") }),
  };
}

/**
 * One norm is read by both sublayers; two have one place each in every scheme of two, as three have where
 * there is cross-attention between them; four stand before and after each sublayer.
 */
function namesOf(paths: readonly string[]): LayerNames {
  const [first, second = first, third, fourth] = paths as [string, ...(string | undefined)[]];
  if (third === undefined) return everywhere(first, second);
  if (fourth === undefined) return everywhere(first, third, second);
  const around = (input: string, branch: string) => ({
    inputNorm: input,
    branchNorm: branch,
    sumNorm: branch,
  });
  return {
    attention: { ...vectorNames.attention, ...around(first, second) },
    feedForward: { ...vectorNames.feedForward, ...around(third, fourth) },
  };
}

function turningOf(
  settings: Settings,
  stored: StoredRotary | undefined,
  widths: { readonly head: number; readonly query: number; readonly key: number },
): Rotary | undefined {
  if (settings.positions !== "rotary") return undefined;
  const pairing = settings.rotary as Rotary["pairing"];
  // rotarySpans asks for a base where one is needed.
  const base = stored ? baseOf(stored.frequencies)! : Number(settings["rotary-base"]);
  const plain = (width: number): Rotary => rotary(width, base, { type: "default" }, pairing);
  const own = stored && { inverseFrequencies: stored.frequencies, pairing, magnitude: 1 };
  if (settings["rotary-span"] !== "heads") return own ?? plain(widths.head);
  const queries = own ?? plain(widths.query);
  const keys = widths.key === widths.query ? queries : plain(widths.key);
  return { ...queries, acrossHeads: { keyFrequencies: keys.inverseFrequencies } };
}
