import type { Checkpoint } from "../../checkpoint/checkpoint";
import type { SettledSetting, Statements } from "../reading";
import type { TokenEnds } from "./ends";
import { readEnds } from "./ends";
import type { StoredRotary } from "./frequencies";
import { readRotary } from "./frequencies";
import type { ImageEnds } from "./imageEnds";
import { readImageEnds, readsImages } from "./imageEnds";
import type { LayerParts } from "./layer";
import { layerParts } from "./layer";
import type { Part } from "./parts";
import { orientationOf, partsOf, withoutKernel } from "./parts";
import type { Stack } from "./stack";
import { crossAttentionNames, findStack, refusal } from "./stack";
import { statementOf } from "./stated";

/** What names and shapes tell of a model. */
export interface Structure {
  readonly stack: Stack;
  readonly ends: TokenEnds | ImageEnds;
  readonly layers: readonly LayerParts[];
  readonly rotary: StoredRotary | undefined;
  /** How linears are stored, where anything but the usual tells. */
  readonly linears: SettledSetting | undefined;
}

/**
 * Reads it: every tensor must have its place.
 *
 * @throws CheckpointError naming the tensors that do not fit
 */
export async function readStructure(
  checkpoint: Checkpoint,
  stated: Statements,
): Promise<Structure> {
  const stack = findStack(checkpoint);
  const ends = readsImages(stack)
    ? readImageEnds(checkpoint, stack)
    : await readEnds(checkpoint, stack);
  const told = orientationOf(partsOf(stack.layers[0]!).map(withoutKernel));
  const asked = statementOf(stated, "linears");
  const names = [...stack.layers[0]!.keys()].map((name) => `${stack.prefix}0.${name}`);
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
    layerParts(checkpoint, `${stack.prefix}${index}`, tensors, ends.hidden, orientation),
  );
  if (ends.kind === "images" && layers[0]!.crossAttention) {
    const crossing = crossAttentionNames(stack.layers[0]!.keys());
    const paths = [...crossing].map((name) => `${stack.prefix}0.${name}`);
    throw refusal(checkpoint, paths, "attends to another sequence than its images with");
  }
  const isWorthTelling = asked !== undefined || orientation === "input first";
  return {
    stack,
    ends,
    layers,
    rotary: ends.rotary && (await readRotary(checkpoint, ends.rotary)),
    linears: isWorthTelling
      ? {
          name: "linears",
          value: orientation.replace(" ", "-"),
          by: asked?.by ?? "their biases or names",
        }
      : undefined,
  };
}

/** How an order of norms is written. */
export function orderName(norms: readonly Part[]): string {
  return norms.map(({ path }) => path).join(",");
}
