import { describe, expect, it } from "vitest";
import type { LayerReport, NormSummary, Report } from "../../../src/diagnosis/report";
import { normRolesText } from "../../../src/report/normPlace";
import { normHover, normLine } from "../../../src/report/normText";
import { sampleReport, withCrossAttention } from "./sampleReport";

const attention: NormSummary = { path: "model.layers.*.input_layernorm", feeds: "attention" };
const crossAttention: NormSummary = {
  path: "model.layers.*.cross_attention_norm",
  feeds: "crossAttention",
};
const feedForward: NormSummary = {
  path: "model.layers.*.post_attention_layernorm",
  feeds: "feedForward",
};
const final: NormSummary = { path: "model.norm", feeds: "head" };

/** A report whose layers are others. */
function changed(report: Report, change: (layer: LayerReport) => LayerReport): Report {
  return { ...report, layers: report.layers.map(change) };
}

/** As without the metric that measures the removal of sublayers. */
function withoutSublayers(report: Report): Report {
  return changed(report, (layer) => {
    const { deltaNll, standardError } = layer.pruning!;
    return { ...layer, pruning: { deltaNll, standardError: standardError! } };
  });
}

describe("the line above a norm", () => {
  const report = sampleReport({ layers: 12 });

  it("of the stream goes from the first layer to the last, with the free layers", () => {
    expect(normLine(report)).toMatchInlineSnapshot(
      `"σ² 0.385 → 190 ▁▂▃▄▅▆▇█  ·  ‖J−I‖ 0.874 → 0.108  ·  4 of 12 layers nearly free to remove"`,
    );
    expect(normLine(report, final)).toBe(normLine(report));
  });

  it("of a sublayer says how much that adds, and at how many layers it alone is free", () => {
    expect(normLine(report, attention)).toMatchInlineSnapshot(
      `"σ² 0.385 → 190 ▁▂▃▄▅▆▇█  ·  ‖J−I‖ 0.874 → 0.108  ·  6 of 12 attentions nearly free to remove  ·  ‖attention‖/‖x‖ 0.110 → 0.110 ▁▁▁▁▁▁▁▁"`,
    );
    expect(normLine(report, feedForward)).toMatchInlineSnapshot(
      `"σ² 0.385 → 190 ▁▂▃▄▅▆▇█  ·  ‖J−I‖ 0.874 → 0.108  ·  4 of 12 feed-forwards nearly free to remove (2 uncertain)  ·  ‖feed-forward‖/‖x‖ 0.200 → 0.200 ▁▁▁▁▁▁▁▁"`,
    );
    const line = normLine(withCrossAttention(report), crossAttention);
    expect(line).toContain("‖cross-attention‖/‖x‖ 0.110 → 0.110");
    expect(line).toMatch(/\d+ of 12 cross-attentions nearly free to remove/);
  });

  it("judges a sublayer by the rule for layers", () => {
    const costs = changed(report, (layer) => ({
      ...layer,
      pruning: {
        deltaNll: 1,
        standardError: 0,
        // exp(0.004 + 1.96 · 0.004) − 1 is above 1%, and exp(0.004) − 1 below.
        attention: { deltaNll: 0.004, standardError: layer.index < 5 ? 0.004 : 0.001 },
        feedForward: { deltaNll: layer.index < 7 ? 0.02 : 0.004, standardError: 0 },
      },
    }));
    expect(normLine(costs, attention)).toMatch(
      / {2}7 of 12 attentions nearly free to remove \(5 uncertain\) /,
    );
    expect(normLine(costs, feedForward)).toMatch(
      / {2}5 of 12 feed-forwards nearly free to remove /,
    );
    expect(normLine(costs, final)).toMatch(/ {2}0 of 12 layers nearly free to remove$/);
  });

  it("speaks of whole layers where their sublayers were not removed", () => {
    const line = normLine(withoutSublayers(report), attention);
    expect(line).toContain("‖attention‖/‖x‖");
    expect(line).toMatch(/ {2}4 of 12 layers nearly free to remove /);
  });

  it("speaks of whole layers where the norm is of several sublayers or of none", () => {
    for (const feeds of ["sublayers", "stream", "head"] as const) {
      expect(normLine(report, { path: "transformer.norm", feeds })).toBe(normLine(report));
    }
  });

  it("speaks of the attention where it is inside that, wherever the sublayers have theirs", () => {
    const inside = {
      path: "model.layers.*.self_attn.q_norm",
      feeds: "attention",
      place: "inside",
    } as const;
    const shared = { path: "model.layers.*.norm", feeds: "sublayers", place: "before" } as const;
    const norms = [shared, inside, final];
    const parallel = { ...report, architecture: { ...report.architecture, norms } };
    expect(normLine(parallel, inside)).toBe(normLine(report, attention));
    expect(normHover(parallel, inside)).toMatch(
      /^\*\*`model\.layers\.\*\.self_attn\.q_norm`\*\* · inside the attention of every layer, 0 to 11\n/,
    );
  });

  it("averages neighbours of a deep model into a short line", () => {
    const line = normLine(sampleReport({ layers: 96 }));
    expect(/[▁-█]+/.exec(line)![0]).toHaveLength(8);
  });

  it("leaves out what was not measured", () => {
    const bare = changed(report, ({ index, path, outputVariance, jacobian }) => {
      return { index, path, outputVariance: outputVariance!, jacobian: jacobian! };
    });
    for (const norm of [undefined, attention]) {
      expect(normLine(bare, norm)).toMatch(/^σ² [^·]+ {2}· {2}‖J−I‖ [^·]+$/);
      expect(normLine({ ...bare, layers: [] }, norm)).toBe("");
    }
  });
});

