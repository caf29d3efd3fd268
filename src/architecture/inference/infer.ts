import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError, quote } from "../../checkpoint/errors";
import type {
  Activation,
  Architecture,
  Attention,
  FeedForward,
  LayerDescription,
  Norm,
  PatchEmbedding,
  Rotary,
} from "../description";
import { plainEmbedding, tokensOfImage } from "../description";
import { plainAttention } from "../familyReader";
import type { OpenSetting, Proposal, SettingName, Settings, SettledSetting } from "../reading";
import { rotary } from "../rotary";
import type { SchemeName } from "../schemes";
import { isSchemeName, schemeNamed, schemeNames } from "../schemes";
import type { LayerNames } from "../sublayers";
import { everywhere, sublayers, vectorNames } from "../sublayers";
import type { TokenEnds } from "./ends";
import { readEnds } from "./ends";
import type { StoredRotary } from "./frequencies";
import { baseOf, readRotary } from "./frequencies";
import { hintOf } from "./hints";
import type { ImageEnds, PixelOrder } from "./imageEnds";
import { readImageEnds, readsImages } from "./imageEnds";
import type { FusedArrangement, LayerParts } from "./layer";
import { layerParts } from "./layer";
import type { Part } from "./parts";
import { orientationOf, partsOf } from "./parts";
import type { Stack } from "./stack";
import { findStack, refusal } from "./stack";

interface Stated {
  readonly scheme: SchemeName | undefined;
  readonly settings: Settings;
}

/** What names and shapes tell of a model. */
interface Structure {
  readonly stack: Stack;
  readonly ends: TokenEnds | ImageEnds;
  readonly layers: readonly LayerParts[];
  readonly rotary: StoredRotary | undefined;
}

/**
 * Tells a model from the names and shapes of its tensors: what it is made of must be clear, and every
 * tensor must have its place. What weights cannot tell stays open (see `OpenSetting`).
 *
 * @throws CheckpointError naming the tensors that do not fit
 */
export async function inferArchitecture(checkpoint: Checkpoint, stated: Stated): Promise<Proposal> {
  const structure = await readStructure(checkpoint);
  const { settled, open } = settle(checkpoint, structure, stated);
  const fixed: Settings = Object.fromEntries(settled.map(({ name, value }) => [name, value]));
  const likeliest: Settings = Object.fromEntries(
    open.map(({ name, values }) => [name, values[0]!]),
  );
  return {
    source: "inference",
    settled,
    open,
    ...doubtOf(structure),
    architecture: (settings) => assemble(structure, { ...likeliest, ...settings, ...fixed }),
  };
}

async function readStructure(checkpoint: Checkpoint): Promise<Structure> {
  const stack = findStack(checkpoint);
  const ends = readsImages(stack)
    ? readImageEnds(checkpoint, stack)
    : await readEnds(checkpoint, stack);
  const orientation = orientationOf(partsOf(stack.layers[0]!)) ?? "output first";
  if (orientation === "both") {
    const names = [...stack.layers[0]!.keys()].map((name) => `${stack.prefix}.0.${name}`);
    throw refusal(checkpoint, names, "stores some linears [output, input] and others transposed:");
  }
  const layers = stack.layers.map((tensors, index) =>
    layerParts(checkpoint, `${stack.prefix}.${index}`, tensors, ends.hidden, orientation),
  );
  return {
    stack,
    ends,
    layers,
    rotary: ends.rotary && (await readRotary(ends.rotary)),
  };
}

const activationsOf = {
  gated: ["silu", "gelu", "relu"],
  plain: ["gelu", "relu", "silu", "squared_relu"],
} as const;

/** What a class is read from: the first token, or a mean that is normed, or of normed states. */
const pools = {
  token: undefined,
  mean: { isOfNormed: false },
  "normed-mean": { isOfNormed: true },
} as const;

/** What GELU is computed as, which predicts nearly the same: weights learned under one suit all. */
const gelus = {
  exact: "gelu",
  tanh: "gelu_tanh",
  quick: "quick_gelu",
} as const satisfies Record<string, Activation>;

/** The schemes that are tried, by the number of norms in a layer. */
const schemesOf: Readonly<Record<number, readonly SchemeName[]>> = {
  1: ["parallel"],
  2: ["pre-ln", "post-ln", "reordered", "parallel", "lns"],
  4: ["sandwich"],
};

/**
 * Rarer schemes of as many norms, which must be stated. On text that is strange to a Post-LN model
 * DeepNorm's reading predicts better, only because its larger stream makes it less sure of itself.
 */
