import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyLayerNormScaling } from "../../../../src/python/layerNormScaling/applyLayerNormScaling";
import { parser } from "../support/parser";
import { edited } from "./support";

const model = (forward: string, options: { stack?: string; init?: string } = {}): string => `
import torch.nn as nn

class Block(nn.Module):
    ${options.init ?? "def __init__(self, dim):"}
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        ${forward}

class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList(${options.stack ?? "[Block(dim) for _ in range(depth)]"})
`;

function apply(text: string): string {
  const files = [{ path: "model.py", source: parser.parse(text) }];
  const outcome = applyLayerNormScaling(files);
  if (outcome.kind === "refusal") return outcome.reason;
  return edited(files, outcome.edits).get("model.py")!;
}

describe("the product", () => {
  it.each([
    ["return x + self.ff(self.norm(x))", "self.ff(self.norm(x) * self.ln_scale)"],
    ["return x + self.ff(self.norm(x).float())", "self.ff((self.norm(x) * self.ln_scale).float())"],
    ["return x + self.ff(self.norm(x)[:, 1:])", "self.ff((self.norm(x) * self.ln_scale)[:, 1:])"],
    ["return x + self.ff(2 / self.norm(x))", "self.ff(2 / (self.norm(x) * self.ln_scale))"],
    ["return x + self.ff(self.norm(x) ** 2)", "self.ff((self.norm(x) * self.ln_scale) ** 2)"],
    ["return x + self.ff(-self.norm(x))", "self.ff(-self.norm(x) * self.ln_scale)"],
    ["return x + self.ff(input=self.norm(x))", "self.ff(input=self.norm(x) * self.ln_scale)"],
  ])("of %s", (forward, expected) => {
    expect(apply(model(forward))).toContain(expected);
  });
});

describe("the norms", () => {
  it.each(["GroupRMSNorm", "nn.GroupNorm", "SyncedRMSNorm", "WeightFreeLayerNorm", "UnitNorm"])(
    "are those that have a lens: %s",
    (name) => {
      const code = model("return x + self.ff(self.norm(x))").replace("nn.LayerNorm", name);
      expect(apply(`from norms import *\n${code}`)).toContain("self.norm(x) * self.ln_scale");
    },
  );

  it.each(["nn.BatchNorm", "nn.utils.weight_norm", "WeightNorm"])("are not %s", (name) => {
    const code = model("return x + self.ff(self.mix(x))")
      .replace("self.norm = nn.LayerNorm", `self.mix = ${name}`)
      .replace("import torch.nn as nn", "import torch.nn as nn\nfrom norms import WeightNorm");
    expect(apply(code)).not.toContain("ln_scale");
  });
});

