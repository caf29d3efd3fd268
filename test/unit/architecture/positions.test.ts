import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import type { Settings } from "../../../src/architecture/reading";
import type { SineLayout } from "../../../src/architecture/sines";
import { sineLayouts, sineRows } from "../../../src/architecture/sines";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  copyFixture,
  copyWithoutConfig,
  editConfig,
  referenceOf,
  tokensOf,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { truth, written } from "../support/idioms";
import { diagnoseHere } from "../support/pipeline";
import { float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** The fixture `mpt` without its config: nothing says that it has ALiBi. */
function unknownMpt(): string {
  return copyWithoutConfig("mpt", scratch());
}

const mpt: Settings = {
  norm: "pre-ln",
  heads: "4",
  activation: "gelu",
  gelu: "exact",
  fused: "thirds",
  scale: "head",
  "embedding-scale": "1",
  "norm-kind": "layer",
  epsilon: "1e-5",
};

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

async function lossOf(path: string, reading: Settings, fixture: string): Promise<number> {
  const { baseline } = await diagnoseHere(path, {
    documents: tokensOf(fixture),
    metrics: ["variance"],
    reading,
  });
  return baseline!.nll;
}

describe("positions that no tensor holds", () => {
  it("may be rotary, ALiBi's or sinusoids, and none only where that is stated", async () => {
    const { open } = await read(unknownMpt());
    expect(open).toContainEqual(
      expect.objectContaining({
        name: "positions",
        values: ["rotary", "alibi", "sines", "none"],
        onlyStated: ["none"],
      }),
    );
    expect(open.find(({ name }) => name === "sines")!.onlyWith).toEqual({
      name: "positions",
      value: "sines",
    });
  });

  it("are not asked for where a table holds them", async () => {
    const { open, settled } = await read(written(scratch(), "of timm"));
    expect([...open, ...settled].map(({ name }) => name)).not.toContain("positions");
  });

  it("of ALiBi give what PyTorch computes", async () => {
    const expected = (referenceOf("mpt")["baseline"] as { nll: number }).nll;
    const found = await lossOf(unknownMpt(), { ...mpt, positions: "alibi" }, "mpt");
    expect(found).toBeCloseTo(expected, 4);
    const none = await lossOf(unknownMpt(), { ...mpt, positions: "none" }, "mpt");
    expect(Math.abs(none - expected)).toBeGreaterThan(1e-3);
  });

  // Place 37 of width 8, by torch.sin and torch.cos in float64.
  it.each<[SineLayout, number[]]>([
    [
      "neighbours",
      [-0.6435381, 0.7654141, -0.5298361, -0.8481, 0.3616154, 0.9323273, 0.0369916, 0.9993156],
    ],
    [
      "halves",
      [-0.6435381, -0.5298361, 0.3616154, 0.0369916, 0.7654141, -0.8481, 0.9323273, 0.9993156],
    ],
    [
      "tensor2tensor",
      [-0.6435381, 0.9892747, 0.0796297, 0.0037, 0.7654141, -0.1460671, 0.9968245, 0.9999932],
    ],
  ])("of sinusoids laid out as %s are PyTorch's", (layout, expected) => {
    const row = sineRows(sineLayouts[layout](8), 38).slice(37 * 8);
    expect(row).toHaveLength(8);
    for (const [at, value] of row.entries()) expect(value).toBeCloseTo(expected[at]!, 6);
  });

  it.each(["1", "sqrt"])(
    "of sinusoids compute what their table does, with the embedding times %s",
    async (scale) => {
      const reading = { ...truth, fused: "thirds", "embedding-scale": scale };
      const table = (path: string, keeps: boolean): string =>
        written(path, "of timm", (tensors) => {
          const [name] = [...tensors.keys()].filter((key) => key.includes("pos_embed"));
          const [places, width] = tensors.get(name!)!.shape as [number, number];
          const rows = [...sineRows(sineLayouts.halves(width), places)];
          if (keeps) tensors.set(name!, float32Tensor(rows, [places, width]));
          else tensors.delete(name!);
        });
      const stored = await lossOf(table(scratch(), true), reading, "gpt2");
      const computed = await lossOf(
        table(scratch(), false),
        { ...reading, positions: "sines", sines: "halves" },
        "gpt2",
      );
      expect(computed).toBeCloseTo(stored, 6);
    },
  );

  it.each<[Settings, string]>([
    [{ rotary: "neighbours" }, "rotary"],
    [{ "rotary-base": "500000" }, "rotary"],
    [{ sines: "halves" }, "sines"],
  ])("are what %j says something of", async (settings, positions) => {
    const { settled, open } = await read(unknownMpt(), settings);
    expect(settled).toContainEqual({ name: "positions", value: positions, by: "as asked" });
    const other = positions === "rotary" ? "sines" : "rotary";
    expect(open.map(({ name }) => name)).not.toContain(other);
  });

  it("are not stated as two things at once", async () => {
    const settings = { positions: "alibi", rotary: "halves" };
    const message = await failureOf(read(unknownMpt(), settings), CheckpointError);
    expect(message).toContain("rotary=halves says nothing of this model");
  });
});

describe("positions that a config of an unknown model_type states", () => {
  async function settledBy(config: Readonly<Record<string, unknown>>) {
    const folder = copyFixture("mpt", scratch());
    editConfig(folder, { model_type: "ours", ...config });
    return (await read(folder)).settled.find(({ name }) => name === "positions");
  }

  it.each<[Readonly<Record<string, unknown>>, string, string]>([
    [{}, "alibi", "attn_config.alibi"],
    [{ attn_config: { rope_theta: 10_000 } }, "rotary", "attn_config.rope_theta"],
    [{ attn_config: {}, use_rope: true }, "rotary", "use_rope"],
    [
      { attn_config: {}, position_embedding_type: "sinusoidal" },
      "sines",
      "position_embedding_type",
    ],
  ])("%j", async (config, value, by) => {
    expect(await settledBy(config)).toEqual({
      name: "positions",
      value,
      by: `${by} of config.json`,
    });
  });

  it("are refused where the tensors hold others, or slopes are of another bias", async () => {
    const folder = written(scratch(), "of timm");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ alibi: true }));
    expect(await failureOf(read(folder), CheckpointError)).toContain('"alibi" is true');
    const other = settledBy({ attn_config: { alibi: true, alibi_bias_max: 16 } });
    expect(await failureOf(other, CheckpointError)).toContain('"attn_config.alibi_bias_max" is 16');
  });
});
