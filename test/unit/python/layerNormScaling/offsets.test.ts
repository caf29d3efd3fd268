import { describe, expect, it } from "vitest";
import { applyLayerNormScaling } from "../../../../src/python/layerNormScaling/applyLayerNormScaling";
import { edited, parsed } from "./support";

const model = (stack: string, { parameter = "layer_number", top = "" } = {}): string => `
import torch.nn as nn
${top}
class Block(nn.Module):
    def __init__(self, width, ${parameter}):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.ff = nn.Linear(width, width)

    def forward(self, x):
        return x + self.ff(self.norm(x))

class Model(nn.Module):
    def __init__(self, width, config, depth):
        super().__init__()
        ${stack.split("\n").join("\n        ")}
`;

function apply(text: string): { code: string; warnings: string } {
  const files = [parsed("model.py", text)];
  const outcome = applyLayerNormScaling(files);
  if (outcome.kind === "refusal") return { code: outcome.reason, warnings: "" };
  return {
    code: edited(files, outcome.edits).get("model.py")!,
    warnings: outcome.warnings.map(({ message }) => message).join("\n"),
  };
}

const list = (given: string): string =>
  `self.layers = nn.ModuleList([Block(width, ${given}) for i in range(depth)])`;

describe("an offset that is known", () => {
  it.each([
    [`start = 1\n${list("i + start")}`, "= layer_number ** -0.5"],
    [`start = 0\n${list("i + start")}`, "= (layer_number + 1) ** -0.5"],
    [`start: int = 0\n${list("start + i + 1")}`, "= layer_number ** -0.5"],
    [`start = 2\n${list("i + start")}`, "i + start, layer_idx=i)"],
    [
      "first = 1\nself.layers = nn.ModuleList()\nfor i in range(depth):\n" +
        "    self.layers.append(Block(width, i + first))",
      "= layer_number ** -0.5",
    ],
  ])("is counted: %s", (stack, expected) => {
    const { code, warnings } = apply(model(stack));
    expect(code).toContain(expected);
    expect(warnings).toBe("");
  });

  it("stands at the top of the file", () => {
    const { code } = apply(model(list("i + FIRST"), { top: "FIRST = 1\n" }));
    expect(code).toContain("= layer_number ** -0.5");
  });
});

describe("an offset that is not known", () => {
  it.each([
    list("i + config.num_encoder_layers"),
    list("i + depth"),
    `if depth:\n    start = 1\n${list("i + start")}`,
    `start = 1\nstart += depth\n${list("i + start")}`,
    `start = 0\nfor start in range(depth):\n    pass\n${list("i + start")}`,
    `start = 0\n(start, other) = depth\n${list("i + start")}`,
    `offset = len(config.layers)\n${list("i + offset")}`,
  ])("leaves the loop's own index, with a warning: %s", (stack) => {
    for (const parameter of ["layer_number", "layer_idx", "depth"]) {
      const { code, warnings } = apply(model(stack, { parameter }));
      expect(code).toMatch(/, (\w+)=i\) for i in range\(depth\)/);
      expect(code).toMatch(/= \((?:layer|block)_\w+ \+ 1\) \*\* -0\.5/);
      expect(code).not.toContain(`= (${parameter} + 1)`);
      expect(warnings).toContain("which is not known here");
    }
  });

  it("leaves two lists their own counts", () => {
    const second = list("i + depth").replace("self.layers", "self.others");
    const { code } = apply(model(`${list("i")}\n${second}`));
    expect(code).toContain("Block(width, i, layer_idx=i)");
    expect(code).toContain("Block(width, i + depth, layer_idx=i)");
  });
});

describe("the layers before a stage of a pipeline", () => {
  const rank = "mpu.get_pipeline_model_parallel_rank() * depth";
  it.each([
    [`offset = ${rank}\n${list("i + 1 + offset")}`, "offset"],
    [`offset = 0\nif depth:\n    offset = ${rank}\n${list("i + 1 + offset")}`, "offset"],
    [`offset = _get_layer_offset(config)\n${list("i + 1 + offset")}`, "offset"],
    [`self.layer_offset = ${rank}\n${list("self.layer_offset + i + 1")}`, "self.layer_offset"],
    [list("i + 1 + get_transformer_layer_offset(config)"), "get_transformer_layer_offset(config)"],
  ])("are counted, with a warning: %s", (stack, name) => {
    const { code, warnings } = apply(model(stack));
    expect(code).toContain("= layer_number ** -0.5");
    expect(warnings).toContain(`${name} is taken for the number of layers before this stage`);
  });
});
