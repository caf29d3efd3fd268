import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { readLlama2c } from "../../../../src/checkpoint/formats/llama2c";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../../src/checkpoint/readTensor";
import { rows, transposed } from "../../../../src/checkpoint/views";
import { failureOf } from "../../support/failures";
import type { Llama2cFixture } from "../../support/llama2c";
import { encodeLlama2c, tinyLlama2c } from "../../support/llama2c";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

describe("a llama2.c file", () => {
  it.each<[string, Partial<Llama2cFixture>]>([
    ["0", { version: 0 }],
    ["0 with an output of its own", { version: 0, isTied: false }],
    ["1", { version: 1 }],
    ["1 with an output of its own", { version: 1, isTied: false }],
    ["2", { version: 2 }],
    ["2 with an output of its own", { version: 2, isTied: false, groupSize: 2 }],
  ])("of version %s gives every tensor's numbers", async (_, changes) => {
    const fixture = { ...tinyLlama2c, ...changes };
    const { file, numbers } = encodeLlama2c(fixture);
    const opened = await openCheckpoint(written(file));
    expect(opened.format).toBe("llama2.c");
    expect([...opened.tensors.keys()].sort()).toEqual([...numbers.keys()].sort());
    for (const [name, tensor] of opened.tensors) {
      expect(await readTensor(tensor)).toEqual(numbers.get(name));
      expect(isReadInPlace(tensor)).toBe(fixture.version < 2 || name.includes("norm"));
    }
    expect(opened.tensors.get("layers.1.attention.wk.weight")!.shape).toEqual([4, 8]);
    expect(opened.tensors.get("layers.1.feed_forward.w2.weight")!.shape).toEqual([8, 12]);
    expect(opened.config?.value).toEqual({
      version: fixture.version,
      dim: 8,
      hidden_dim: 12,
      n_layers: 2,
      n_heads: 4,
      n_kv_heads: 2,
      vocab_size: 5,
      seq_len: 6,
      ...(fixture.version === 2 && { group_size: fixture.groupSize }),
    });
  });

  it("in groups gives rows and columns with their factors", async () => {
    const { file, numbers } = encodeLlama2c({ ...tinyLlama2c, version: 2 });
    const { tensors } = await openCheckpoint(written(file));
    const name = "layers.0.feed_forward.w2.weight";
    const all = numbers.get(name)!;
    expect(await readTensor(rows(tensors.get(name)!, 3, 5))).toEqual(all.slice(36, 60));
    const turned = Float32Array.from(all, (_, at) => all[(at % 8) * 12 + Math.floor(at / 8)]!);
    expect(await readTensor(transposed(tensors.get(name)!))).toEqual(turned);
  });

  it("of version 0 is told by its size to the byte", async () => {
    const { file } = encodeLlama2c({ ...tinyLlama2c, version: 0 });
    expect((await openCheckpoint(written(file))).format).toBe("llama2.c");
    for (const other of [file.subarray(0, -1), Buffer.concat([file, Buffer.alloc(1)])]) {
      const path = written(other);
      expect(await failureOf(openCheckpoint(path), CheckpointError)).toContain(
        "is not a checkpoint that can be read",
      );
      expect(await failureOf(readLlama2c(path), CheckpointError)).toContain(
        `is ${other.length} bytes long; a llama2.c file of version 0 with dim 8`,
      );
    }
  });
});

describe("a llama2.c file that contradicts itself", () => {
  const { file: valid } = encodeLlama2c({ ...tinyLlama2c, version: 2 });
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(valid);
    copy.writeInt32LE(value, at);
    return copy;
  };

  it("has a twin that does not", async () => {
    expect((await readLlama2c(written(valid))).bytes).toBe(valid.length);
  });

  it.each<[string, Buffer, string]>([
    ["is of version 3", changed(4, 3), "is of llama2.c version 3; versions 0, 1 and 2"],
    ["is of version -1", changed(4, -1), "is of llama2.c version -1"],
    ["has no layers", changed(16, 0), "0 layers"],
    ["has a billion layers", changed(16, 1e9), "1000000000 layers"],
    ["has more layers than fit", changed(16, 9_000), "room for as many layers"],
    ["has heads that do not divide", changed(20, 3), "heads that divide dim"],
    ["has groups over rows", changed(37, 8), "do not divide rows of hidden_dim 12"],
    ["has groups of none", changed(37, 0), "sizes above zero"],
    ["has another vocabulary", changed(28, 6), `is ${valid.length} bytes long`],
    ["has sizes beyond all numbers", changed(28, 2 ** 31 - 1), `is ${valid.length} bytes long`],
    ["is cut short", valid.subarray(0, -4), "bytes long"],
    ["ends in its header", valid.subarray(0, 20), "does not begin with the sizes"],
    ["is empty", Buffer.alloc(0), "does not begin with the sizes"],
  ])("because it %s is refused", async (_, content, words) => {
    const path = written(content);
    const message = await failureOf(readLlama2c(path), CheckpointError);
    expect(message.startsWith(`${path}: `)).toBe(true);
    expect(message).toContain(words);
  });
});

const shared = fileURLToPath(new URL("../../../../../shared/checkpoints/", import.meta.url));

describe.skipIf(!existsSync(shared))("TinyStories 260K as llama2.c", () => {
  it("holds the same numbers in versions 0 and 1, and in GGUF", async () => {
    const [first, second] = await Promise.all(
      ["checkpoint_v0.bin", "checkpoint_v1.bin"].map((name) =>
        openCheckpoint(join(shared, "stories260k-llama2c", name)),
      ),
    );
    const gguf = await openCheckpoint(join(shared, "stories260k-gguf"));
    expect(first!.tensors.size).toBe(47);
    expect([...second!.tensors.keys()].sort()).toEqual([...first!.tensors.keys()].sort());
    for (const [name, tensor] of first!.tensors) {
      expect(await readTensor(tensor)).toEqual(await readTensor(second!.tensors.get(name)!));
    }
    // GGUF rearranges the rows of queries and keys; the others stay as they are.
    const pairs = [
      ["layers.4.feed_forward.w2.weight", "blk.4.ffn_down.weight"],
      ["layers.2.attention.wv.weight", "blk.2.attn_v.weight"],
      ["norm.weight", "output_norm.weight"],
    ] as const;
    for (const [own, other] of pairs) {
      const numbers = await readTensor(first!.tensors.get(own)!);
      expect(numbers).toEqual(await readTensor(gguf.tensors.get(other)!));
    }
  });

  it("is not mistaken elsewhere: llama2xs has a hidden size of its own", async () => {
    const { tensors, config } = await openCheckpoint(join(shared, "llama2xs", "model.bin"));
    expect(config?.value).toMatchObject({ version: 0, dim: 64, hidden_dim: 192, seq_len: 256 });
    expect(tensors.size).toBe(47);
  });
});

function written(content: Uint8Array): string {
  const path = join(scratch(), "model.bin");
  writeFileSync(path, content);
  return path;
}
