import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { filesOf } from "../../../../../src/checkpoint/checkpoint";
import { CheckpointError } from "../../../../../src/checkpoint/errors";
import { reading } from "../../../../../src/checkpoint/formats/torch/container";
import { readPickle } from "../../../../../src/checkpoint/formats/torch/pickle/pickle";
import { limits } from "../../../../../src/checkpoint/limits";
import { openCheckpoint } from "../../../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../../../src/checkpoint/readTensor";
import { rows, transposed } from "../../../../../src/checkpoint/views";
import { failureOf } from "../../../support/failures";
import { scratchFolders } from "../../../support/scratch";
import { pickled, tensorCode, torchZip } from "../../../support/torchFiles";

const fixtures = fileURLToPath(new URL("../../../../fixtures-torch/", import.meta.url));
const scratch = scratchFolders();

/** A copy of a folder of the fixtures, to be spoilt. */
function copied(name: string): string {
  const folder = join(scratch(), name);
  cpSync(join(fixtures, name), folder, { recursive: true });
  return folder;
}

/** Writes other bytes of the same length into a file. */
function replace(file: string, from: string, to: string): void {
  const content = readFileSync(file, "latin1");
  expect(content).toContain(from);
  writeFileSync(file, content.replaceAll(from, to), "latin1");
}

const rank = (folder: string, rank: number, kind: string): string =>
  join(folder, "global_step7", `zero_pp_rank_${rank}_mp_rank_00_${kind}_states.pt`);