const statedSchemes: readonly string[] = ["deepnorm", "mix-ln", "scaled-init"];

/** What each setting may be, and what is known of it already. */
function settle(
  checkpoint: Checkpoint,
  structure: Structure,
  { scheme, settings }: Stated,
): { settled: SettledSetting[]; open: OpenSetting[] } {
  const { ends, layers, rotary: stored } = structure;
  const [{ attention, feedForward, normOrders }] = layers as [LayerParts];
  const [norms] = normOrders as [readonly Part[]];
  const settled: SettledSetting[] = [];
  const open: OpenSetting[] = [];
  const asked = normalisedSettings(checkpoint, settings, scheme);
  const settleOne = (
    name: SettingName,
    values: readonly string[],
    known: { readonly value: string; readonly by: string } | undefined,
    more: Omit<OpenSetting, "name" | "values"> & {
      readonly accepts?: (value: string) => boolean;
    } = {},
  ): void => {
    const { accepts = (value: string) => values.includes(value), ...options } = more;
    const own = asked[name];
    if (own !== undefined) {
      if (!accepts(own)) {
        throw new CheckpointError(
          "config",
          `${checkpoint.directoryFile}: the reading ${name}=${own} is not possible; it could be ${values.join(", ")}.`,
        );
      }
      settled.push({ name, value: own, by: "as asked" });
    } else if (known) settled.push({ name, ...known });
    else if (values.length === 1)
      settled.push({ name, value: values[0]!, by: "nothing else fits" });
    else open.push({ name, values, ...options });
  };

  const schemeChoices = schemesOf[norms.length];
  if (schemeChoices === undefined) {
    const names = norms.flatMap((norm) => norm.names);
    throw refusal(
      checkpoint,
      (names.length > 0 ? names : [...structure.stack.layers[0]!.keys()]).map(
        (name) => `${structure.stack.prefix}.0.${name}`,
      ),
      `has ${norms.length} norms in a layer, which says too little of what a layer computes; one, two or four are read:`,
    );
  }
  settleOne("norm", schemeChoices, undefined, {
    accepts: (value) =>
      schemeChoices.some((name) => name === value) ||
      (norms.length === 2 && statedSchemes.includes(value)),
  });
  if (normOrders.length > 1) {
    settleOne("norm-order", normOrders.map(orderName), undefined, { isArrangement: true });
  }
  const heads = headChoices(structure);
  if (heads.length === 0) {
    const names = [...structure.stack.layers[0]!.keys()].map(
      (name) => `${structure.stack.prefix}.0.${name}`,
    );
    throw refusal(
      checkpoint,
      names,
      "has queries and keys that no number of heads divides, with its rotary frequencies:",
    );
  }
  const hint = hintOf(checkpoint, "heads");
  settleOne(
    "heads",
    heads,
    attention.heads !== undefined
      ? { value: String(attention.heads), by: "one tensor, or part of one, for each head" }
      : hint && heads.includes(hint.value)
        ? hint
        : undefined,
  );
  if (ends.positions === undefined || stored !== undefined) {
    settleOne("rotary", ["halves", "neighbours", "off"], undefined, { onlyStated: ["off"] });
    const base = stored ? baseOf(stored.frequencies) : undefined;
    const hinted = hintOf(checkpoint, "rotary-base");
    if (stored) {
      if (asked["rotary-base"] !== undefined) {
        throw new CheckpointError(
          "config",
          `${checkpoint.directoryFile}: the reading rotary-base=${asked["rotary-base"]} contradicts the frequencies that the checkpoint holds.`,
        );
      }
      settled.push({
        name: "rotary-base",
        value: base === undefined ? "stored" : String(base),
        by: "the checkpoint holds its frequencies",
      });
    } else {
      settleOne("rotary-base", ["10000", "500000", "1000000"], hinted, {
        accepts: (value) => Number(value) > 1,
      });
    }
    settleOne("rotary-span", rotarySpans(structure), undefined);
  }
  const isGated = feedForward.gate !== undefined;
  settleOne("activation", activationsOf[isGated ? "gated" : "plain"], undefined);
  if (!feedForward.isGateKnown) {
    settleOne("gate", ["first", "second"], undefined, { isArrangement: true });
  }
  if (attention.arrangements.length > 0) {
    settleOne("fused", attention.arrangements, undefined, { isArrangement: true });
  }
  const isMultiheadAttention = structure.stack.layers[0]!.has("self_attn.in_proj_weight");
  settleOne(
    "scale",
    ["head", "hidden", "none"],
    isMultiheadAttention
      ? { value: "head", by: "nn.MultiheadAttention, by the names of its tensors" }
      : undefined,
  );
  if (ends.kind === "tokens") settleOne("embedding-scale", ["1", "sqrt"], undefined);
  else {
    settleOne("pool", ends.hasClassToken ? Object.keys(pools) : ["mean", "normed-mean"], undefined);
    if (ends.pixelOrders.length > 1) settleOne("pixels", ends.pixelOrders, undefined);
  }
  const hasBias = norms.some(({ bias }) => bias !== undefined);
  const isNamedRms = norms.some(({ path }) => /rms/i.test(path));
  settleOne(
    "norm-kind",
    ["rms", "layer"],
    hasBias
      ? { value: "layer", by: "norms have biases" }
      : isNamedRms
        ? { value: "rms", by: "norms are named so" }
        : undefined,
  );
  settleOne("gelu", Object.keys(gelus), undefined, { isApproximate: true });
  settleOne("epsilon", hasBias ? ["1e-5", "1e-6", "1e-12"] : ["1e-6", "1e-5", "1e-8"], undefined, {
    isApproximate: true,
    accepts: (value) => Number(value) >= 0 && Number(value) < 1,
  });
  return { settled, open };
}

