import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { normSummaries } from "../../../src/diagnosis/normSummaries";
import type { Report } from "../../../src/diagnosis/report";
import { normText } from "../../../src/report/normPlace";
import { fixture } from "../support/checkpoints";
import { sampleReport } from "../report/sampleReport";

/** What the panel says of each norm of a fixture. */
async function said(name: string): Promise<string[]> {
  const architecture = describeArchitecture(await openCheckpoint(fixture(name)));
  const norms = normSummaries(architecture);
  const sample = sampleReport({ layers: 2 });
  const report: Report = {
    ...sample,
    architecture: { ...sample.architecture, layers: architecture.layers.length, norms },
    layers: architecture.layers.map(({ path }, index) => ({ ...sample.layers[0]!, path, index })),
  };
  return norms.map((norm) => normText(norm, report)!);
}

describe("where the norms are", () => {
  it.each(["llama", "llama-lns", "scheme-group-ln"])(
    "before what %s's sublayers do",
    async (name) => {
      const [attention, feedForward, final] = await said(name);
      expect(attention).toBe(
        "model.layers.*.input_layernorm · before the attention of every layer, 0 to 3",
      );
      expect(feedForward).toMatch(/ · before the feed-forward of every layer, 0 to 3$/);
      expect(final).toBe("model.norm · after the last layer, before the head");
    },
  );

  it.each(["scheme-post-ln", "scheme-deepnorm", "scheme-admin"])(
    "on the sums of %s",
    async (name) => {
      const [attention, feedForward, ...others] = await said(name);
      expect(attention).toMatch(
        / · after the attention of every layer, 0 to \d, on the sum with the stream$/,
      );
      expect(feedForward).toMatch(
        / · after the feed-forward of [^·]*, on the sum with the stream$/,
      );
      expect(others.filter((text) => text.includes("layers.*"))).toEqual([]);
    },
  );

  it("around the sublayers of a sandwich, and only behind them where they are reordered", async () => {
    expect((await said("scheme-sandwich")).map((text) => text.split(" · ")[1])).toEqual([
      "before the attention of every layer, 0 to 3",
      "after the attention of every layer, 0 to 3, before the sum with the stream",
      "before the feed-forward of every layer, 0 to 3",
      "after the feed-forward of every layer, 0 to 3, before the sum with the stream",
      "after the last layer, before the head",
    ]);
    const reordered = await said("scheme-reordered");
    expect(reordered[0]).toMatch(/after the attention of [^·]+, before the sum with the stream$/);
    expect(reordered.join("\n")).not.toContain("· before");
  });

  it("where Mix-LN has them in each layer", async () => {
    expect(await said("scheme-mix-ln")).toEqual([
      "model.layers.*.post_attention_layernorm · after the attention of layer 0, on the sum with the stream",
      "model.layers.*.post_feedforward_layernorm · after the feed-forward of layer 0, on the sum with the stream",
      "model.layers.*.input_layernorm · before the attention of layers 1–3",
      "model.layers.*.post_attention_layernorm · before the feed-forward of layers 1–3",
      "model.norm · after the last layer, before the head",
    ]);
  });

  it("before both of parallel sublayers that read one", async () => {
    expect(await said("gpt-j")).toEqual([
      expect.stringMatching(
        /^transformer\.h\.\*\.ln_1 · before the attention and the feed-forward of every layer/,
      ),
      "transformer.ln_f · after the last layer, before the head",
    ]);
  });

  it.each<[string, string[]]>([
    ["qwen3", ["self_attn.q_norm", "self_attn.k_norm"]],
    ["olmo2", ["self_attn.q_norm", "self_attn.k_norm"]],
    ["deepseek-v2", ["self_attn.q_a_layernorm", "self_attn.kv_a_layernorm"]],
  ])("inside %s's attention", async (name, inside) => {
    const found = (await said(name)).filter((text) => text.includes(" · inside the attention of "));
    expect(found.map((text) => text.split(" · ")[0])).toEqual(
      inside.map((path) => `model.layers.*.${path}`),
    );
  });

  it("of each head, all together", async () => {
    const found = await said("stablelm-parallel");
    expect(found).toContain(
      "model.layers.*.self_attn.q_layernorm.norms.* · inside the attention of every layer, 0 to 2",
    );
    expect(found.filter((text) => text.includes("k_layernorm"))).toHaveLength(1);
  });

  it("behind the embedding, and in the head", async () => {
    expect((await said("bloom"))[0]).toBe(
      "transformer.word_embeddings_layernorm · after the embedding, before the first layer",
    );
    const bert = await said("bert");
    expect(bert[0]).toBe("bert.embeddings.LayerNorm · after the embedding, before the first layer");
    expect(bert.at(-1)).toBe("cls.predictions.transform.LayerNorm · inside the head");
  });

  it("of the layers that share them", async () => {
    expect((await said("albert"))[1]).toBe(
      "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.LayerNorm · after the attention of layers 0–2, on the sum with the stream",
    );
  });
});