describe("checkpoints in several files", () => {
  it.each<[string, string, (folder: string) => void, string]>([
    [
      "lacks a shard",
      "consolidated",
      (at) => {
        rmSync(join(at, "consolidated.00.pth"));
      },
      "consolidated.00.pth",
    ],
    [
      "divides key heads otherwise",
      "consolidated",
      (at) => {
        replace(join(at, "params.json"), '"n_kv_heads": 2', '"n_kv_heads": 1');
      },
      "key heads",
    ],
    [
      "divides an unknown tensor",
      "consolidated",
      (at) => {
        for (const shard of [0, 1])
          replace(join(at, `consolidated.0${shard}.pth`), "feed_forward.w1", "feed_forward.u1");
      },
      "is not known; convert",
    ],
    [
      "names a tensor in one shard only",
      "consolidated",
      (at) => {
        replace(join(at, "consolidated.01.pth"), "rope.freqs", "rope.freqz");
      },
      "not in shard",
    ],
    [
      "has a damaged params.json",
      "consolidated",
      (at) => {
        writeFileSync(join(at, "params.json"), "{");
      },
      "is not JSON",
    ],
    [
      "lacks a part",
      "distributed",
      (at) => {
        rmSync(join(at, "__1_0.distcp"));
      },
      "__1_0.distcp: is missing",
    ],
    [
      "leads out of its folder",
      "distributed",
      (at) => {
        replace(join(at, ".metadata"), "__1_0.distcp", "../_0.distcp");
      },
      "no plain file name",
    ],
    [
      "names a part by two lines",
      "distributed",
      (at) => {
        replace(join(at, ".metadata"), "__1_0.distcp", "__1\n0.distcp");
      },
      "no plain file name",
    ],
    [
      "has its parts in each other's place",
      "distributed",
      (at) => {
        renameSync(join(at, "__0_0.distcp"), join(at, "x"));
        renameSync(join(at, "__1_0.distcp"), join(at, "__0_0.distcp"));
        renameSync(join(at, "x"), join(at, "__1_0.distcp"));
      },
      "distcp",
    ],
    [
      "states no parts",
      "distributed",
      (at) => {
        replace(join(at, ".metadata"), "storage_data", "storage_dota");
      },
      "lists no tensors",
    ],
    [
      "lacks what a process had",
      "zero3",
      (at) => {
        rmSync(rank(at, 0, "optim"));
      },
      "zero_to_fp32.py",
    ],
    [
      "lacks one process of two",
      "zero3",
      (at) => {
        for (const kind of ["optim", "model"]) rmSync(rank(at, 1, kind));
      },
      "processes, but the folder has 1 parts",
    ],
    [
      "divides its layers",
      "zero3",
      (at) => {
        writeFileSync(join(at, "global_step7", "mp_rank_01_model_states.pt"), "");
      },
      "ds_to_universal.py",
    ],
    [
      "names no folder",
      "zero3",
      (at) => {
        writeFileSync(join(at, "latest"), "..");
      },
      "no folder beside it",
    ],
    [
      "has no weights",
      "zero3",
      (at) => {
        for (const one of [0, 1])
          replace(rank(at, one, "optim"), "fp32_flat_groups", "fp32_flat_gruops");
      },
      "no float32 weights",
    ],
    [
      "has shapes of another model",
      "zero3",
      (at) => {
        replace(rank(at, 0, "model"), "param_shapes", "param_shopes");
      },
      "states no shapes",
    ],
  ])("are refused where one %s: %s", async (_, name, spoil, words) => {
    const folder = copied(name);
    // Its twin.
    await openCheckpoint(folder);
    spoil(folder);
    expect(await failureOf(openCheckpoint(folder), CheckpointError)).toContain(words);
  });

  it("are refused where more processes are stated than a list of calls can hold", async () => {
    const { dict, int, text } = pickled;
    const folder = copied("zero3");
    const counts = Buffer.from(`](${"K\x01".repeat(200_000)}K\x03e`, "latin1");
    const state = dict({ zero_stage: int(3), partition_count: counts });
    const root = dict({ optimizer_state_dict: state, x: text("x".repeat(200_000)) });
    writeFileSync(rank(folder, 0, "optim"), torchZip(root, {}));
    const message = await failureOf(openCheckpoint(folder), CheckpointError);
    expect(message).toMatch(/was written by \[1,1,1.*… processes, but the folder has 2 parts/);
  });

  it("have a directory of more parts than one file could list tensors", async () => {
    const folder = copied("distributed");
    const file = join(folder, ".metadata");
    const original = readFileSync(file);
    // What is put and taken away again, behind the protocol's number.
    const padding = Buffer.alloc(2 * limits.pickleValues, "N0");
    const padded = Buffer.concat([original.subarray(0, 2), padding, original.subarray(2)]);
    writeFileSync(file, padded);
    expect((await openCheckpoint(folder)).tensors.size).toBe(3);
    const asOneFile = reading({ file, bytes: padded.length });
    expect(() => readPickle(padded, 0, asOneFile)).toThrow(
      `more than ${limits.pickleValues} values`,
    );
  });

  it("are opened by any of their files", async () => {
    for (const [folder, file] of [
      ["consolidated", "consolidated.01.pth"],
      ["distributed", "__0_0.distcp"],
      ["zero3", "global_step7/zero_pp_rank_1_mp_rank_00_optim_states.pt"],
      ["sharded", "pytorch_model-00002-of-00002.bin"],
    ] as const) {
      const whole = await openCheckpoint(join(fixtures, folder));
      const by = await openCheckpoint(join(fixtures, folder, file));
      expect([...by.tensors]).toEqual([...whole.tensors]);
    }
  });

  it("are found through symbolic links, as a cache keeps them", async () => {
    const folder = scratch();
    for (const name of ["consolidated.00.pth", "consolidated.01.pth", "params.json"]) {
      symlinkSync(join(fixtures, "consolidated", name), join(folder, name));
    }
    const { tensors } = await openCheckpoint(folder);
    expect(tensors.get("output.weight")?.shape).toEqual([10, 8]);
  });

  it("hold tensors of which parts and permutations can be taken", async () => {
    const { tensors } = await openCheckpoint(join(fixtures, "distributed"));
    const tensor = tensors.get("columns.weight")!;
    expect(isReadInPlace(tensor)).toBe(false);
    expect(
      filesOf(tensor)
        .map((file) => file.slice(-12))
        .sort(),
    ).toEqual(["__0_0.distcp", "__1_0.distcp"]);
    const numbers = await readTensor(tensor);
    expect(await readTensor(rows(tensor, 1, 3))).toEqual(numbers.slice(6, 18));
    const turned = await readTensor(transposed(tensor));
    expect(turned[1]).toBe(numbers[6]);
    expect(turned[4]).toBe(numbers[1]);
  });

  it("hold the whole model in one file before ZeRO's third stage", async () => {
    const folder = scratch();
    const root = pickled.dict({
      module: pickled.dict({ "a.weight": tensorCode("0", [2]) }),
      buffer_names: pickled.list(),
      optimizer: pickled.none,
      ds_version: pickled.text("0.16.0"),
    });
    const file = join(folder, "mp_rank_00_model_states.pt");
    writeFileSync(file, torchZip(root, { 0: new Uint8Array(8) }));
    for (const path of [folder, file]) {
      const { tensors, format } = await openCheckpoint(path);
      expect(format).toBe("DeepSpeed");
      expect([...tensors.keys()]).toEqual(["a.weight"]);
    }
  });
});