/** Settings as a person may write them, under the values that are used here. */
function normalisedSettings(
  { directoryFile }: Checkpoint,
  settings: Settings,
  scheme: SchemeName | undefined,
): Settings {
  const { activation, norm, ...rest } = settings;
  const named = norm === undefined ? scheme : schemeOf(norm);
  const approximated = Object.entries(gelus).find(
    ([name, own]) => name !== "exact" && own === activation,
  )?.[0];
  if (norm !== undefined && named === undefined) {
    throw new CheckpointError(
      "config",
      `${directoryFile}: the reading norm=${norm} is unknown; expected one of ${schemeNames.join(", ")}.`,
    );
  }
  return {
    ...rest,
    ...(named && { norm: named }),
    ...(activation && { activation: approximated ? "gelu" : activation }),
    ...(approximated && { gelu: approximated }),
  };
}

function schemeOf(name: string): SchemeName | undefined {
  if (isSchemeName(name)) return name;
  return schemeNames.find((known) => schemeNamed(known).names.test(name));
}

/** Heads that divide queries and keys, the usual sizes of a head first. */
function headChoices(structure: Structure): string[] {
  const { layers, rotary: stored, ends } = structure;
  const [{ attention }] = layers as [LayerParts];
  const { queryWidth, keyWidth, queryNorm } = attention;
  const normed = queryNorm?.weight.shape[0];
  const [span] = rotarySpans(structure);
  const isStoredOfEach = stored !== undefined && span === "head";
  const leastSize = isStoredOfEach ? 2 * stored.frequencies.length : ends.positions ? 1 : 2;
  const sizes = Array.from({ length: Math.min(keyWidth, 512) }, (_, at) => at + 1)
    .filter((size) => queryWidth % size === 0 && keyWidth % size === 0)
    .filter(
      (size) => size >= Math.max(4, leastSize) || (attention.heads ?? 0) * size === queryWidth,
    )
    .filter((size) => ends.positions !== undefined || size % 2 === 0)
    // A norm of queries is over each head, or over all.
    .filter((size) => normed === undefined || normed === queryWidth || normed === size);
  const usual = isStoredOfEach ? [leastSize] : [64, 32, 128, 16];
  const rank = (size: number): number =>
    usual.includes(size) ? usual.indexOf(size) : usual.length;
  return sizes.sort((a, b) => rank(a) - rank(b) || b - a).map((size) => String(queryWidth / size));
}

/** Whether each head is turned by itself, or all of them as one row: as far as tensors tell. */
function rotarySpans({ layers, rotary: stored }: Structure): ("head" | "heads")[] {
  const [{ attention }] = layers as [LayerParts];
  const { queryWidth, keyWidth, queryNorm } = attention;
  if (stored) {
    // A table as wide as all queries is of all heads, or of the only one there is.
    const isOfAll = 2 * stored.frequencies.length === queryWidth;
    const isKnownOfKeys = keyWidth === queryWidth || baseOf(stored.frequencies) !== undefined;
    return isOfAll && isKnownOfKeys ? ["heads"] : ["head"];
  }
  const isNormedByHead = queryNorm !== undefined && queryNorm.weight.shape[0] !== queryWidth;
  return isNormedByHead ? ["head"] : ["head", "heads"];
}

