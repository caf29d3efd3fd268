import { describe, expect, it } from "vitest";
import { connectedFiles } from "../../../src/python/connectedFiles";
import { file } from "./support/read";

const files = [
  file("project/train.py", "from gpt.model import GPT\n"),
  file("project/gpt/__init__.py", ""),
  file("project/gpt/model.py", "from .block import Block\nimport torch.nn as nn\n"),
  file("project/gpt/block.py", "import torch.nn as nn\n"),
  file("project/other.py", "import torch.nn as nn\n"),
  file("project/bert/model.py", "from bert.layers import Layer\n"),
];
const connectedTo = (path: string) => connectedFiles(files, path).map((one) => one.path);

describe("connected files", () => {
  it("are those imported, those that import, and so on", () => {
    const gpt = ["project/train.py", "project/gpt/model.py", "project/gpt/block.py"];
    expect(connectedTo("project/gpt/block.py")).toEqual(expect.arrayContaining(gpt));
    expect(connectedTo("project/gpt/block.py")).not.toContain("project/other.py");
    expect(connectedTo("project/gpt/block.py")).not.toContain("project/bert/model.py");
  });

  it("of a file that nothing knows is the file", () => {
    expect(connectedTo("project/other.py")).toEqual(["project/other.py"]);
    expect(connectedTo("project/none.py")).toEqual([]);
  });
});
