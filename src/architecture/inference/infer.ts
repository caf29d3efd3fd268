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
import type {
  OpenSetting,
  Proposal,
  SettingName,
  Settings,
  SettledSetting,
  StatedSettings,
  Statements,
} from "../reading";
import { rotary } from "../rotary";
import type { SchemeName } from "../schemes";
import { schemeNamed, schemeNames, schemeOf } from "../schemes";
import type { LayerNames } from "../sublayers";
import { everywhere, sublayers, vectorNames } from "../sublayers";
import type { TokenEnds } from "./ends";
import { readEnds } from "./ends";
import type { StoredRotary } from "./frequencies";
import { baseOf, readRotary } from "./frequencies";
import { gelus } from "../settingValues";
import type { Hint } from "./hints";
import { headSizeHint, hintOf, refuseUnread } from "./hints";
import type { ImageEnds, PixelOrder } from "./imageEnds";
import { readImageEnds, readsImages } from "./imageEnds";
import type { FusedArrangement, LayerParts } from "./layer";
import { layerParts } from "./layer";
import type { Part } from "./parts";
import { orientationOf, partsOf } from "./parts";
import type { Stack } from "./stack";
import { findStack, refusal } from "./stack";

/** What names and shapes tell of a model. */
interface Structure {
  readonly stack: Stack;
  readonly ends: TokenEnds | ImageEnds;
  readonly layers: readonly LayerParts[];
  readonly rotary: StoredRotary | undefined;
  /** How linears are stored, where anything but the usual tells. */
  readonly linears: SettledSetting | undefined;
}

/**
 * Tells a model from the names and shapes of its tensors: what it is made of must be clear, and every
 * tensor must have its place. What weights cannot tell stays open (see `OpenSetting`).
 *
 * @throws CheckpointError naming the tensors that do not fit
 */
export async function inferArchitecture(
  checkpoint: Checkpoint,
  statements: Statements,
): Promise<Proposal> {
  const stated: Statements = {
    ...statements,
    stated: statements.stated.map((one) => ({
      ...one,
      settings: normalisedSettings(checkpoint, one),
    })),
    guess: normalisedSettings(checkpoint, { settings: statements.guess, by: "the guess" }),
  };
  const structure = await readStructure(checkpoint, stated);
  refuseUnread(
    checkpoint,
    (name) => statementOf(stated, name) !== undefined,
    stated.ignoredConfigKeys,
  );
  const { settled, open } = settle(checkpoint, structure, stated);
  const fixed: Settings = Object.fromEntries(settled.map(({ name, value }) => [name, value]));
  const likeliest: Settings = Object.fromEntries(
    open.map(({ name, values }) => [name, values[0]!]),
  );
  const norm = settled.find(({ name, by }) => name === "norm" && by !== nothingElseFits);
  return {
    source: "inference",
    settled,
    open,
    ...doubtOf(structure),
    architecture: (settings) => {
      const architecture = assemble(structure, { ...likeliest, ...settings, ...fixed });
      const { scheme } = architecture;
      return norm ? { ...architecture, scheme: { ...scheme, source: norm.by } } : architecture;
    },
  };
}

const nothingElseFits = "nothing else fits";

/** What is stated of a setting, by the first who states any. */
function statementOf(
  { stated }: Statements,
  name: SettingName,
): (Pick<StatedSettings, "by" | "isRemembered"> & { readonly value: string }) | undefined {
  const first = stated.find(({ settings }) => settings[name] !== undefined);
  return first && { ...first, value: first.settings[name]! };
}

