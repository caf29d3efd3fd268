import { describe, expect, it } from "vitest";
import { codeThatUses, Imports, importsIn } from "../../../src/python/imports";

describe("imports in a text", () => {
  it.each([
    ["import torch.nn as nn, math", ["torch.nn", "math"]],
    ["from .block import Block, Norm as N  # both", [".block.Block", ".block.Norm"]],
    ["from .. import layers", ["..layers"]],
    ["from block import *", ["block"]],
    ["from a import (\n    B,  # (the layer)\n    C,\n)", ["a.B", "a.C"]],
    ["from a import B, \\\n    C\n", ["a.B", "a.C"]],
    ["def test():\n    from a import B; import c", ["a.B", "c"]],
    ["if TYPE_CHECKING: from a import B", ["a.B"]],
    ["# from a import B\nimportant = fromage", []],
  ])("of %j", (text, expected) => {
    expect(importsIn(text)).toEqual(expected);
  });
});

describe("the file that an import means", () => {
  const imports = new Imports([
    "/ws/gpt/block.py",
    "/ws/gpt/layers/__init__.py",
    "/ws/gpt/layers/block.py",
    "/ws/bert/block.py",
    "/ws/bert/model.py",
  ]);
  it.each([
    ["block", "/ws/gpt/model.py", ["/ws/gpt/block.py"]],
    ["block", "/ws/bert/model.py", ["/ws/bert/block.py"]],
    [".block", "/ws/gpt/layers/__init__.py", ["/ws/gpt/layers/block.py"]],
    ["..block", "/ws/gpt/layers/stack.py", ["/ws/gpt/block.py"]],
    ["layers.block", "/ws/gpt/model.py", ["/ws/gpt/layers/block.py"]],
    ["layers", "/ws/gpt/model.py", ["/ws/gpt/layers/__init__.py"]],
    [".", "/ws/gpt/layers/stack.py", ["/ws/gpt/layers/__init__.py"]],
    // The folder was cloned under another name.
    ["roberta.model", "/ws/tests/test_model.py", ["/ws/bert/model.py"]],
    ["torch.nn", "/ws/gpt/model.py", []],
  ])("%s in %s", (module, importer, expected) => {
    expect(imports.filesOf(module, importer)).toEqual(expected);
  });

  it("is several where nothing tells them apart", () => {
    const both = ["/ws/gpt/block.py", "/ws/bert/block.py"];
    expect(imports.filesOf("block", "/ws/train.py")).toEqual(both);
  });
});

describe("the code that uses a file", () => {
  const imports = new Map([
    ["/ws/gpt/block.py", ["torch.nn", "utils.log"]],
    ["/ws/gpt/model.py", ["gpt.block.Block", "gpt.embedding.Embedding"]],
    ["/ws/gpt/embedding.py", []],
    ["/ws/tests/test_block.py", ["gpt.block.Block"]],
    ["/ws/utils.py", []],
    ["/ws/bert/model.py", ["utils.log"]],
  ]);

  it("is what imports it, and what that is made of", () => {
    expect([...codeThatUses(imports, ["/ws/gpt/block.py"])].toSorted()).toEqual([
      "/ws/gpt/block.py",
      "/ws/gpt/embedding.py",
      "/ws/gpt/model.py",
      "/ws/tests/test_block.py",
      "/ws/utils.py",
    ]);
  });

  it("is not another model that shares a helper with it", () => {
    expect(codeThatUses(imports, ["/ws/gpt/block.py"])).not.toContain("/ws/bert/model.py");
  });
});
