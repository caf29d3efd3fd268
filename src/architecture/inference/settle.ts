import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError } from "../../checkpoint/errors";
import type { OpenSetting, SettingName, SettledSetting, Statements } from "../reading";
import type { SchemeName } from "../schemes";
import { schemeNamed } from "../schemes";
import { gelus } from "../settingValues";
import { sineLayouts } from "../sines";
import { baseOf } from "./frequencies";
import type { Hint } from "./hints";
import { headSizeHint, hintOf } from "./hints";
import type { LayerParts } from "./layer";
import type { Part } from "./parts";
import { pools } from "./assemble";
import { refusal } from "./stack";
import { asAsked, statementOf } from "./stated";
import type { Structure } from "./structure";
import { orderName } from "./structure";

/** What each setting may be, and what is known of it already. */
export function settle(
  checkpoint: Checkpoint,
  structure: Structure,
  statements: Statements,
): { settled: SettledSetting[]; open: OpenSetting[] } {
  const { ends, layers, rotary: stored } = structure;
  const [{ attention, crossAttention, feedForward, scales, normOrders }] = layers as [LayerParts];
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
    } else if (values.length === 1 && options.onlyWith === undefined) {
      settled.push({ name, value: values[0]!, by: nothingElseFits });
    } else if (own && accepts(own.value)) settled.push({ name, value: own.value, by: own.by });
    else {
      const guess = statements.guess[name];
      if (guess !== undefined && !accepts(guess)) refuse(guess, "the guess");
      const others = values.filter((value) => value !== guess);
      open.push({ name, values: guess === undefined ? others : [guess, ...others], ...options });
    }
  };

  /** The same of a setting that says something only where another, settled before it, has this value. */
  const settleDependent = (
    on: NonNullable<OpenSetting["onlyWith"]>,
    ...[name, values, known, more]: Parameters<typeof settleOne>
  ): void => {
    const other = settled.find((one) => one.name === on.name);
    if (other !== undefined && other.value !== on.value) return;
    settleOne(name, values, known, { ...more, ...(other === undefined && { onlyWith: on }) });
  };

  /** Stated or not known: a token is nothing to try. */
  const settleMaskToken = (vocabulary: number): void => {
    const own = statementOf(statements, "mask-token");
    const isCausal = settled.some(({ name, value }) => name === "attention" && value === "causal");
    if (own === undefined || isCausal) return;
    if (Number(own.value) >= vocabulary) {
      throw new CheckpointError(
        "config",
        `${checkpoint.directoryFile}: the reading mask-token=${own.value} is not possible; its vocabulary has ${vocabulary} tokens, from 0.`,
      );
    }
    settled.push({ name: "mask-token", value: own.value, by: own.by });
  };

  const schemeChoices = scales
    ? norms.length === 2
      ? scales.schemes
      : undefined
    : (crossAttention ? schemesOfCross : schemesOf)[norms.length];
  if (schemeChoices === undefined) {
    const names = norms.flatMap((norm) => norm.names);
    throw refusal(
      checkpoint,
      (names.length > 0 ? names : [...structure.stack.layers[0]!.keys()]).map(
        (name) => `${structure.stack.prefix}0.${name}`,
      ),
      `has ${norms.length} norms in a layer, which says too little of what a layer computes; ${crossAttention ? "where it attends to another sequence, three" : scales ? "with vectors that scale its sublayers, two" : "one, two or four"} are read:`,
    );
  }
  settleOne(
    "norm",
    schemeChoices,
    scales?.schemes.length === 1
      ? {
          value: scales.schemes[0]!,
          by: `its layers have the vectors of ${schemeNamed(scales.schemes[0]!).title}`,
        }
      : undefined,
    {
      accepts: (value) =>
        schemeChoices.some((name) => name === value) ||
        (norms.length === 2 && !scales && statedSchemes.includes(value)),
    },
  );
  if (settled.some(({ name, value }) => name === "norm" && value === "group-ln")) {
    settleOne("norm-groups", groupChoices(ends.hidden), undefined);
  }
  if (normOrders.length > 1) {
    settleOne("norm-order", normOrders.map(orderName), undefined, { isArrangement: true });
  }
  const hasNoTable = ends.positions === undefined;
  if (hasNoTable || stored !== undefined) {
    settleOne("positions", positionsOf(structure), undefined, {
      branches: positionsOf(structure).filter((value) => value !== "none"),
      onlyStated: ["none"],
    });
  }
  const positions = settled.find(({ name }) => name === "positions")?.value;
  const mayTurn = (hasNoTable || stored !== undefined) && (positions ?? "rotary") === "rotary";
  const heads = headChoices(structure, mayTurn);
  if (heads.length === 0) {
    const names = [...structure.stack.layers[0]!.keys()].map(
      (name) => `${structure.stack.prefix}0.${name}`,
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
  if (mayTurn) {
    const ifTurned = { name: "positions", value: "rotary" } as const;
    // A table of angles is mostly laid out as they are used, but what it is used for is in the code.
    const turns = ["halves", "neighbours"].toSorted(
      (one, other) => Number(other === stored?.pairing) - Number(one === stored?.pairing),
    );
    settleDependent(ifTurned, "rotary", turns, undefined, { branches: turns });
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
      settleDependent(ifTurned, "rotary-base", ["10000", "500000", "1000000"], undefined, {
        accepts: (value) => Number(value) > 1,
        isContinuous: true,
      });
    }
    settleDependent(ifTurned, "rotary-span", rotarySpans(structure), undefined);
  }
  if (hasNoTable && positionsOf(structure).includes("sines")) {
    const ifAdded = { name: "positions", value: "sines" } as const;
    settleDependent(ifAdded, "sines", Object.keys(sineLayouts), undefined);
  }
  if (crossAttention) settleOne("memory", memories, undefined, { branches: memories });
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
  const isMultiheadAttention = isOfMultiheadAttention(structure.stack.layers[0]!.keys());
  settleOne(
    "scale",
    ["head", "hidden", "none"],
    isMultiheadAttention
      ? { value: "head", by: "nn.MultiheadAttention, by the names of its tensors" }
      : undefined,
  );
  if (ends.kind === "tokens") {
    settleOne("embedding-scale", ["1", "sqrt"], undefined);
    if (ends.segments) {
      const kinds = Array.from({ length: ends.segments.shape[0]! }, (_, kind) => String(kind));
      settleOne("segment", kinds, undefined);
    }
    if (ends.transform) settleOne("head-activation", headActivations, undefined);
    if (!crossAttention) {
      const directions = ["causal", "bidirectional"];
      settleOne("attention", directions, undefined, { branches: directions });
      settleMaskToken(ends.tokens.shape[0]!);
    }
  } else {
    if (ends.head)
      settleOne(
        "pool",
        ends.hasClassToken ? Object.keys(pools) : ["mean", "normed-mean"],
        undefined,
      );
    if (ends.pixelOrders.length > 1) settleOne("pixels", ends.pixelOrders, undefined);
  }
  const hasBias = norms.some(({ bias }) => bias !== undefined);
  const isNamedRms = norms.some(({ path }) => /rms/i.test(path));
  settleOne(
    "norm-kind",
    ["rms", "layer"],
    norms.some(({ weight }) => weight.name.endsWith(".a_2"))
      ? { value: "sample", by: "norms are named as The Annotated Transformer's" }
      : hasBias
        ? { value: "layer", by: "norms have biases" }
        : isNamedRms
          ? { value: "rms", by: "norms are named so" }
          : undefined,
    { accepts: (value) => ["rms", "layer", "sample"].includes(value) },
  );
  settleDependent({ name: "activation", value: "gelu" }, "gelu", Object.keys(gelus), undefined, {
    isApproximate: true,
  });
  settleOne("epsilon", hasBias ? ["1e-5", "1e-6", "1e-12"] : ["1e-6", "1e-5", "1e-8"], undefined, {
    isApproximate: true,
    accepts: (value) => Number(value) >= 0 && Number(value) < 1,
  });
  refuseIdle(checkpoint, statements, settled);
  return { settled, open };
}

