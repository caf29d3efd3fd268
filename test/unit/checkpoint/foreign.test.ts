import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { failureOf } from "../support/failures";
import { encodeSafetensors, float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const weights = encodeSafetensors([["a", float32Tensor([1, 2], [2])]]);
const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4096\n";

function written(name: string, content: string | Uint8Array): string {
  const path = join(scratch(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe("a file that is not read", () => {
  it.each<[string, string | Uint8Array, string]>([
    ["model.onnx", "\x08\x07", "is an ONNX graph"],
    ["model.pt2", "PK\x03\x04", "is a program of torch.export"],
    ["tf_model.h5", "", "is a model of Keras or TensorFlow"],
    ["weights", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a), "in HDF5"],
    ["flax_model.msgpack", "\x82", "is a Flax checkpoint"],
    ["model.tflite", "", "is a TensorFlow Lite model"],
    ["weights", "\x1c\0\0\0TFL3", "is a TensorFlow Lite model"],
    ["model.mlmodel", "", "is a Core ML model"],
    ["model.ckpt-5.data-00000-of-00001", "", "is a TensorFlow graph or checkpoint"],
    ["model.ckpt-5.index", "", "is a TensorFlow graph or checkpoint"],
    ["arrays.npz", "PK\x03\x04", "is a file of NumPy arrays"],
    ["model.bin", "tjgg\x03\0\0\0", "is a GGML file from before GGUF"],
    ["model.tar.gz", "", "is a compressed archive"],
    ["model.engine", "", "is an engine of TensorRT"],
  ])("%s is told what it is", async (name, content, what) => {
    const message = await failureOf(openCheckpoint(written(name, content)), CheckpointError);
    expect(message).toContain(what);
    expect(message).toContain("which is not read");
    expect(message).toContain("Read are safetensors, GGUF, PyTorch");
  });

  it.each(["model.safetensors", "model.gguf", "pytorch_model.bin", "model.pt"])(
    "but stands in the place of %s says how to fetch it",
    async (name) => {
      const message = await failureOf(openCheckpoint(written(name, pointer)), CheckpointError);
      expect(message).toContain(`${name}: is a pointer of Git LFS`);
      expect(message).toContain("git lfs pull");
      const page = written(name, "<!DOCTYPE html>\n<html><head><title>401</title></head></html>");
      expect(await failureOf(openCheckpoint(page), CheckpointError)).toContain("is a web page");
    },
  );

  it("is named where a shard is one", async () => {
    const index = written(
      "model.safetensors.index.json",
      JSON.stringify({ weight_map: { a: "one.safetensors", b: "two.safetensors" } }),
    );
    writeFileSync(join(dirname(index), "one.safetensors"), weights);
    writeFileSync(join(dirname(index), "two.safetensors"), pointer);
    const message = await failureOf(openCheckpoint(index), CheckpointError);
    expect(message).toContain("two.safetensors: is a pointer of Git LFS");
  });

  it("is named in a folder that holds no other, and passed over beside one that is read", async () => {
    const folder = dirname(written("model.onnx", ""));
    expect(await failureOf(openCheckpoint(folder), CheckpointError)).toContain(
      "model.onnx: is an ONNX graph",
    );
    writeFileSync(join(folder, "weights.safetensors"), weights);
    expect((await openCheckpoint(folder)).tensors.size).toBe(1);
  });

  it("of no kind that is known says what is expected", async () => {
    const message = await failureOf(openCheckpoint(written("notes", "hello")), CheckpointError);
    expect(message).toContain("is not a checkpoint that can be read; expected");
  });
});

describe("weights that fill a folder", () => {
  const made = fileURLToPath(new URL("../../fixtures-torch/", import.meta.url));

  it.each([
    ["distributed", ""],
    ["zero3", "global_step7"],
  ])("of %s have the config.json of the folder above, where they have none", async (name, step) => {
    const run = join(scratch(), "checkpoint-7");
    cpSync(join(made, name), join(run, "weights"), { recursive: true });
    const weights = join(run, "weights", step);
    const above = dirname(weights);
    expect((await openCheckpoint(weights)).config).toBeUndefined();
    writeFileSync(join(above, "config.json"), '{"model_type": "of the folder above"}');
    const opened = await openCheckpoint(weights);
    expect(opened.config?.value).toEqual({ model_type: "of the folder above" });
    expect(opened.folder).toBe(above);
    writeFileSync(join(weights, "config.json"), '{"model_type": "own"}');
    expect((await openCheckpoint(weights)).config?.value).toEqual({ model_type: "own" });
  });
});
