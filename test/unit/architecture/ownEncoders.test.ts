import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/architecture/reading";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { describeStatement } from "../../../src/architecture/statement/describeStatement";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { comparable } from "../../../src/diagnosis/readings/comparable";
import { withMaskToken } from "../../../src/text/objectiveTokens";
import { copyWithoutConfig, editWeights, referenceOf, tokensOf } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensors } from "../support/safetensors";
import { byRules, float32Tensor, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** What the fixture `bert` is, said of it where its names do not. */
const truth: Settings = {
  heads: "4",
  norm: "post-ln",
  activation: "gelu",
  "head-activation": "gelu",
  gelu: "exact",
  scale: "head",
  "embedding-scale": "1",
  segment: "0",
  epsilon: "1e-12",
};
const masked: Settings = { ...truth, "mask-token": "3" };

const ownNames = byRules(
  [/^bert\.embeddings\.word_embeddings/, "embed.tokens"],
  [/^bert\.embeddings\.position_embeddings/, "embed.positions"],
  [/^bert\.embeddings\.token_type_embeddings/, "embed.segments"],
  [/^bert\.embeddings\.LayerNorm/, "embed.norm"],
  [/^bert\.encoder\.layer/, "blocks"],
  [/attention\.self\.(query|key|value)/, "mha.$1"],
  [/attention\.output\.dense/, "mha.out"],
  [/attention\.output\.LayerNorm/, "norm1"],
  [/intermediate\.dense/, "ffn.fc1"],
  [/output\.dense/, "ffn.fc2"],
  [/output\.LayerNorm/, "norm2"],
  [/^cls\.predictions\.transform\.dense/, "mlm.dense"],
  [/^cls\.predictions\.transform\.LayerNorm/, "mlm.norm"],
  [/^cls\.predictions\.bias/, "mlm.decoder.bias"],
);

/** The fixture under names of somebody's own, without a config; its tied decoder is stored. */
function written(change: (tensors: StoredTensors) => void = () => undefined): string {
  const folder = copyWithoutConfig("bert", scratch());
  editWeights(folder, (tensors) => {
    renameTensors(tensors, ownNames);
    tensors.set("mlm.decoder.weight", tensors.get("embed.tokens.weight")!);
    change(tensors);
  });
  return folder;
}

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

describe("an encoder of one's own", () => {
  const expected = referenceOf("bert");
  const nll = (expected["baseline"] as { nll: number }).nll;

  it("tells masked tokens as PyTorch does, by names or by roles", async () => {
    const folder = written();
    const { text } = await describeStatement(await openCheckpoint(folder));
    const { roles, guess } = JSON.parse(text) as {
      roles: Record<string, string>;
      guess: Record<string, unknown>;
    };
    expect(guess["attention"]).toBe("causal");
    expect(roles).toMatchObject({
      "embed.segments.weight": "segment embedding",
      "mlm.dense.weight": "head transform",
      "mlm.norm.bias": "head norm bias",
      "mlm.decoder.bias": "head bias",
    });
    for (const statement of [{}, { roles }]) {
      writeFileSync(join(folder, "fathom.json"), JSON.stringify(statement));
      const { baseline, layers, architecture } = await diagnoseHere(folder, {
        documents: tokensOf("bert"),
        reading: masked,
      });
      expect(baseline!.nll).toBeCloseTo(nll, 4);
      expect(architecture.reading!.settled).toContainEqual({
        name: "attention",
        value: "bidirectional",
        by: "as asked",
      });
      const reference = expected["layers"] as { pruning: { deltaNll: number } }[];
      for (const [index, layer] of layers.entries()) {
        expect(layer.pruning!.deltaNll).toBeCloseTo(reference[index]!.pruning.deltaNll, 4);
      }
    }
  });

  it("is measured without a loss where no mask token is known, which the report says", async () => {
    const path = written();
    const run = (reading: Settings) =>
      diagnoseHere(path, { documents: tokensOf("bert"), metrics: ["variance"], reading });
    const { baseline, layers } = await run({ ...truth, attention: "bidirectional" });
    expect(baseline).toBeUndefined();
    const reference = expected["layers"] as { outputVariance: { mean: number } }[];
    // Of tokens that nothing masks, so not the reference's.
    expect(layers[3]!.outputVariance!.mean).not.toBeCloseTo(reference[3]!.outputVariance.mean, 3);
    const message = await failureOf(run({ attention: "bidirectional" }), CheckpointError);
    expect(message).toContain("since which token masks others is stated neither by");
    expect(message).toContain("State mask-token=ID, or else all of what follows");
  });

  it("is tried beside a causal one where a tokenizer names the token that masks", async () => {
    const path = written();
    const tried = async () => {
      const checkpoint = await openCheckpoint(path);
      return comparable(await withMaskToken(await readArchitecture(checkpoint), checkpoint));
    };
    const without = await tried();
    expect(without.open.map(({ name }) => name)).not.toContain("attention");
    expect(without.settled.find(({ name }) => name === "attention")).toEqual({
      name: "attention",
      value: "causal",
      by: expect.stringContaining("bidirectional could not be tried") as string,
    });
    expect(without.architecture({ attention: "bidirectional" }).objective.kind).toBe("next-token");
    writeFileSync(join(path, "vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[MASK]\n");
    const { open, architecture } = await tried();
    expect(open.find(({ name }) => name === "attention")?.values).toEqual([
      "causal",
      "bidirectional",
    ]);
    const both = architecture({ attention: "bidirectional" });
    expect(both.objective).toEqual({ kind: "masked-token", maskToken: 3 });
    expect(both.layers[0]!.attention.module.isBidirectional).toBe(true);
  });

  it("has its mask token among its tokens", async () => {
    const message = await failureOf(read(written(), { "mask-token": "72" }), CheckpointError);
    expect(message).toContain(
      "mask-token=72 is not possible; its vocabulary has 72 tokens, from 0",
    );
    const causal = { attention: "causal", "mask-token": "3" };
    const idle = await failureOf(read(written(), causal), CheckpointError);
    expect(idle).toContain("mask-token=3 says nothing of this model");
  });

  it("knows the head's norm by its place where modules are in a row", async () => {
    const rows: readonly (readonly [RegExp, string])[] = [
      [/^mlm\.dense/, "mlm_head.0"],
      [/^mlm\.norm/, "mlm_head.2"],
      [/^mlm\.decoder/, "mlm_head.3"],
    ];
    const path = written((tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(
          rows.reduce((text, [found, by]) => text.replace(found, by), name),
          tensor,
        );
      }
    });
    const { baseline } = await diagnoseHere(path, {
      documents: tokensOf("bert"),
      metrics: ["variance"],
      reading: masked,
    });
    expect(baseline!.nll).toBeCloseTo(nll, 4);
  });

  it.each(["classifier", "fc"])(
    "has no loss where its head %s tells classes of texts",
    async (head) => {
      const path = written((tensors) => {
        for (const name of [...tensors.keys()]) if (name.startsWith("mlm.")) tensors.delete(name);
        tensors.set(`${head}.weight`, float32Tensor(Array<number>(48).fill(0.1), [2, 24]));
        tensors.set(`${head}.bias`, float32Tensor([0, 0], [2]));
      });
      const others = Object.fromEntries(
        Object.entries(truth).filter(([name]) => name !== "head-activation"),
      );
      const reading = { ...others, attention: "bidirectional" };
      const { architecture } = await read(path, reading);
      expect(architecture({}).whyNoHead).toContain(`"${head}" tells classes of texts`);
      const { baseline, layers } = await diagnoseHere(path, {
        documents: tokensOf("bert"),
        metrics: ["variance", "jacobian", "pruning"],
        reading,
      });
      expect(baseline).toBeUndefined();
      expect(layers[0]!.jacobian!.identityDistance).toBeGreaterThan(0);
    },
  );
});