/** Whether names within a layer are those that nn.MultiheadAttention gives its parameters. */
function isOfMultiheadAttention(names: Iterable<string>): boolean {
  const all = new Set(names);
  return [...all].some(
    (name) =>
      /(^|\.)in_proj_weight$/.test(name) &&
      all.has(name.replace(/in_proj_weight$/, "out_proj.weight")),
  );
}

/** How a report says it of the only value that a setting may have. */
export const nothingElseFits = "nothing else fits";

const activationsOf = {
  gated: ["silu", "gelu", "relu"],
  plain: ["gelu", "relu", "silu", "squared_relu"],
} as const;

const headActivations = ["gelu", "relu", "silu"];

/** The schemes that are tried, by the number of norms in a layer. */
const schemesOf: Readonly<Record<number, readonly SchemeName[]>> = {
  1: ["parallel"],
  2: ["pre-ln", "post-ln", "reordered", "parallel", "lns"],
  4: ["sandwich"],
};

/** The same of layers that attend to a memory too. */
const schemesOfCross: Readonly<Record<number, readonly SchemeName[]>> = {
  3: ["pre-ln", "post-ln", "reordered", "lns"],
};

/** What a decoder without an encoder may attend to beside itself. */
const memories = ["causal", "zeros", "whole"];

/**
 * Rarer schemes of as many norms, which must be stated. On text that is strange to a Post-LN model
 * DeepNorm's reading predicts better, only because its larger stream makes it less sure of itself.
 */
const statedSchemes: readonly string[] = ["deepnorm", "mix-ln", "scaled-init", "group-ln"];

/** Equal groups that channels fall into, of several channels each. */
function groupChoices(hidden: number): string[] {
  return Array.from({ length: Math.min(hidden / 2, 64) }, (_, at) => at + 1)
    .filter((groups) => groups > 1 && hidden % groups === 0 && groups * 2 <= hidden)
    .map(String);
}

/**
 * How a model without a table of positions may tell them, the likeliest first. That it tells none is
 * tried, but where it predicts best, something else is in the code that nothing shows.
 */
function positionsOf({ ends, rotary: stored }: Structure): string[] {
  if (stored) return ["rotary", "none"];
  return ["rotary", "alibi", ...(ends.hidden % 2 === 0 ? ["sines"] : []), "none"];
}

/** Heads that divide queries and keys, the usual sizes of a head first. */
function headChoices(structure: Structure, mayTurn: boolean): string[] {
  const { layers, rotary: stored } = structure;
  const [{ attention }] = layers as [LayerParts];
  const { queryWidth, keyWidth, queryNorm } = attention;
  const normed = queryNorm?.weight.shape[0];
  const [span] = rotarySpans(structure);
  const isStoredOfEach = stored !== undefined && span === "head";
  const leastSize = isStoredOfEach ? 2 * stored.frequencies.length : mayTurn ? 2 : 1;
  const sizes = Array.from({ length: Math.min(keyWidth, 512) }, (_, at) => at + 1)
    .filter((size) => queryWidth % size === 0 && keyWidth % size === 0)
    .filter(
      (size) => size >= Math.max(4, leastSize) || (attention.heads ?? 0) * size === queryWidth,
    )
    .filter((size) => !mayTurn || size % 2 === 0)
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
