import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import { isSameContent } from "../../../src/checkpoint/content";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { scratchFolders } from "../support/scratch";
import { floats, pickled, tensorCode, zipFile } from "../support/torchFiles";

const scratch = scratchFolders();

describe("two tensors", () => {
  const root = pickled.dict({
    "a.weight": tensorCode("0", [2]),
    "b.weight": tensorCode("1", [2]),
    "c.weight": tensorCode("2", [2]),
    "d.weight": tensorCode("0", [2]),
    "e.weight": tensorCode("0", [1, 2]),
  });
  it.each([true, false])("of an archive are told apart, deflated: %s", async (isDeflated) => {
    const file = join(scratch(), "model.pt");
    const storages = [floats(1, 2), floats(3, 4), floats(1, 2)];
    const stored = storages.map((data, at) => ({ name: `archive/data/${at}`, data, isDeflated }));
    const pickle = { name: "archive/data.pkl", data: pickled.whole(root) };
    writeFileSync(file, zipFile([pickle, ...stored]));
    const { tensors } = await openCheckpoint(file);
    const isSame = (a: string, b: string): Promise<boolean> =>
      isSameContent(tensors.get(a)!, tensors.get(b)!);
    expect(await isSame("a.weight", "b.weight")).toBe(false);
    expect(await isSame("a.weight", "c.weight")).toBe(true);
    expect(await isSame("a.weight", "d.weight")).toBe(true);
    expect(await isSame("a.weight", "e.weight")).toBe(false);
    // One tensor is not read to be compared with itself.
    const gone = { ...tensors.get("a.weight")!, file: "/gone" };
    expect(await isSameContent(gone, { ...gone, name: "another" })).toBe(true);
  });

  it("put together from parts are told apart, though each counts from its own beginning", async () => {
    const folder = fileURLToPath(new URL("../../fixtures-torch/zero3", import.meta.url));
    const { tensors } = await openCheckpoint(folder);
    const [layer, position, embedding, head] = [
      "layer.weight",
      "position.weight",
      "embedding.weight",
      "head.weight",
    ].map((name) => tensors.get(name)!) as [TensorEntry, TensorEntry, TensorEntry, TensorEntry];
    // Of one shape, and both at byte 0 of what their parts make.
    const moved = { ...position, file: layer.file };
    expect([moved.shape, moved.offset]).toEqual([layer.shape, layer.offset]);
    expect(await isSameContent(layer, moved)).toBe(false);
    expect(await isSameContent(embedding, head)).toBe(true);
  });
});
