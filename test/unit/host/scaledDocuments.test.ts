/** Edits fit the documents that the editor makes of the files, not only the files. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { scaledDocuments } from "../../../src/host/python/scaledDocuments";
import { scaleModel } from "../../../src/host/python/scaleModel";
import { PythonReader } from "../../../src/python/reader";
import { ensureBuilt, extensionPath } from "../support/cli";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
let reader: PythonReader;
beforeAll(async () => {
  ensureBuilt();
  reader = await PythonReader.load(path.dirname(extensionPath));
});

const block = `import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.ff(self.norm(x))
`;
const stack = `import torch.nn as nn
from block import Block

# Écrit par une personne à Orléans
class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for i in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
`;
const mixed = stack.replace(/\n/g, () => "\r\n").replace("\r\n", "\n");

/** As an editor: reads in an encoding, and makes line ends alike. */
function editor(root: string, encoding: BufferEncoding) {
  const open = new Map<string, { getText(): string }>();
  return {
    scale: vi.fn(() => {
      const texts = new Map([...open].map(([file, document]) => [file, document.getText()]));
      const offset = block.indexOf("class ");
      return scaleModel(reader, { path: `${root}/block.py`, offset, root }, texts);
    }),
    open: (file: string) => {
      const text = readFileSync(file, encoding).replace(/\r\n|\r/g, "\n");
      const document = open.get(file) ?? { getText: () => text };
      open.set(file, document);
      return Promise.resolve(document);
    },
  };
}

function workspace(stackFile: Buffer): string {
  const root = scratch();
  writeFileSync(path.join(root, "block.py"), block);
  writeFileSync(path.join(root, "stack.py"), stackFile);
  return root;
}

describe("the edits of files that are not open", () => {
  it.each<[string, Buffer, BufferEncoding, number]>([
    ["as they stand", Buffer.from(stack), "utf8", 1],
    ["with mixed line ends", Buffer.from(mixed), "utf8", 2],
    ["in another encoding", Buffer.from(stack, "latin1"), "latin1", 2],
    ["in another encoding with mixed line ends", Buffer.from(mixed, "latin1"), "latin1", 2],
  ])("are of the text that the editor has: %s", async (_, file, encoding, reads) => {
    const root = workspace(file);
    const { scale, open } = editor(root, encoding);
    const scaled = (await scaledDocuments(scale, open))!;
    if (!("documents" in scaled)) expect.fail(scaled.outcome.message);
    expect(scale).toHaveBeenCalledTimes(reads);
    const name = `${root}/stack.py`;
    expect(scaled.documents.get(name)!.getText()).toBe(stack);
    const edits = scaled.outcome.edits.filter((edit) => edit.path === name).toReversed();
    const after = edits.reduce(
      (text, { start, end, newText }) => text.slice(0, start) + newText + text.slice(end),
      stack,
    );
    expect(after).toBe(stack.replace("Block(dim)", "Block(dim, layer_idx=i)"));
  });

  it("are none where the code does not rest", async () => {
    const root = workspace(Buffer.from(stack));
    const { scale } = editor(root, "utf8");
    let count = 0;
    const open = () => Promise.resolve({ getText: () => `${stack}# ${++count}\n` });
    expect(await scaledDocuments(scale, open)).toBeUndefined();
  });

  it("are none where LayerNorm Scaling is refused, and nothing is opened", async () => {
    const root = workspace(Buffer.from("import torch\n"));
    const { scale } = editor(root, "utf8");
    const open = vi.fn(() => Promise.resolve({ getText: () => "" }));
    expect(await scaledDocuments(scale, open)).toMatchObject({ outcome: { kind: "refusal" } });
    expect(open).not.toHaveBeenCalled();
  });
});