describe("the index", () => {
  const forward = "return x + self.ff(self.norm(x))";
  it.each([
    ["[Block(dim) for i in range(depth)]", "[Block(dim, layer_idx=i) for i in range(depth)]"],
    ["[Block(dim) for i in range(1, depth + 1)]", "Block(dim, layer_idx=i - 1)"],
    [
      "[Block(d) for d, e in zip(dim, depth)]",
      "[Block(d, layer_idx=layer_idx) for layer_idx, (d, e) in enumerate(zip(dim, depth))]",
    ],
    [
      "[Block(dim) for _, e in enumerate(depth)]",
      "Block(dim, layer_idx=layer_idx) for layer_idx, e in enumerate(depth)",
    ],
    ["[Block(dim), Block(dim)]", "[Block(dim, layer_idx=0), Block(dim, layer_idx=1)]"],
    ["[Block(**dim) for i in range(depth)]", "Block(**dim, layer_idx=i)"],
  ])("of %s", (stack, expected) => {
    expect(apply(model(forward, { stack }))).toContain(expected);
  });

  it.each([
    ["[Block(dim) for i in range(2, depth)]", "layer_idx, i in enumerate(range(2, depth))"],
    ["[Block(dim) for i in range(a) for j in range(b)]", "unclear-index"],
    ["[make(Block) for i in range(depth)]", "unclear-construction"],
  ])("of %s", (stack, expected) => {
    expect(apply(model(forward, { stack }))).toContain(expected);
  });

  it.each([
    ["[Block(dim, i + 1) for i in range(depth)]", "= layer_number ** -0.5"],
    ["[Block(dim, 1 + i) for i in range(depth)]", "= layer_number ** -0.5"],
    ["[Block(dim, i + 1 + offset) for i in range(depth)]", "i + 1 + offset, layer_idx=i)"],
    ["[Block(dim, self.start + i) for i in range(depth)]", "self.start + i, layer_idx=i)"],
    ["[Block(dim, i * offset) for i in range(depth)]", "Block(dim, i * offset, layer_idx=i)"],
    ["[Block(dim, i + 7 + offset) for i in range(depth)]", "i + 7 + offset, layer_idx=i)"],
  ])("is the number that a layer is given: %s", (stack, expected) => {
    expect(
      apply(model(forward, { stack, init: "def __init__(self, dim, layer_number):" })),
    ).toContain(expected);
  });

  it("is not another sum with the loop's variable", () => {
    const stack = "[Block(dim, i + seed) for i in range(depth)]";
    expect(apply(model(forward, { stack, init: "def __init__(self, dim, seed):" }))).toContain(
      "Block(dim, i + seed, layer_idx=i)",
    );
  });

  it.each<[string, string, string]>([
    ["self.layers = nn.ModuleList()", "self.layers.append(Block(dim))", "len(self.layers)"],
    ["self.layers = nn.ModuleList([])", "self.layers.append(Block(dim))", "len(self.layers)"],
    ["self.layers = nn.ModuleList([nn.Linear(dim, dim)])", "self.layers.append(Block(dim))", ""],
    ["self.layers = []", "self.layers.insert(0, Block(dim))", ""],
  ])("is the length of what a while loop fills: %s %s", (empty, append, length) => {
    const loop = `${empty}\n        while len(self.layers) < depth:\n            ${append}`;
    const code = model(forward, { stack: "X" }).replace(/self\.layers = .*X.*/, loop);
    expect(code).toContain(append);
    expect(apply(code)).toContain(
      length === "" ? "unclear-index" : `append(Block(dim, layer_idx=${length}))`,
    );
  });

  it("is not the length of a list that each round of a while loop empties", () => {
    const loop =
      "groups = []\n        while len(groups) < depth:\n            inner = []\n            " +
      "inner.append(Block(dim))\n            groups.append(nn.ModuleList(inner))\n        " +
      "self.layers = nn.ModuleList(groups)";
    const code = model(forward, { stack: "X" }).replace(/self\.layers = .*X.*/, loop);
    expect(code).toContain("inner.append");
    expect(apply(code)).toBe("unclear-index");
  });

  it.each([
    ["def __init__(self, dim, *args):", "def __init__(self, dim, *args, layer_idx):"],
    ["def __init__(self, dim=3):", "def __init__(self, dim=3, *, layer_idx):"],
    ["def __init__(self, dim, **kw):", "def __init__(self, dim, layer_idx, **kw):"],
    ["def __init__(self, dim=1, **kw):", "def __init__(self, dim=1, *, layer_idx, **kw):"],
    ["def __init__(self, *, dim=1):", "def __init__(self, *, dim=1, layer_idx):"],
    ["def __init__(self, dim: int, ):", "def __init__(self, dim: int, layer_idx: int, ):"],
  ])("as a parameter of %s", (init, expected) => {
    expect(apply(model(forward, { init }))).toContain(expected);
  });
});

describe("the text", () => {
  const plain = model("return x + self.ff(self.norm(x))");

  it("keeps line ends", () => {
    const after = apply(plain.replaceAll("\n", "\r\n"));
    expect(after.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(after.replaceAll("\r\n", "\n")).toBe(apply(plain));
  });

  it("counts positions in UTF-16, as editors do", () => {
    const comment = "# 😀 ℓ é\n";
    expect(apply(comment + plain)).toBe(comment + apply(plain));
  });

  it("never throws, whatever is cut off", () => {
    fc.assert(
      fc.property(fc.nat(plain.length), fc.nat(plain.length), (start, length) => {
        apply(plain.slice(0, start) + plain.slice(start + length));
      }),
    );
  });
});