async function readStructure(checkpoint: Checkpoint, stated: Statements): Promise<Structure> {
  const stack = findStack(checkpoint);
  const ends = readsImages(stack)
    ? readImageEnds(checkpoint, stack)
    : await readEnds(checkpoint, stack);
  const told = orientationOf(partsOf(stack.layers[0]!));
  const asked = statementOf(stated, "linears");
  const names = [...stack.layers[0]!.keys()].map((name) => `${stack.prefix}.0.${name}`);
  if (told === "both") {
    throw refusal(checkpoint, names, "stores some linears [output, input] and others transposed:");
  }
  const orientation = told ?? (asked?.value === "input-first" ? "input first" : "output first");
  if (asked !== undefined && asked.value !== orientation.replace(" ", "-")) {
    throw refusal(
      checkpoint,
      names,
      `stores linears ${orientation}, by their biases or their names, although linears=${asked.value} is stated:`,
    );
  }
  const layers = stack.layers.map((tensors, index) =>
    layerParts(checkpoint, `${stack.prefix}.${index}`, tensors, ends.hidden, orientation),
  );
  const isWorthTelling = asked !== undefined || orientation === "input first";
  return {
    stack,
    ends,
    layers,
    rotary: ends.rotary && (await readRotary(ends.rotary)),
    linears: isWorthTelling
      ? {
          name: "linears",
          value: orientation.replace(" ", "-"),
          by: asked?.by ?? "their biases or names",
        }
      : undefined,
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
  statements: Statements,
): { settled: SettledSetting[]; open: OpenSetting[] } {
  const { ends, layers, rotary: stored } = structure;
  const [{ attention, feedForward, normOrders }] = layers as [LayerParts];
  const [norms] = normOrders as [readonly Part[]];
  const settled: SettledSetting[] = [];
  const open: OpenSetting[] = [];
  if (structure.linears) settled.push(structure.linears);
  const hint = (name: SettingName): Hint | undefined =>
    hintOf(checkpoint, name, statements.ignoredConfigKeys);
  const settleOne = (
    name: SettingName,
    values: readonly string[],
    known: Pick<SettledSetting, "value" | "by"> | undefined,
    more: Omit<OpenSetting, "name" | "values"> & {
      readonly accepts?: (value: string) => boolean;
      readonly hint?: Hint | undefined;
    } = {},
  ): void => {
    const {
      accepts = (value: string) => values.includes(value),
      hint: hinted = hint(name),
      ...options
    } = more;
    const own = statementOf(statements, name);
    const refuse = (value: string, by: string): never => {
      const whose = by === asAsked ? "" : ` of ${by}`;
      throw new CheckpointError(
        "config",
        `${checkpoint.directoryFile}: the reading ${name}=${value}${whose} is not possible; it could be ${values.join(", ")}.`,
      );
    };
    if (own && own.isRemembered !== true) {
      if (!accepts(own.value)) refuse(own.value, own.by);
      settled.push({ name, value: own.value, by: own.by });
    } else if (known) settled.push({ name, ...known });
    else if (hinted && accepts(hinted.value)) {
      settled.push({ name, value: hinted.value, by: hinted.by });
    } else if (hinted && typeof checkpoint.config?.value["model_type"] === "string") {
      refuse(hinted.value, hinted.by);
    } else if (values.length === 1) settled.push({ name, value: values[0]!, by: nothingElseFits });
    else if (own && accepts(own.value)) settled.push({ name, value: own.value, by: own.by });
    else {
      const guess = statements.guess[name];
      if (guess !== undefined && !accepts(guess)) refuse(guess, "the guess");
      const others = values.filter((value) => value !== guess);
      open.push({ name, values: guess === undefined ? others : [guess, ...others], ...options });
    }
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
  const ofSize = headSizeHint(checkpoint, statements.ignoredConfigKeys);
  settleOne(
    "heads",
    heads,
    attention.heads === undefined
      ? undefined
      : { value: String(attention.heads), by: "one tensor, or part of one, for each head" },
    {
      hint:
        hint("heads") ??
        (ofSize && { ...ofSize, value: String(attention.queryWidth / Number(ofSize.value)) }),
    },
  );
  if (ends.positions === undefined || stored !== undefined) {
    settleOne("rotary", ["halves", "neighbours", "off"], undefined, { onlyStated: ["off"] });
    const base = stored ? baseOf(stored.frequencies) : undefined;
    if (stored) {
      const own = statementOf(statements, "rotary-base");
      if (own && own.isRemembered !== true) {
        throw new CheckpointError(
          "config",
          `${checkpoint.directoryFile}: the reading rotary-base=${own.value} contradicts the frequencies that the checkpoint holds.`,
        );
      }
      settled.push({
        name: "rotary-base",
        value: base === undefined ? "stored" : String(base),
        by: "the checkpoint holds its frequencies",
      });
    } else {
      settleOne("rotary-base", ["10000", "500000", "1000000"], undefined, {
        accepts: (value) => Number(value) > 1,
      });
    }
    settleOne("rotary-span", rotarySpans(structure), undefined);
  }
  const isGated = feedForward.gate !== undefined;
  settleOne("activation", activationsOf[isGated ? "gated" : "plain"], undefined, {
    accepts: (value) => activationsOf.plain.some((name) => name === value),
  });
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
  const isNoGelu = settled.some(({ name, value }) => name === "activation" && value !== "gelu");
  if (!isNoGelu) settleOne("gelu", Object.keys(gelus), undefined, { isApproximate: true });
  settleOne("epsilon", hasBias ? ["1e-5", "1e-6", "1e-12"] : ["1e-6", "1e-5", "1e-8"], undefined, {
    isApproximate: true,
    accepts: (value) => Number(value) >= 0 && Number(value) < 1,
  });
  refuseIdle(checkpoint, statements, settled);
  return { settled, open };
}

/** @throws CheckpointError where somebody states a setting that says nothing of this model */
function refuseIdle(
  { directoryFile }: Checkpoint,
  { stated }: Statements,
  settled: readonly SettledSetting[],
): void {
  for (const { settings, by, isRemembered } of stated) {
    if (isRemembered) continue;
    const idle = Object.entries(settings).find(
      ([name]) => !settled.some((one) => one.name === name),
    );
    if (idle === undefined) continue;
    const whose = by === asAsked ? "" : ` of ${by}`;
    throw new CheckpointError(
      "config",
      `${directoryFile}: the reading ${idle[0]}=${idle[1]}${whose} says nothing of this model: its tensors tell it, or have none of it.`,
    );
  }
}

/** How a report says that the user stated something. */
export const asAsked = "as asked";

/** Settings as a person may write them, under the values that are used here. */
function normalisedSettings(
  { directoryFile }: Checkpoint,
  { settings, by }: StatedSettings,
): Settings {
  const { activation, norm, ...rest } = settings;
  const named = norm === undefined ? undefined : schemeOf(norm);
  const approximated = Object.entries(gelus).find(
    ([name, own]) => name !== "exact" && own === activation,
  )?.[0];
  if (norm !== undefined && named === undefined) {
    const whose = by === asAsked ? "" : ` of ${by}`;
    throw new CheckpointError(
      "config",
      `${directoryFile}: the reading norm=${norm}${whose} is unknown; expected one of ${schemeNames.join(", ")}.`,
    );
  }
  return {
    ...rest,
    ...(named && { norm: named }),
    ...(activation && { activation: approximated ? "gelu" : activation }),
    ...(approximated && { gelu: approximated }),
  };
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
