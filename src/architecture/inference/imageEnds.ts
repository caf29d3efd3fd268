import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { elementCount } from "../../checkpoint/checkpoint";
import { permuted, reshaped, rows } from "../../checkpoint/views";
import type { Head, ImageSize, Linear } from "../description";
import { plainHead } from "../description";
import { isHeadName, isPositionName, isRotaryTable, rotaryKindOf, tableOf } from "./ends";
import { isNorm, isNormInRow } from "./norms";
import type { Part } from "./parts";
import { bareWordOf, partsOf, wordOf } from "./parts";
import type { Stack } from "./stack";
import { refusal } from "./stack";

/** What stands before and after the layers of a model that reads images. */
export interface ImageEnds {
  readonly kind: "images";
  readonly hidden: number;
  /** Patches to channels; `order` says how a linear's inputs lie where it is no convolution. */
  readonly projection: (order: PixelOrder) => Linear;
  /** The orders that are possible. */
  readonly pixelOrders: readonly PixelOrder[];
  readonly image: ImageSize;
  readonly patch: readonly [number, number];
  /** Each [1, hidden]. */
  readonly firstTokens: readonly TensorEntry[];
  /** Whether one of them is there for the class to be read from. */
  readonly hasClassToken: boolean;
  readonly positions: TensorEntry;
  /** Of a patch's pixels, in the order of the projection's inputs. */
  readonly pixelNorm: ((order: PixelOrder) => Part) | undefined;
  /** Of what the projection makes of it. */
  readonly patchNorm: Part | undefined;
  readonly embeddingNorm: Part | undefined;
  readonly finalNorm: Part | undefined;
  /** Undefined where the checkpoint is the stack alone. */
  readonly head: Head | undefined;
  readonly rotary: undefined;
  readonly transform?: undefined;
}

/** Of a patch's pixels: each channel after the other, or each pixel's channels together. */
export type PixelOrder = "channels-first" | "channels-last";

const patchName = /(^|[._])(patch\w*|to_patch\w*)([._]|$)|patch_?(emb|proj)/i;
/** In the order in which they stand before the patches. */
const firstTokenNames = [
  /(^|[._])(cls|class)(_?(tok|token|emb|embed|embedding))?$/i,
  /(^|[._])dist(illation)?_token$/i,
  /(^|[._])(reg|register)_?tokens?$/i,
];

/** Which of the tokens before the patches a tensor is, by its module's path. */
export function firstTokenOf(
  path: string,
): "class token" | "distillation token" | "register tokens" | undefined {
  const at = firstTokenNames.findIndex((name) => name.test(path));
  return (["class token", "distillation token", "register tokens"] as const)[at];
}

/** Whether what stands around the layers takes in images. */
export function readsImages(stack: Stack): boolean {
  return partsOf(stack.outer).some(
    ({ path, weight }) => weight.shape.length === 4 || patchName.test(path) || isFirstToken(path),
  );
}

/**
 * Tells the patches, the tokens before them, the positions, the norms around the layers and the head.
 *
 * @throws CheckpointError naming what has no place around the layers of a model of square images
 */
