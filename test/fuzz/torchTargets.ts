/** Files of PyTorch to be fuzzed: what PyTorch itself wrote, and what it could have written. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withFile } from "../../src/checkpoint/formats/fileRange";
import { readTorch } from "../../src/checkpoint/formats/torch/readTorch";
import { readMember, readZipDirectory } from "../../src/checkpoint/formats/torch/zip";
import { floats, pickled, tensorCode, torchMembers, zipFile } from "../unit/support/torchFiles";
import { openSome, readSome } from "./readSome";
import type { Sample } from "./samples";
import { eachOf, filesIn, shared, whole } from "./samples";

const fixtures = fileURLToPath(new URL("../fixtures-torch/", import.meta.url));
const { dict } = pickled;
/** Each opcode makes a value of a file's one to three bytes, and tensors are described several times. */
const multiple = 64;

const read = async (path: string): Promise<void> => readSome((await readTorch(path)).tensors);

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
      ...(await withoutNumbers("sasrec/SASRec.epoch1000.pth")),
      ...(await withoutNumbers("slm4096-nanogpt/ckpt.pt")),
      ...(await withoutNumbers("vit-mnist-postln/model.pt")),
    ],
    read,
    multiple,
  },
  {
    name: "PyTorch, older",
    samples: ["layouts-legacy.pt", "module-legacy.pt", "protocol4-legacy.pt"].map(fixture),
    read,
    multiple,
  },
  {
    name: "PyTorch in shards",
    samples: eachOf(filesIn(join(fixtures, "sharded"))),
    read: openSome,
    multiple,
  },
  {
    name: "Meta",
    samples: eachOf(filesIn(join(fixtures, "consolidated"))),
    read: openSome,
    multiple,
  },
  {
    name: "PyTorch distributed",
    samples: eachOf(filesIn(join(fixtures, "distributed"))),
    read: openSome,
    multiple,
  },
  {
    name: "DeepSpeed",
    samples: eachOf(filesIn(join(fixtures, "zero3"))),
    read: openSome,
    multiple,
  },
];

function fixture(name: string): Sample {
  return whole(readFileSync(join(fixtures, name)));
}

/** A real file with zeros for its weights, packed, so that all but them is as it was and it is short. */
async function withoutNumbers(name: string): Promise<Sample[]> {
  const path = join(shared, name);
  if (!existsSync(path)) return [];
  return withFile(path, async (file) => {
    const members = [];
    for (const [name, member] of await readZipDirectory(file)) {
      const isStorage = name.includes("/data/");
      const data = isStorage
        ? Buffer.alloc(member.unpackedBytes)
        : await readMember(file, member, 2 ** 20);
      members.push({ name, data, isDeflated: isStorage });
    }
    return [whole(zipFile(members))];
  });
}
