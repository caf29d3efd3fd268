import { describe, expect, it } from "vitest";
import { layerAtCursor } from "../../../src/python/layerAtCursor";

const stack = (list: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ index: from + index, path: `${list}.${index}` }));

/** The cursor is at the `|`. */
function at(marked: string, layers = stack("model.layers", 12)): number | undefined {
  const column = marked.indexOf("|");
  return layerAtCursor(marked.replace("|", ""), column, layers);
}

describe("layerAtCursor", () => {
  it.each([
    ["norm = model.lay|ers[7].input_layernorm", 7],
    ["|freeze(model.layers[ 7 ].input_layernorm)", 7],
    ['weights["model.layers.7.input_layernorm.weight"]|', 7],
    ["  - model.layers.11|", 11],
    ["x = self.layers[-1](x)|", 11],
    ["share(layers[3], lay|ers[4])", 4],
    ["share(layers[3], layers[3])|", 3],
  ])("%s", (line, layer) => {
    expect(at(line)).toBe(layer);
  });

  it.each([
    "share(layers[3], layers[4])|",
    "x = layers[12]|",
    "x = layers[i]|",
    "heads[7]|",
    "sublayers[7]|",
    "layers.7e3|",
    "layers = 7|",
    `${"a".repeat(2000)} layers[7]|`,
  ])("none at %s", (line) => {
    expect(at(line)).toBeUndefined();
  });

  it("goes by the name of the report's own list", () => {
    expect(at("transformer.h.7.ln_1|", stack("transformer.h", 12))).toBe(7);
    expect(at("self.blocks[2]|", stack("blocks", 12))).toBe(2);
    expect(at("self.layers[2]|", stack("transformer.h", 12))).toBeUndefined();
  });

  it("tells the stacks of an encoder and a decoder apart", () => {
    const both = [...stack("encoder.block", 4), ...stack("decoder.block", 4, 4)];
    expect(at("self.decoder.block[1]|", both)).toBe(5);
    expect(at("encoder.block.1|", both)).toBe(1);
    expect(at("self.block[1]|", both)).toBeUndefined();
  });

  it("takes less than 5 ms, on the longest line of a deep model too", () => {
    const layers = stack("model.layers", 400);
    const line = "layers[7], ".repeat(180);
    layerAtCursor(line, 0, layers);
    const before = process.cpuUsage();
    for (let round = 0; round < 20; round++) layerAtCursor(line, 1999, layers);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000 / 20).toBeLessThan(5);
  });
});