describe("a norm whose place moves with depth", () => {
  const plain = sampleReport({ layers: 4 });
  const { path } = attention;
  const moved: NormSummary[] = [
    { path, feeds: "attention", place: "sum", layers: [0] },
    { path, feeds: "attention", place: "before", layers: [1, 2, 3] },
  ];
  const withNorms = (norms: NormSummary[]): Report => ({
    ...plain,
    architecture: { ...plain.architecture, norms },
  });
  const places =
    "after the attention of layer 0, on the sum with the stream; before the attention of layers 1–3";

  it("is in all its places in the hover", () => {
    const hover = normHover(withNorms(moved), moved[0]!);
    expect(hover.split("\n")[0]).toBe(`**\`${path}\`** · ${places}`);
    expect(hover).toContain("attention verdict");
  });

  it("has no columns of one sublayer before the others where it is at two", () => {
    const both = withNorms([moved[0]!, { ...moved[1]!, feeds: "feedForward" }]);
    expect(normHover(both, moved[0]!)).not.toContain("attention verdict");
  });

  it("is in all its places in the side panel", () => {
    expect(normRolesText(moved[0]!, withNorms(moved))).toBe(`${path} · ${places}`);
    expect(normRolesText(final, withNorms(moved))).toBeUndefined();
  });
});

describe("the hover of a norm", () => {
  const heads = (report: Report, norm: NormSummary): string[] =>
    normHover(report, norm)
      .split("\n")
      .find((line) => line.startsWith("| "))!
      .split(" | ")
      .map((head) => head.replaceAll(/^\| | \|$|\\|(?:&nbsp;)+$/g, ""));

  it("has one row a layer, and of very deep models the ends", () => {
    const rows = (layers: number) =>
      normHover(sampleReport({ layers }), attention)
        .split("\n")
        .filter((line) => /^\| \d/.test(line)).length;
    expect(rows(12)).toBe(12);
    expect(rows(500)).toBe(400);
  });

  it("sets its columns apart, and is a table all the same", () => {
    const [head, rules, first] = normHover(sampleReport({ layers: 12 }), attention)
      .split("\n")
      .filter((line) => line.startsWith("| "));
    expect(head).toMatch(/^\| layer&nbsp;&nbsp; \| /);
    expect(rules).toMatch(/^(?:\| (?:--:|:--) )+\|$/);
    expect(first).toMatch(/^\| 0&nbsp;&nbsp; \| .*[^;] \|$/);
  });

  it("leads with the columns of the norm's sublayer", () => {
    const report = sampleReport({ layers: 12 });
    const others = ["verdict", "variance", "‖J−I‖/‖I‖", "ΔNLL (nats)", "perplexity"];
    expect(heads(report, attention)).toEqual([
      ...["layer", "attention verdict", "‖attention‖/‖x‖", "attention ΔNLL"],
      ...[...others, "feed-forward ΔNLL", "block influence"],
    ]);
    expect(heads(report, feedForward)).toEqual([
      ...["layer", "feed-forward verdict", "‖feed-forward‖/‖x‖", "feed-forward ΔNLL"],
      ...[...others, "attention ΔNLL", "block influence"],
    ]);
    expect(heads(report, final).slice(0, 6)).toEqual(["layer", ...others]);
    expect(heads(withoutSublayers(report), attention)).toEqual([
      ...["layer", "‖attention‖/‖x‖", ...others, "block influence"],
    ]);
  });
});