export function readImageEnds(checkpoint: Checkpoint, { prefix, layers, outer }: Stack): ImageEnds {
  const turning = [...layers[0]!]
    .filter(
      ([name, tensor]) => rotaryKindOf(name, tensor) !== undefined || isRotaryTable(name, tensor),
    )
    .map(([name]) => name);
  if (turning.length > 0) {
    const names = turning.map((name) => `${prefix}0.${name}`);
    throw refusal(checkpoint, names, "reads images with rotary positions, which is not read:");
  }
  // What hides patches in training is none of an image that is whole.
  const parts = partsOf(outer).filter(({ path }) => !/(^|[._])mask_token$/.test(path));
  const left = new Set(parts);
  const refuse = (shown: readonly Part[], what: string): Error =>
    refusal(
      checkpoint,
      shown.flatMap(({ names }) => names),
      what,
    );
  const takeOne = (isMeant: (part: Part) => boolean, what: string): Part | undefined => {
    const found = [...left].filter(isMeant);
    if (found.length > 1) throw refuse(found, `has several ${what}:`);
    if (found[0]) left.delete(found[0]);
    return found[0];
  };

  const kernel = takeOne(({ weight }) => weight.shape.length === 4, "convolutions");
  const linear = kernel
    ? undefined
    : takeOne(
        ({ path, weight }) =>
          weight.shape.length === 2 && patchName.test(path) && !isPositionName(path),
        "linears that patches could go through",
      );
  const source = kernel ?? linear;
  if (source === undefined) throw refuse(parts, "reads images through no patches that are known:");
  const hidden = source.weight.shape[0]!;

  const tokens = firstTokenNames.map((name) => takeOne(({ path }) => name.test(path), "tokens"));
  const firstTokens = tokens.flatMap((part) => {
    const table = part && tableOfRows(part, hidden);
    if (part && table === undefined) {
      throw refuse([part], `has a token before its patches that is not of ${hidden} channels:`);
    }
    return table ? tableRows(table) : [];
  });

  const places = takeOne(({ path }) => isPositionName(path), "tables of positions");
  const positions = places && (tableOf(places, hidden) ?? tableOfRows(places, hidden));
  if (positions === undefined) {
    throw refuse(
      [places ?? source],
      "has no table of positions that tells how many patches its images have, but",
    );
  }
  const side = sideOf(positions.shape[0]!, firstTokens.length);
  const form = side === undefined ? undefined : formOf(source, side);
  if (form === undefined) {
    throw refuse(
      [places!, source],
      "has patches of images that are not square, or of channels that are not told:",
    );
  }

  const around = [source, places!, ...tokens];
  const [pixelNorm, patchNorm] = (["before", "after"] as const).map((side) =>
    takeOne(
      (part) => sideOfPatches(part, around) === side,
      `norms ${side} its patches' projection`,
    ),
  );
  const isNormHere = (part: Part): boolean => isNorm(part, hidden) && !isFirstToken(part.path);
  const isFirst = ({ path }: Part): boolean =>
    /emb|input|patch|pre_?(ln|norm)|(ln|norm)_?pre/i.test(path);
  const embeddingNorm = takeOne(
    (part) => isNormHere(part) && isFirst(part),
    "norms of its patches",
  );
  const finalNorm = takeOne(isNormHere, "norms after its layers");
  const second = takeOne(({ path }) => bareWordOf(path) === "headdist", "heads");
  const head = takeOne(
    ({ path, weight }) =>
      weight.shape.length === 2 && weight.shape[1] === hidden && isHeadName(path),
    "heads",
  );
  if (left.size > 0) {
    throw refuse([...left], "has around its layers what has no place in a model of images:");
  }
  return {
    kind: "images",
    hidden,
    ...form,
    firstTokens,
    hasClassToken: tokens[0] !== undefined && elementCount(tokens[0].weight.shape) > 0,
    positions,
    pixelNorm: pixelNorm && ((order) => form.ofPixels(pixelNorm, order)),
    patchNorm,
    embeddingNorm,
    finalNorm,
    head: head && {
      ...plainHead(head.weight),
      bias: head.bias,
      ...(second && { besides: { weight: second.weight, bias: second.bias } }),
    },
    rotary: undefined,
  };
}

/** Norms of one patch by names that say so, as roles are put under. */
const patchNormNames = { before: /(^|[._])pixel_norm$/, after: /(^|[._])patch_norm$/ } as const;

/**
 * Whether a part is a norm of each patch by itself, before or after its projection: one by such a name, or
 * in the module of the projection where neither positions nor first tokens are.
 *
 * @param around the projection, then what stands around it
 */
