import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { withObjectiveTokens } from "../../../src/text/objectiveTokens";
import { copyFixture, editConfig, fixture } from "../support/checkpoints";
import { encodeGguf } from "../support/gguf";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** What masks a BERT whose config does not state it, with this file beside it. */
async function maskTokenWith(file: string, content: string): Promise<number | undefined> {
  const folder = copyFixture("bert", scratch());
  editConfig(folder, { mask_token_id: undefined });
  writeFileSync(join(folder, file), content);
  return maskTokenOf(folder);
}

async function maskTokenOf(folder: string): Promise<number | undefined> {
  const checkpoint = await openCheckpoint(folder);
  const { objective } = await withObjectiveTokens(describeArchitecture(checkpoint), checkpoint);
  return objective.kind === "masked-token" ? objective.maskToken : undefined;
}

it.each([
  ["tokenizer.json", JSON.stringify({ added_tokens: [{ id: 7, content: "[MASK]" }] })],
  ["vocab.json", JSON.stringify({ "<pad>": 1, "<mask>": 7 })],
  ["vocab.txt", "[PAD]\r\na\r\nb\r\nc\r\nd\r\ne\r\nf\r\n[MASK]\r\n"],
])("a mask token is read from %s", async (file, content) => {
  expect(await maskTokenWith(file, content)).toBe(7);
});

it.each([
  ["that names none", JSON.stringify({ added_tokens: [{ id: 7, content: "[CLS]" }] })],
  ["that is not JSON", "{"],
  [
    "whose id is beyond the vocabulary",
    JSON.stringify({ added_tokens: [{ id: 72, content: "[MASK]" }] }),
  ],
])("a tokenizer %s states no mask token", async (_, content) => {
  expect(await maskTokenWith("tokenizer.json", content)).toBeUndefined();
});

it("the config's word counts before the tokenizer's", async () => {
  expect(await maskTokenOf(fixture("bert"))).toBe(3);
});

it("T5's first sentinel is read from its tokenizer, and is else the last of the vocabulary", async () => {
  const sentinelOf = async (folder: string): Promise<number | undefined> => {
    const checkpoint = await openCheckpoint(folder);
    const settled = await withObjectiveTokens(describeArchitecture(checkpoint), checkpoint);
    const { objective, notices } = settled;
    if (objective.kind !== "span-corruption") return undefined;
    // The report says which was taken, and where from.
    expect(notices!.at(-1)).toContain(`marked by token ${objective.firstSentinel}, the `);
    return objective.firstSentinel;
  };
  const folder = copyFixture("t5-decoder", scratch());
  expect(await sentinelOf(folder)).toBe(71);
  const added = [{ id: 65, content: "<extra_id_0>" }];
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify({ added_tokens: added }));
  expect(await sentinelOf(folder)).toBe(65);
});

it("T5's first sentinel is read from the tokenizer in a GGUF file before any beside it", async () => {
  const folder = copyFixture("t5-decoder", scratch());
  const added = [{ id: 65, content: "<extra_id_0>" }];
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify({ added_tokens: added }));
  const checkpoint = await openCheckpoint(folder);
  const architecture = describeArchitecture(checkpoint);
  const sentinelIn = async (tokens: readonly string[]): Promise<unknown> => {
    const path = join(folder, "model.gguf");
    const metadata = [["tokenizer.ggml.tokens", ["array", "string", tokens]]] as const;
    writeFileSync(path, encodeGguf({ metadata }));
    const own = { ...checkpoint, tokenizer: { kind: "gguf", path } as const };
    return (await withObjectiveTokens(architecture, own)).objective;
  };
  const tokens = ["<pad>", "▁a", "<extra_id_1>", "<extra_id_0>"];
  expect(await sentinelIn(tokens)).toMatchObject({ firstSentinel: 3 });
  expect(await sentinelIn(tokens.slice(0, 2))).toMatchObject({ firstSentinel: 65 });
});
