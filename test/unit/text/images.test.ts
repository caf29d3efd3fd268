import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { PatchEmbedding } from "../../../src/architecture/description";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { TextError } from "../../../src/text/errors";
import { readImages } from "../../../src/text/images";
import { fixture } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { encodeNpy } from "../support/npy";
import { diagnoseHere } from "../support/pipeline";
import { encodeSafetensors, float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";
import { pickled, tensorCode, torchZip } from "../support/torchFiles";

const scratch = scratchFolders();
let embedding: PatchEmbedding;

beforeAll(async () => {
  const vit = describeArchitecture(await openCheckpoint(fixture("vit")));
  embedding = vit.embedding as PatchEmbedding;
});

const size = 3 * 12 * 16;
const pixels = Float32Array.from({ length: 2 * size }, (_, at) => Math.sin(at));

function npy(folder: string, name: string, descr: string, shape: string, data: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, encodeNpy(`'${descr}'`, shape, data));
  return file;
}

const bytesOf = (numbers: Float32Array | BigInt64Array) => new Uint8Array(numbers.buffer);
const npyImages = (folder: string) =>
  npy(folder, "images.npy", "<f4", "(2, 3, 12, 16)", bytesOf(pixels));

describe("images", () => {
  it.each([1, 2, 3])("are read from .npy %d, with labels beside them", async (version) => {
    const folder = scratch();
    const file = join(folder, "images.npy");
    writeFileSync(file, encodeNpy("'<f4'", "(2, 3, 12, 16)", bytesOf(pixels), { version }));
    npy(folder, "images.labels.npy", "<i8", "(2,)", bytesOf(BigInt64Array.from([6n, 0n])));
    const images = await readImages(file, embedding, 7);
    expect(images.map(({ document, image }) => [document, image?.label])).toEqual([
      [0, 6],
      [1, 0],
    ]);
    expect(images[1]!.image!.pixels).toEqual(pixels.subarray(size));
    expect(images[0]!.tokens).toHaveLength(13);
  });

  it("without labels give no loss, and everything else", async () => {
    const { layers, baseline } = await diagnoseHere(fixture("vit"), {
      documents: { images: npyImages(scratch()) },
    });
    expect(baseline).toBeUndefined();
    expect(layers[0]!.jacobian).toBeDefined();
    expect(layers[0]!.outputVariance).toBeDefined();
    expect(layers[0]!.unmeasured).toEqual([
      { metric: "pruning", reason: "the images have no labels" },
    ]);
  });

  it.each<[string, (folder: string) => string, string]>([
    [
      "of another size",
      (folder) => npy(folder, "images.npy", "<f4", "(2, 3, 16, 12)", bytesOf(pixels)),
      "the images' shape is [2, 3, 16, 12]; the model reads [images, 3, 12, 16]",
    ],
    [
      "of whole numbers",
      (folder) => npy(folder, "images.npy", "|u1", "(1, 3, 12, 16)", new Uint8Array(size)),
      "the images' type is U8; expected floating-point numbers",
    ],
    [
      "of Python objects",
      (folder) => npy(folder, "images.npy", "|O", "(2, 3, 12, 16)", bytesOf(pixels)),
      'is an array of "|O"; supported are',
    ],
    [
      "of a type in two lines",
      (folder) => npy(folder, "images.npy", "<f4\n", "(2, 3, 12, 16)", bytesOf(pixels)),
      'is an array of "<f4\\n"; supported are',
    ],
    [
      "of structures",
      (folder) => {
        const file = join(folder, "images.npy");
        writeFileSync(file, encodeNpy("[('a', '<f4')]", "(2, 3, 12, 16)", bytesOf(pixels)));
        return file;
      },
      "is an array of an unknown form",
    ],
    [
      "in Fortran's order",
      (folder) => {
        const file = join(folder, "images.npy");
        const content = encodeNpy("'<f4'", "(2, 3, 12, 16)", bytesOf(pixels), { isFortran: true });
        writeFileSync(file, content);
        return file;
      },
      'is an array of "<f4" in Fortran order',
    ],
    [
      "of a later version",
      (folder) => {
        const file = join(folder, "images.npy");
        const content = encodeNpy("'<f4'", "(2, 3, 12, 16)", bytesOf(pixels), { version: 4 });
        writeFileSync(file, content);
        return file;
      },
      "is of .npy version 4; versions 1 to 3 are read",
    ],
    [
      "of more numbers than can be counted",
      (folder) =>
        npy(folder, "images.npy", "<f4", `(${"9".repeat(16)}, 3, 12, 16)`, bytesOf(pixels)),
      "bytes; the file holds 4608",
    ],
    [
      "with labels that do not lie one after another",
      (folder) => {
        const root = pickled.dict({
          pixel_values: tensorCode("0", [2, 3, 12, 16]),
          labels: tensorCode("1", [2], { strides: [2], type: "Long", elements: 3 }),
        });
        const file = join(folder, "images.pt");
        const labels = bytesOf(BigInt64Array.from([6n, 9n, 0n]));
        writeFileSync(file, torchZip(root, { 0: bytesOf(pixels), 1: labels }));
        return file;
      },
      "the labels do not lie one after another",
    ],
    [
      "of big-endian numbers",
      (folder) => npy(folder, "images.npy", ">f4", "(2, 3, 12, 16)", bytesOf(pixels)),
      'is an array of ">f4"; supported are',
    ],
    [
      "cut short",
      (folder) => npy(folder, "images.npy", "<f4", "(2, 3, 12, 16)", bytesOf(pixels).subarray(4)),
      "takes 4608 bytes; the file holds 4604",
    ],
    [
      "with a label too many",
      (folder) => {
        npy(folder, "images.labels.npy", "|u1", "(3,)", Uint8Array.from([0, 1, 2]));
        return npyImages(folder);
      },
      "holds 3 labels for 2 images",
    ],
    [
      "with a label beyond the classes",
      (folder) => {
        npy(folder, "images.labels.npy", "|u1", "(2,)", Uint8Array.from([0, 7]));
        return npyImages(folder);
      },
      "holds the label 7; the model's classes are 0 to 6",
    ],
    [
      "that are not a number",
      (folder) => {
        const file = join(folder, "images.safetensors");
        const broken = [...pixels];
        broken[size + 5] = Number.NaN;
        const tensors = new Map([["pixel_values", float32Tensor(broken, [2, 3, 12, 16])]]);
        writeFileSync(file, encodeSafetensors(tensors));
        return file;
      },
      "image 1 holds NaN",
    ],
    [
      "of no .npy form",
      (folder) => {
        const file = npyImages(folder);
        const content = readFileSync(file);
        rmSync(file);
        writeFileSync(file, content.subarray(6));
        return file;
      },
      "is not an .npy file",
    ],
  ])("%s are refused", async (_, write, message) => {
    const file = write(scratch());
    expect(await failureOf(readImages(file, embedding, 7), TextError)).toContain(message);
  });
});
