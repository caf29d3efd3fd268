import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../../../src/checkpoint/readTensor";
import { failureOf } from "../../../support/failures";
import { scratchFolders } from "../../../support/scratch";
import type { Member } from "../../../support/torchFiles";
import { floats, pickled, tensorCode, torchMembers, zipFile } from "../../../support/torchFiles";

const scratch = scratchFolders();
const root = pickled.dict({ "a.weight": tensorCode("0", [4]), "b.weight": tensorCode("1", [2]) });
const storages = { 0: floats(1, 2, 3, 4), 1: floats(5, 6) };

function written(content: Uint8Array): string {
  const file = join(scratch(), "model.pt");
  writeFileSync(file, content);
  return file;
}

/** The members, those of these names changed. */
function members(changes: Readonly<Record<string, Partial<Member>>> = {}): Member[] {
  return torchMembers(root, storages).map((member) => ({
    ...member,
    ...changes[member.name.replace("archive/", "")],
  }));
}

async function expectWhole(content: Uint8Array): Promise<void> {
  const { tensors } = await openCheckpoint(written(content));
  expect([...(await readTensor(tensors.get("a.weight")!))]).toEqual([1, 2, 3, 4]);
  expect([...(await readTensor(tensors.get("b.weight")!))]).toEqual([5, 6]);
}

describe("an archive", () => {
  it.each<[string, Buffer]>([
    ["is stored", zipFile(members())],
    ["is deflated", zipFile(members().map((member) => ({ ...member, isDeflated: true })))],
    ["has its sizes in 64 bits", zipFile(members(), { isWide: true })],
    ["has a comment behind it", zipFile(members(), { comment: "x".repeat(5000) })],
    [
      "has its pickle at the top",
      zipFile(members().map((one) => ({ ...one, name: one.name.slice(8) }))),
    ],
    ["states no byte order", zipFile(members().filter(({ name }) => !name.endsWith("order")))],
    ["has other files", zipFile([...members(), { name: "x/y", data: floats(1) }])],
  ])("is read where it %s", async (_, content) => {
    await expectWhole(content);
  });

  it("names compressed members for what they are", async () => {
    const { tensors } = await openCheckpoint(
      written(zipFile(members({ "data/1": { isDeflated: true } }))),
    );
    expect([...tensors.values()].map(isReadInPlace)).toEqual([true, false]);
  });

  const one = { name: "x/y", data: floats(1) };
  /** States so many members less than it has. */
  const fewer = (archive: Buffer, less: number): Buffer => {
    const count = archive.length - 22 + 10;
    archive.writeUInt16LE(archive.readUInt16LE(count) - less, count);
    return archive;
  };
  it.each<[string, Buffer, string, Buffer]>([
    [
      "names a member twice",
      zipFile([...members(), one, one]),
      'two members "x/y"',
      zipFile([...members(), one]),
    ],
    [
      "has a member more than it states",
      fewer(zipFile([...members(), one]), 1),
      "goes on after its 4 members",
      fewer(zipFile([...members(), one]), 0),
    ],
    [
      "leads out of its folder",
      zipFile([...members(), { ...one, name: "x/../../y" }]),
      "outside",
      zipFile([...members(), { ...one, name: "x/..y" }]),
    ],
    [
      "leads to the root",
      zipFile([...members(), { ...one, name: "/y" }]),
      "outside",
      zipFile([...members(), { ...one, name: "y/" }]),
    ],
    [
      "leads to a drive",
      zipFile([...members(), { ...one, name: "C:\\y" }]),
      "outside",
      zipFile([...members(), { ...one, name: "C" }]),
    ],
    [
      "is encrypted",
      zipFile(members({ "data/0": { directory: { flags: 1 } } })),
      "encrypted",
      zipFile(members({ "data/0": { directory: { flags: 8 } } })),
    ],
    [
      "is packed by another method",
      zipFile(members({ "data/0": { directory: { method: 12 } } })),
      "method 12",
      zipFile(members()),
    ],
    [
      "is packed otherwise than stated",
      zipFile(members({ "data/0": { directory: { method: 8 } } })),
      "otherwise than stated",
      zipFile(members()),
    ],
    [
      "overlaps",
      zipFile(members({ "data/0": { directory: { packed: 40, unpacked: 40 } } })),
      "reaches into",
      zipFile(members()),
    ],
    [
      "lies inside another",
      zipFile(members({ "data/1": { directory: { header: 40 } } })),
      "reaches into",
      zipFile(members()),
    ],
    [
      "goes beyond the file",
      zipFile(members({ "data/1": { directory: { packed: 4000, unpacked: 4000 } } })),
      "beyond the archive",
      zipFile(members()),
    ],
    [
      "begins beyond the file",
      zipFile(members({ "data/1": { directory: { header: 1 << 20 } } })),
      "beyond the archive",
      zipFile(members()),
    ],
    [
      "states a size that it has not",
      zipFile(members({ "data/0": { directory: { unpacked: 17 } } })),
      "said to have 17",
      zipFile(members()),
    ],
    [
      "is not where it should be",
      zipFile(
        members({
          "data/0": { directory: { name: "archive/data/1" } },
          "data/1": { directory: { name: "archive/data/0" } },
        }),
      ),
      "no member",
      zipFile(members()),
    ],
    [
      "is a bomb by its own word",
      zipFile(members({ "data/0": { isDeflated: true, directory: { unpacked: 1e9 } } })),
      "more than 1032 to one",
      zipFile(members({ "data/0": { isDeflated: true } })),
    ],
    [
      "is a bomb of many members",
      zipFile([
        ...members(),
        ...Array.from({ length: 9 }, (_, at) => ({
          name: `z${at}`,
          data: Buffer.alloc(1 << 20),
          isDeflated: true,
        })),
      ]),
      "200 to one",
      zipFile([...members(), { name: "z", data: Buffer.alloc(1 << 17), isDeflated: true }]),
    ],
    [
      "unpacks to more than stated",
      zipFile(members({ "data.pkl": { isDeflated: true, directory: { unpacked: 9 } } })),
      "cannot be unpacked",
      zipFile(members({ "data.pkl": { isDeflated: true } })),
    ],
    [
      "is of big-endian numbers",
      zipFile(torchMembers(root, storages, "big")),
      'byte order "big"',
      zipFile(torchMembers(root, storages, "little")),
    ],
    ["has no pickle", zipFile(members().slice(1)), "no data.pkl", zipFile(members())],
    [
      "is a program of torch.export",
      zipFile([...members().slice(1), { name: "b/models/model.json", data: floats(1) }]),
      "is a program of torch.export, which is not read; save the state_dict()",
      zipFile([...members(), { name: "b/models/model.json", data: floats(1) }]),
    ],
    [
      "is a program of torch.export of before",
      zipFile([
        ...members().slice(1),
        { name: "serialized_exported_program.json", data: floats(1) },
      ]),
      "is a program of torch.export",
      zipFile(members()),
    ],
    [
      "has two pickles",
      zipFile([...members(), { name: "b/data.pkl", data: floats(1) }]),
      "2 data.pkl",
      zipFile(members()),
    ],
    [
      "lacks a storage",
      zipFile(members().slice(0, 3)),
      'storage "1" is missing',
      zipFile(members()),
    ],
    ["is cut", zipFile(members()).subarray(0, -30), "truncated", zipFile(members())],
  ])("is refused where it %s", async (_, wrong, words, right) => {
    expect(await failureOf(openCheckpoint(written(wrong)), CheckpointError)).toContain(words);
    await expectWhole(right);
  });
});