function sideOfPatches(
  { path, weight, bias }: Part,
  [projection, ...others]: readonly (Part | undefined)[],
): "before" | "after" | undefined {
  const [size] = weight.shape;
  const [hidden] = projection!.weight.shape;
  const pixels = elementCount(projection!.weight.shape.slice(1));
  if (weight.shape.length !== 1 || (size !== hidden && size !== pixels)) return undefined;
  for (const side of ["before", "after"] as const) {
    if (patchNormNames[side].test(path)) return side;
  }
  const module = parentOf(projection!.path);
  const isApart = others.every((part) => part === undefined || parentOf(part.path) !== module);
  if (module === "" || parentOf(path) !== module || !isApart) return undefined;
  // In nn.Sequential a module's name is its place.
  const [place, ofProjection] = [path, projection!.path].map((at) => Number(wordOf(at)));
  const isInRow = isNormInRow({ path, weight, bias, names: [] }, size!);
  if (!isInRow && !isNorm({ path, weight, bias, names: [] }, size!)) return undefined;
  if (pixels !== hidden) return size === pixels ? "before" : "after";
  return isInRow && place! < ofProjection! ? "before" : "after";
}

/** Path of the module that a module lies in; empty where there is none. */
function parentOf(path: string): string {
  return path.split(".").slice(0, -1).join(".");
}

function isFirstToken(path: string): boolean {
  return firstTokenNames.some((name) => name.test(path));
}

/** [rows, hidden] of a tensor that may have axes of one, or one row alone. */
function tableOfRows({ weight }: Part, hidden: number): TensorEntry | undefined {
  const count = weight.shape.reduce((product, size) => product * size, 1) / hidden;
  return weight.shape.at(-1) === hidden ? reshaped(weight, [count, hidden]) : undefined;
}

function tableRows(table: TensorEntry): TensorEntry[] {
  return Array.from({ length: table.shape[0]! }, (_, at) => rows(table, at, at + 1));
}

/** Patches along a side of a square image, from the rows of positions. */
function sideOf(places: number, firstTokens: number): number | undefined {
  const some = Array.from({ length: Math.max(0, firstTokens - 1) }, (_, at) => at + 1);
  return [firstTokens, 0, ...some]
    .map((placed) => Math.sqrt(places - placed))
    .find((side) => Number.isInteger(side) && side > 0);
}

type Form = Pick<ImageEnds, "projection" | "pixelOrders" | "image" | "patch"> & {
  /** A norm of as many numbers as a patch has pixels, its numbers lying as `projection` has the inputs. */
  readonly ofPixels: (norm: Part, order: PixelOrder) => Part;
};

/** The form of a patch; undefined where a linear's inputs are no square of one or three channels. */
function formOf({ weight, bias }: Part, side: number): Form | undefined {
  const [hidden] = weight.shape as readonly [number];
  const of = (
    channels: number,
    height: number,
    width: number,
  ): Omit<Form, "projection" | "ofPixels"> => ({
    pixelOrders: channels === 1 ? ["channels-first"] : ["channels-first", "channels-last"],
    image: { channels, height: side * height, width: side * width },
    patch: [height, width],
  });
  if (weight.shape.length === 4) {
    const [, channels, height, width] = weight.shape as [number, number, number, number];
    const table = reshaped(weight, [hidden, channels * height * width]);
    return {
      ...of(channels, height, width),
      pixelOrders: ["channels-first"],
      projection: () => ({ weight: table, bias }),
      ofPixels: (norm) => norm,
    };
  }
  const inputs = weight.shape[1]!;
  const channels = [1, 3].find((count) => Number.isInteger(Math.sqrt(inputs / count)));
  if (channels === undefined) return undefined;
  const size = Math.sqrt(inputs / channels);
  const inOrder = (tensor: TensorEntry, order: PixelOrder): TensorEntry => {
    if (order === "channels-first") return tensor;
    const outer = tensor.shape.slice(0, -1);
    const pixels = reshaped(tensor, [elementCount(outer), size, size, channels]);
    return reshaped(permuted(pixels, [0, 3, 1, 2]), [...outer, inputs]);
  };
  return {
    ...of(channels, size, size),
    projection: (order) => ({ weight: inOrder(weight, order), bias }),
    ofPixels: (norm, order) => ({
      ...norm,
      weight: inOrder(norm.weight, order),
      bias: norm.bias && inOrder(norm.bias, order),
    }),
  };
}