function assemble(structure: Structure, settings: Settings): Architecture {
  const { stack, ends, layers, rotary: stored } = structure;
  const { hidden } = ends;
  const heads = Number(settings.heads);
  const [{ attention: first, feedForward }] = layers as [LayerParts];
  const headSize = first.queryWidth / heads;
  const scheme = settings.norm as SchemeName;
  const normOf = ({ path, weight, bias }: Part, prefix: string): Norm => ({
    kind: settings["norm-kind"] === "rms" ? "rms" : "layer",
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
  const activation: Activation =
    settings.activation === "gelu"
      ? gelus[settings.gelu as keyof typeof gelus]
      : (settings.activation as Activation);

  const layer = (parts: LayerParts, index: number): LayerDescription => {
    const path = `${stack.prefix}.${index}`;
    const { attention, feedForward: fed, normOrders } = parts;
    const norms =
      normOrders.find((order) => orderName(order) === settings["norm-order"]) ?? normOrders[0]!;
    const normsSpan = attention.queryNorm?.weight.shape[0] === headSize ? "head" : "heads";
    const modules = {
      attention: (): Attention => ({
        ...plainAttention(heads, headSize, {
          ...attention.projections((settings.fused ?? "thirds") as FusedArrangement, headSize),
          output: attention.output,
        }),
        keyValueHeads: attention.keyWidth / headSize,
        queryNorm: attention.queryNorm && normOf(attention.queryNorm, path),
        keyNorm: attention.keyNorm && normOf(attention.keyNorm, path),
        normsSpan,
        rotary: turning,
        scale: { head: 1 / Math.sqrt(headSize), hidden: 1 / Math.sqrt(hidden), none: 1 }[
          settings.scale as "head" | "hidden" | "none"
        ],
        isBidirectional: ends.kind === "images",
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
            throw new Error(`no scheme that is proposed has a vector, yet ${name} was asked for`);
          },
        },
        modules,
      ),
    };
  };

  return {
    family: "inferred",
    hiddenSize: hidden,
    heads,
    keyValueHeads: first.keyWidth / headSize,
    feedForwardSize: feedForward.size,
    scheme: { name: scheme, source: "inferred from names and shapes" },
    layers: layers.map(layer),
    finalNorm: ends.finalNorm && normOf(ends.finalNorm, ""),
    head: ends.head,
    ...inputOf(ends, settings, ends.embeddingNorm && normOf(ends.embeddingNorm, "")),
  };
}

/** What a model reads, and what it is asked. */
function inputOf(
  ends: Structure["ends"],
  settings: Settings,
  norm: Norm | undefined,
): Pick<
  Architecture,
  "vocabularySize" | "contextLength" | "embedding" | "objective" | "whyNoHead"
> {
  const { hidden, positions } = ends;
  if (ends.kind === "tokens") {
    return {
      vocabularySize: ends.tokens.shape[0]!,
      contextLength: positions?.shape[0],
      embedding: {
        ...plainEmbedding(ends.tokens),
        scale: settings["embedding-scale"] === "sqrt" ? Math.sqrt(hidden) : 1,
        positions: positions && { table: positions, offset: 0 },
        norm,
      },
      objective: { kind: "next-token" },
    };
  }
  const { image, patch, firstTokens, head } = ends;
  const embedding: PatchEmbedding = {
    patches: ends.projection((settings.pixels ?? "channels-first") as PixelOrder),
    firstTokens,
    positions: ends.positions,
    norm,
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
    ...(head === undefined && { whyNoHead: "the checkpoint has no head that tells classes" }),
  };
}

/** One norm may be that of parallel sublayers, and may be part of something else. */
function doubtOf({ stack, layers }: Structure): Pick<Proposal, "doubt"> {
  const [norms] = layers[0]!.normOrders as [readonly Part[]];
  if (norms.length !== 1) return {};
  const name = quote(`${stack.prefix}.0.${norms[0]!.names[0]!}`);
  return { doubt: `its layers have one norm, ${name}, and are taken for parallel sublayers` };
}

/** How an order of norms is written. */
function orderName(norms: readonly Part[]): string {
  return norms.map(({ path }) => path).join(",");
}

/**
 * One norm is read by both sublayers; two have one place each in every scheme of two; four stand before
 * and after each sublayer.
 */
function namesOf(paths: readonly string[]): LayerNames {
  const [first, second = first, third, fourth] = paths as [string, ...(string | undefined)[]];
  if (third === undefined || fourth === undefined) return everywhere(first, second);
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
  if (settings.rotary === undefined || settings.rotary === "off") return undefined;
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
