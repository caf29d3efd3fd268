/** Batches of images to be fuzzed. */
import type { PatchEmbedding } from "../../src/architecture/description";
import { readImages } from "../../src/text/images";
import { encodeNpy } from "../unit/support/npy";
import { encodeSafetensors, float32Tensor } from "../unit/support/safetensors";
import { join } from "node:path";
import { eachOf } from "./samples";

/** Of the model only the sizes of its images are asked for. */
const embedding = {
  image: { channels: 1, height: 2, width: 3 },
  patch: [2, 3],
  firstTokens: [],
} as unknown as PatchEmbedding;

const pixels = float32Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 1, 2, 3]);
const labels = new Uint8Array(BigInt64Array.from([1n, 0n]).buffer);

export const imageTargets = [
  {
    name: ".npy images",
    samples: ([1, 2, 3] as const).flatMap((version) =>
      eachOf({
        "images.npy": encodeNpy("'<f4'", "(2, 1, 2, 3)", pixels.data, { version }),
        "images.labels.npy": encodeNpy("'<i8'", "(2,)", labels, { version }),
      }),
    ),
    read: (path: string) => readImages(join(path, "images.npy"), embedding, 7),
    multiple: 8,
  },
  {
    name: "safetensors images",
    samples: eachOf({
      "images.safetensors": encodeSafetensors([
        ["pixel_values", pixels],
        ["labels", { dtype: "I64", shape: [2], data: labels }],
      ]),
    }),
    read: (path: string) => readImages(join(path, "images.safetensors"), embedding, 7),
    multiple: 8,
  },
];
