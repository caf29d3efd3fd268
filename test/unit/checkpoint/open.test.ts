import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/checkpoint/checkpoint";
import { parameterCount } from "../../../src/checkpoint/checkpoint";
import { commonFolder } from "../../../src/checkpoint/commonFolder";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { findNonFinite } from "../../../src/checkpoint/finite";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, fixture, readJson, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { diagnoseHere } from "../support/pipeline";
import { encodeSafetensors, float32Tensor, framed } from "../support/safetensors";
import { floats, pickled, tensorCode, torchZip } from "../support/torchFiles";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const indexName = "model.safetensors.index.json";

describe("a checkpoint", () => {
  it("of one file opens by its folder and by its file", async () => {
    const folder = fixture("llama");
    const byFolder = await openCheckpoint(folder);
    const byFile = await openCheckpoint(join(folder, "model.safetensors"));
    expect(insideOf(byFile)).toEqual(insideOf(byFolder));
    expect(byFolder.path).toBe(folder);
    expect(byFolder.bytes).toBe(101544);
    expect(byFolder.config?.value["hidden_size"]).toBe(24);
    expect(byFolder.tokenizer).toBeUndefined();
  });

  it("in shards opens by its folder, its index and any of its shards", async () => {
    const folder = fixture("llama3-sharded");
    const byFolder = await openCheckpoint(folder);
    const paths = [indexName, ...[1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`)];
    for (const path of paths) {
      expect(insideOf(await openCheckpoint(join(folder, path)))).toEqual(insideOf(byFolder));
    }
    const twin = await openCheckpoint(fixture("llama3-rope-scaling"));
    expect([...byFolder.tensors.keys()].sort()).toEqual([...twin.tensors.keys()].sort());
    expect(parameterCount(byFolder)).toBe(parameterCount(twin));
  });

  it("of one file that is named like a shard, but has no index, opens by itself", async () => {
    const folder = scratch();
    const file = join(folder, "model-00001-of-00001.safetensors");
    cpSync(join(fixture("llama"), "model.safetensors"), file);
    const { directoryFile, config } = await openCheckpoint(file);
    expect(directoryFile).toBe(file);
    expect(config).toBeUndefined();
  });

  it("opens under any file name that ends in .safetensors, a relative path and a trailing slash", async () => {
    const folder = copyFixture("llama", join(scratch(), "a model, with spaces & ünïcode"));
    renameSync(join(folder, "model.safetensors"), join(folder, "my.weights.safetensors"));
    for (const path of [join(folder, "my.weights.safetensors"), folder]) {
      const opened = await openCheckpoint(path);
      expect(opened.tensors.size).toBeGreaterThan(30);
    }
    const slash = await openCheckpoint(`${fixture("llama")}/`);
    expect(slash.path).toBe(fixture("llama"));
  });

  it("is told from the state that a trainer keeps beside it, under any name", async () => {
    const folder = scratch();
    const file = torchZip(pickled.dict({ "a.weight": tensorCode("0", [1]) }), { 0: floats(1) });
    for (const name of ["optimizer.pt", "rng_state_0.pth", "training_args.bin", "final.bin"]) {
      writeFileSync(join(folder, name), file);
    }
    expect((await openCheckpoint(folder)).directoryFile).toBe(join(folder, "final.bin"));
    writeFileSync(join(folder, "second.pt"), file);
    const message = await failureOf(openCheckpoint(folder), CheckpointError);
    expect(message).toContain('holds 2 PyTorch files, "final.bin", "second.pt"');
    for (const name of ["final.bin", "second.pt", "rng_state_0.pth", "training_args.bin"]) {
      rmSync(join(folder, name));
    }
    expect((await openCheckpoint(folder)).directoryFile).toBe(join(folder, "optimizer.pt"));
  });
});

describe("a Hugging Face cache", () => {
  it.each(["llama3-rope-scaling", "llama3-sharded"])(
    "of %s is followed through its links and diagnosed like the folder",
    async (name) => {
      const cache = intoCache(name);
      const opened = await openCheckpoint(cache);
      for (const { file } of opened.tensors.values()) expect(file).toContain("/blobs/");
      const documents = tokensOf(name).slice(0, 1);
      const options = { documents, metrics: ["variance", "pruning"] } as const;
      const report = await diagnoseHere(cache, options);
      const expected = await diagnoseHere(fixture(name), options);
      expect(report.layers).toEqual(expected.layers);
      expect(report.baseline).toEqual(expected.baseline);
      expect(report.checkpoint.path).toBe(cache);
      expect(report.checkpoint.bytes).toBe(expected.checkpoint.bytes);
    },
  );

  it("opens by a linked file too, with the config that stands beside the link", async () => {
    const cache = intoCache("llama");
    const opened = await openCheckpoint(join(cache, "model.safetensors"));
    expect(opened.folder).toBe(cache);
    expect(opened.config?.path).toBe(join(cache, "config.json"));
  });

  it("whose download was cut short, so that a link leads nowhere, names what is missing", async () => {
    const cache = intoCache("llama3-sharded");
    const blobs = join(cache, "../../blobs");
    rmSync(join(blobs, "sha-model-00002-of-00003.safetensors"));
    const message = await failureOf(openCheckpoint(cache), CheckpointError);
    expect(message).toContain(indexName);
    expect(message).toContain('shard "model-00002-of-00003.safetensors" is missing');
  });
});

describe("a path that is no checkpoint", () => {
  it.each<[string, (folder: string) => string, string[]]>([
    ["nothing", (folder) => join(folder, "gone"), ["gone: does not exist"]],
    [
      "an empty folder",
      (folder) => folder,
      ["expected a folder with model.safetensors", "it holds none"],
    ],
    [
      "a folder of several files, none with the usual name",
      (folder) => {
        for (const name of ["a", "b"]) writeFileSync(join(folder, `${name}.safetensors`), "");
        return folder;
      },
      ['holds 2 safetensors files, "a.safetensors", "b.safetensors"', "name one of them"],
    ],
    [
      "another kind of file",
      (folder) => {
        writeFileSync(join(folder, "notes.txt"), "hello");
        return join(folder, "notes.txt");
      },
      ["notes.txt: is not a checkpoint that can be read", "expected a safetensors, "],
    ],
    [
      "a file without tensors",
      (folder) => {
        writeFileSync(join(folder, "model.safetensors"), framed("{}"));
        return folder;
      },
      ["model.safetensors: holds no tensors"],
    ],
    [
      "a folder that is named like a file",
      (folder) => {
        mkdirSync(join(folder, "x.safetensors"));
        return join(folder, "x.safetensors");
      },
      ["x.safetensors: expected a folder with", "it holds none"],
    ],
    [
      "a pipe, which would keep its reader waiting",
      (folder) => {
        execFileSync("mkfifo", [join(folder, "model.safetensors")]);
        return folder;
      },
      ["model.safetensors: is not a file"],
    ],
    [
      "a folder in place of the file",
      (folder) => {
        mkdirSync(join(folder, "model.safetensors"));
        return folder;
      },
      ["model.safetensors: is not a file"],
    ],
  ])("is refused: %s", async (_, make, words) => {
    const message = await failureOf(openCheckpoint(make(scratch())), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });
});

describe("an index", () => {
  const withIndex = (index: unknown, folder = scratch()): string => {
    copyFixture("llama3-sharded", folder);
    writeFileSync(
      join(folder, indexName),
      typeof index === "string" ? index : JSON.stringify(index),
    );
    return folder;
  };
  const original = readJson(join(fixture("llama3-sharded"), indexName)) as {
    metadata: unknown;
    weight_map: Record<string, string>;
  };
  const firstTensor = "model.embed_tokens.weight";

  it.each<[string, unknown, string[]]>([
    ["that is not JSON", "{", [indexName, "is not JSON"]],
    ["that is a list", [], [indexName, 'has no "weight_map"']],
    ["without a weight map", { metadata: {} }, ['has no "weight_map"']],
    ["that maps a tensor to a number", { weight_map: { a: 1 } }, ['has no "weight_map"']],
    [
      "that names a shard outside its folder",
      { weight_map: { a: "../../secret.safetensors" } },
      ['shard "../../secret.safetensors" is not a plain file name'],
    ],
    ["that names the folder above", { weight_map: { a: ".." } }, ['shard ".." is not a plain']],
    ["that names its own folder", { weight_map: { a: "." } }, ['shard "." is not a plain']],
    ["that names nothing", { weight_map: { a: "" } }, ['shard "" is not a plain']],
    ["that names two lines", { weight_map: { a: "a\nb" } }, ['shard "a\\nb" is not a plain']],
    [
      "that names a path with backslashes",
      { weight_map: { a: "..\\secret" } },
      ['shard "..\\\\secret" is not a plain file name'],
    ],
    [
      "whose shard is missing",
      { weight_map: { ...original.weight_map, [firstTensor]: "model-00009-of-00003.safetensors" } },
      [indexName, 'shard "model-00009-of-00003.safetensors" is missing'],
    ],
    [
      "that puts a tensor into the wrong shard",
      { weight_map: { ...original.weight_map, [firstTensor]: "model-00003-of-00003.safetensors" } },
      [indexName, `tensor "${firstTensor}" is not in shard "model-00003-of-00003.safetensors"`],
    ],
    [
      "that names a tensor no shard holds",
      { weight_map: { ...original.weight_map, extra: "model-00001-of-00003.safetensors" } },
      [indexName, 'tensor "extra" is not in shard "model-00001-of-00003.safetensors"'],
    ],
    [
      "that names something else than a shard",
      { weight_map: { a: "config.json" } },
      ["config.json: ", "is truncated or is not safetensors"],
    ],
    ["of no tensors", { weight_map: {} }, [indexName, "holds no tensors"]],
  ])("%s is refused", async (_, index, words) => {
    const message = await failureOf(openCheckpoint(withIndex(index)), CheckpointError);
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain("\n");
  });

  it("as it was is read", async () => {
    const opened = await openCheckpoint(withIndex(original));
    expect(opened.tensors.size).toBe(Object.keys(original.weight_map).length);
  });

  it("whose shard is truncated names that shard", async () => {
    const folder = withIndex(original);
    const shard = join(folder, "model-00002-of-00003.safetensors");
    truncateSync(shard, 30_000);
    const message = await failureOf(openCheckpoint(folder), CheckpointError);
    expect(message).toContain(`${shard}: tensor "`);
    expect(message).toContain("lie outside");
  });
});

describe("config.json", () => {
  it.each([
    ["not JSON", "{", "config.json: is not JSON"],
    ["a list", "[]", "config.json: is not a JSON object"],
    ["null", "null", "config.json: is not a JSON object"],
  ])("that is %s is refused", async (_, text, words) => {
    const folder = copyFixture("llama", scratch());
    writeFileSync(join(folder, "config.json"), text);
    expect(await failureOf(openCheckpoint(folder), CheckpointError)).toContain(words);
  });
});

describe("commonFolder", () => {
  const at = (file: string) => ({
    ...{ name: "w", dataType: "F32", shape: [1], offset: 0, byteLength: 4 },
    file,
  });
  it.each([
    [["/a/b/x"], "/a/b"],
    [["/a/b/x", "/a/b/y"], "/a/b"],
    [["/a/b/x", "/a/bc/y"], "/a"],
    [["/a/b/c/x", "/a/b/y"], "/a/b"],
    [["/a/x", "/b/y"], "/"],
  ])("of %j is %s", (files, folder) => {
    expect(commonFolder(files.map((file) => ({ ...at(file), dataType: "F32" })))).toBe(folder);
  });
});

describe("numbers that are not finite", () => {
  it("are found in the tensors that hold them, however large", async () => {
    const folder = scratch();
    const large = new Float32Array(1_100_000);
    large[large.length - 1] = NaN;
    const file = join(folder, "model.safetensors");
    const tensors = new Map([
      ["good", float32Tensor([1, 2], [2])],
      ["large", { dtype: "F32", shape: [large.length], data: new Uint8Array(large.buffer) }],
      ["infinite", float32Tensor([1, -Infinity], [2])],
      ["empty", float32Tensor([], [0])],
    ]);
    writeFileSync(file, encodeSafetensors(tensors));
    const opened = await openCheckpoint(file);
    expect(await findNonFinite([...opened.tensors.values()])).toEqual(["large", "infinite"]);
  });
});

/** What a checkpoint holds, whichever way it was opened. */
function insideOf({ tensors, bytes, config, folder, format }: Checkpoint) {
  return { tensors: [...tensors.values()], bytes, config, folder, format };
}

/** A fixture laid out as in ~/.cache/huggingface/hub. Returns the snapshot's folder. */
function intoCache(name: string): string {
  const model = join(scratch(), "models--test--tiny");
  const snapshot = join(model, "snapshots/0123abc");
  mkdirSync(join(model, "blobs"), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  for (const file of readdirSync(fixture(name))) {
    const blob = `sha-${basename(file)}`;
    cpSync(join(fixture(name), file), join(model, "blobs", blob));
    symlinkSync(join("../../blobs", blob), join(snapshot, file));
  }
  return snapshot;
}
