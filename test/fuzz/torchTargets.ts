/** Files of PyTorch to be fuzzed: what PyTorch itself wrote, and what it could have written. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorEntry } from "../../src/checkpoint/checkpoint";
import { elementCount } from "../../src/checkpoint/checkpoint";
import { stored } from "../../src/checkpoint/dataType";
import { readDistributed } from "../../src/checkpoint/formats/torch/distributed";
import { readTorch } from "../../src/checkpoint/formats/torch/readTorch";
import { readTensor } from "../../src/checkpoint/readTensor";
import { floats, pickled, tensorCode, torchMembers, zipFile } from "../unit/support/torchFiles";

const fixtures = fileURLToPath(new URL("../fixtures-torch/", import.meta.url));
const { dict } = pickled;

export const torchTargets = [
  {
    name: "PyTorch",
    samples: [
      ...["layouts.pt", "module.pt", "lightning.ckpt", "objects.pt", "dtypes.pt"].map(fixture),
      ...[false, true].map((isWide) => {
        const root = dict({ model: dict({ "a.w": tensorCode("0", [2, 2]) }) });
        const members = torchMembers(root, { 0: floats(1, 2, 3, 4) });
        return whole(
          zipFile(
            members.map((member) => ({ ...member, isDeflated: true })),
            { isWide },
          ),
        );
      }),
    ],
    read: async (path: string) => readSome((await readTorch(path)).tensors),
    multiple: 8,
  },
  {
    name: "PyTorch, older",
    samples: ["layouts-legacy.pt", "module-legacy.pt", "protocol4-legacy.pt"].map(fixture),
    read: async (path: string) => readSome((await readTorch(path)).tensors),
    multiple: 8,
  },
  {
    name: "PyTorch distributed",
    samples: [fixture("distributed/.metadata")],
    read: async (path: string) => readSome((await readDistributed(besideParts(path))).tensors),
    // The parts that it names are read too; they are longer than it is.
    multiple: 32,
  },
];

/** The numbers of tensors that are not large: what a directory says must hold when it is used. */
async function readSome(tensors: readonly TensorEntry[]): Promise<void> {
  const held = tensors.filter(({ dataType }) => stored(dataType).weight !== undefined);
  for (const tensor of held.slice(0, 3)) {
    if (elementCount(tensor.shape) <= 10_000) await readTensor(tensor);
  }
}

/** Puts a directory into a folder with the parts that the unspoilt one names. */
function besideParts(directory: string): string {
  const folder = `${directory}-folder`;
  if (!existsSync(folder)) {
    mkdirSync(folder);
    const parts = readdirSync(join(fixtures, "distributed"));
    for (const name of parts) copyFileSync(join(fixtures, "distributed", name), join(folder, name));
  }
  copyFileSync(directory, join(folder, ".metadata"));
  return folder;
}

function fixture(name: string): { head: Buffer; bytes: number } {
  return whole(readFileSync(join(fixtures, name)));
}

function whole(file: Buffer): { head: Buffer; bytes: number } {
  return { head: file, bytes: file.length };
}
