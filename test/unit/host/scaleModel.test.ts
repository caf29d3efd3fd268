/** The edit of LayerNorm Scaling reaches all code of the workspace folder that makes the layers. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { CodeLimits } from "../../../src/host/python/codeAround";
import { scaleModel } from "../../../src/host/python/scaleModel";
import type { ScaledModel } from "../../../src/host/python/scaleModel";
import { PythonReader } from "../../../src/python/reader";
import { ensureBuilt, extensionPath } from "../support/cli";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const bundles = path.dirname(extensionPath);
let reader: PythonReader;

beforeAll(async () => {
  ensureBuilt();
  reader = await PythonReader.load(bundles);
});

const block = `
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.ff(self.norm(x))
`;
const stack = (from: string): string => `
import torch.nn as nn
${from}

class DeepModel(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for i in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
`;
const stacked = "Block(dim, layer_idx=i)";

function workspace(files: Record<string, string>): string {
  const root = scratch();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

interface Asked {
  root: string;
  /** Relative to the root. */
  file: string;
  text?: string;
  open?: Record<string, string>;
  isOutside?: boolean;
  limits?: CodeLimits;
}

function requestOf({ root, file, text = block, isOutside = false }: Asked) {
  return {
    path: `${root}/${file}`,
    offset: text.indexOf("class "),
    root: isOutside ? undefined : root,
  };
}

function ask(asked: Asked): Promise<ScaledModel> {
  const { root, open = {}, limits } = asked;
  const texts = Object.entries(open).map(([name, text]) => [`${root}/${name}`, text] as const);
  return scaleModel(reader, requestOf(asked), new Map(texts), limits);
}

/** The edited files, by their path below the root. */
function edited({ outcome, texts }: ScaledModel, root: string): Record<string, string> {
  if (outcome.kind === "refusal") return { refusal: outcome.message };
  const after: Record<string, string> = {};
  for (const { path: file, start, end, newText } of outcome.edits.toReversed()) {
    const name = path.posix.relative(root, file);
    const text = after[name] ?? texts.get(file)!;
    after[name] = text.slice(0, start) + newText + text.slice(end);
  }
  return after;
}

describe("the index is passed", () => {
  it.each([
    ["where the stack lies above", "layers/block.py", "deep_model.py", "from layers.block import"],
    ["beside the folder", "layers/block.py", "models/deep.py", "from layers.block import"],
    ["by way of a package", "net/layers/block.py", "net/deep.py", "from .layers import"],
  ])("%s", async (_, file, model, from) => {
    const root = workspace({
      [file]: block,
      "net/layers/__init__.py": "from .block import Block\n",
      [model]: stack(`${from} Block`),
    });
    expect(edited(await ask({ root, file }), root)[model]).toContain(stacked);
  });

  it.each([
    ["from block import Block\n\ndef test_it():\n    Block(8)\n", "Block(8, layer_idx=0)"],
    ["def test_it():\n    from block import Block\n    Block(8)\n", "Block(8, layer_idx=0)"],
    ["from block import *\n\ndef test_it():\n    Block(8)\n", "Block(8, layer_idx=0)"],
    [
      "import block\n\nclass TestIt:\n    def test(self):\n        block.Block(8)\n",
      "layer_idx=0)",
    ],
    ["import src.block as b\n\nlayer = b.Block(8)\n", "b.Block(8, layer_idx=0)"],
  ])("in tests beside the folder: %j", async (test, expected) => {
    const root = workspace({
      "src/block.py": `${block}${stack("")}`,
      "tests/test_block.py": test,
    });
    const files = edited(await ask({ root, file: "src/block.py" }), root);
    expect(files["src/block.py"]).toContain(stacked);
    expect(files["tests/test_block.py"]).toContain(expected);
  });

  it("to what the layers are made of, and where else that is made", async () => {
    const attention = block
      .replace("class Block", "class Attention")
      .replace("x + self.ff(", "self.ff(");
    const layer = `
import torch.nn as nn
from attention import Attention

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attention = Attention(dim)

    def forward(self, x):
        return x + self.attention(x)
${stack("")}`;
    const root = workspace({
      "net/attention.py": attention,
      "net/block.py": layer,
      "tests/test_attention.py": "from net.attention import Attention\nAttention(8)\n",
    });
    const files = edited(await ask({ root, file: "net/block.py", text: layer }), root);
    expect(files).toMatchObject({
      "net/block.py": expect.stringContaining(stacked) as string,
      "tests/test_attention.py": expect.stringContaining("Attention(8, layer_idx=0)") as string,
    });
  });

  it("as open documents stand, not as they were saved", async () => {
    const root = workspace({ "layers/block.py": block, "deep_model.py": "" });
    const open = { "deep_model.py": stack("from layers.block import Block") };
    const files = edited(await ask({ root, file: "layers/block.py", open }), root);
    expect(files["deep_model.py"]).toContain(stacked);
  });

  it("in the package of a file outside of every workspace folder", async () => {
    const root = workspace({
      "net/__init__.py": "",
      "net/layers/__init__.py": "",
      "net/layers/block.py": block,
      "net/deep.py": stack("from .layers.block import Block"),
    });
    const scaled = await ask({ root, file: "net/layers/block.py", isOutside: true });
    expect(edited(scaled, root)["net/deep.py"]).toContain(stacked);
  });
});

it("does not touch another model of the workspace with files of the same names", async () => {
  const model = stack("from .block import Block");
  const root = workspace({
    "one/block.py": block,
    "one/model.py": model,
    "two/block.py": block,
    "two/model.py": model,
  });
  const files = edited(await ask({ root, file: "two/block.py" }), root);
  expect(Object.keys(files).toSorted()).toEqual(["two/block.py", "two/model.py"]);
});

describe("what the limits left out is named", () => {
  const files = {
    "src/block.py": `${block}${stack("")}`,
    "tests/test_block.py": `from block import Block\nBlock(8)\n${"# long\n".repeat(200)}`,
  };
  it.each([
    ["files", { files: 1, bytes: 10_000 }],
    ["bytes", { files: 10, bytes: 1200 }],
  ])("for their %s", async (_, limits) => {
    const root = workspace(files);
    const { outcome } = await ask({ root, file: "src/block.py", limits });
    if (outcome.kind === "refusal") expect.fail(outcome.message);
    expect(outcome.warnings.map(({ message }) => message).join()).toContain("tests/test_block.py");
  });

  it("and nothing is said where all was read", async () => {
    const { outcome } = await ask({ root: workspace(files), file: "src/block.py" });
    expect(outcome).toMatchObject({ kind: "edits", warnings: [] });
  });
});
