import { describe, expect, it } from "vitest";
import type { DiagnosisStage } from "../../../src/diagnosis/diagnose";
import { MemoryError } from "../../../src/diagnosis/plan";
import type { Metric, Report } from "../../../src/diagnosis/report";
import {
  copyFixture,
  editWeights,
  fixture,
  tokensOf,
  writeTinyLlama,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import type { PipelineOptions } from "../support/pipeline";
import { diagnoseHere, leastMemory } from "../support/pipeline";
import { byRules, renameTensors, setFloat } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const documents = tokensOf("llama");

function llamaWith(tensor: string, at: number, value: number): string {
  const folder = copyFixture("llama", scratch());
  editWeights(folder, (tensors) => {
    setFloat(tensors.get(tensor)!, at, value);
  });
  return folder;
}

function reasonsOf(report: Report, layer: number): Partial<Record<Metric, string>> {
  const { unmeasured = [] } = report.layers[layer]!;
  return Object.fromEntries(unmeasured.map(({ metric, reason }) => [metric, reason]));
}

async function withNotices(
  path: string,
  options: Partial<PipelineOptions> = {},
): Promise<{ report: Report; notices: string[] }> {
  const notices: string[] = [];
  const observer = { onNotice: (text: string) => notices.push(text) };
  const report = await diagnoseHere(path, { documents, observer, ...options });
  return { report, notices };
}

describe("weights that are not finite", () => {
  it.each([NaN, Infinity, -Infinity])(
    "in a middle layer (%d) are named; the layers before it are measured, the others marked",
    async (value) => {
      const name = "model.layers.2.mlp.down_proj.weight";
      const folder = llamaWith(name, 7, value);
      const { report, notices } = await withNotices(folder);
      expect(notices).toEqual([
        `${folder}: ${name} holds NaN or infinite weights; activations are not finite from model.layers.2 on.`,
      ]);
      expect(report.findings).toEqual([{ kind: "notice", layers: [], text: notices[0] }]);
      const healthy = await diagnoseHere(fixture("llama"), { documents });
      const reason = "activations are not finite from model.layers.2 on";
      for (const index of [0, 1]) {
        const { outputVariance, jacobian, pruning } = report.layers[index]!;
        expect(outputVariance).toEqual(healthy.layers[index]!.outputVariance);
        expect(jacobian).toEqual(healthy.layers[index]!.jacobian);
        expect(pruning).toBeUndefined();
        expect(reasonsOf(report, index)).toEqual({ pruning: reason });
      }
      for (const index of [2, 3]) {
        const { outputVariance, jacobian, pruning, blockInfluence } = report.layers[index]!;
        expect([outputVariance, jacobian, pruning, blockInfluence]).toEqual(
          Array(4).fill(undefined),
        );
        expect(reasonsOf(report, index)).toEqual({
          variance: reason,
          jacobian: reason,
          pruning: reason,
        });
      }
      expect(report.baseline).toBeUndefined();
      expect(report.growth).toBeDefined();
    },
  );

  it("in several tensors are all named", async () => {
    const folder = copyFixture("llama", scratch());
    const names = ["model.layers.1.mlp.up_proj.weight", "model.layers.3.input_layernorm.weight"];
    editWeights(folder, (tensors) => {
      for (const name of names) setFloat(tensors.get(name)!, 0, NaN);
    });
    const { notices } = await withNotices(folder);
    expect(notices[0]).toContain(`${names.join(", ")} hold NaN or infinite weights`);
  });

  it("in the head leave everything but the loss", async () => {
    const { report, notices } = await withNotices(llamaWith("lm_head.weight", 30, NaN));
    expect(notices[0]).toContain("lm_head.weight holds NaN or infinite weights");
    expect(notices[0]).toContain("activations are not finite from the head on");
    const healthy = await diagnoseHere(fixture("llama"), { documents });
    expect(report.baseline).toBeUndefined();
    for (const [index, layer] of report.layers.entries()) {
      expect(layer.outputVariance).toEqual(healthy.layers[index]!.outputVariance);
      expect(layer.jacobian).toEqual(healthy.layers[index]!.jacobian);
      expect(reasonsOf(report, index)).toEqual({
        pruning: "activations are not finite from the head on",
      });
    }
  });

  it("in the embedding of a token that occurs leave nothing, and say so", async () => {
    const at = documents[0]![3]! * 24;
    const { report, notices } = await withNotices(llamaWith("model.embed_tokens.weight", at, NaN));
    expect(notices[0]).toContain("model.embed_tokens.weight holds NaN");
    for (const [index, layer] of report.layers.entries()) {
      expect(Object.keys(layer)).toEqual(["index", "path", "unmeasured"]);
      expect(reasonsOf(report, index).variance).toBe(
        "activations are not finite from the embedding on",
      );
    }
    expect(report.growth).toBeUndefined();
  });

  it("met only in a later batch leave the figures of the batches before it, and say so", async () => {
    const known = new Set(documents.slice(0, 2).flat());
    const token = documents[2]!.find((id) => !known.has(id))!;
    const folder = llamaWith("model.embed_tokens.weight", token * 24, NaN);
    const memoryBytes = await leastMemory(folder, { documents });
    const { report, notices } = await withNotices(folder, { memoryBytes });
    const before = await diagnoseHere(folder, { documents: documents.slice(0, 2), memoryBytes });
    expect(report.layers).toEqual(before.layers);
    expect(report.baseline).toEqual(before.baseline);
    expect(report.evaluation).toMatchObject({ documents: 2, tokens: 29, plannedDocuments: 3 });
    expect(notices[0]).toContain("model.embed_tokens.weight holds NaN");
    expect(notices[0]).toContain("after 2 of 3 sequences, whose figures stand");
    expect(report.findings.map(({ text }) => text)).toEqual(notices);
  });

  it("that are finite but overflow on the way are told from weights that are not", async () => {
    const folder = copyFixture("llama", scratch());
    editWeights(folder, (tensors) => {
      const { shape } = tensors.get("model.layers.1.mlp.down_proj.weight")!;
      const data = new Float32Array(shape[0]! * shape[1]!).fill(3e38);
      tensors.get("model.layers.1.mlp.down_proj.weight")!.data = new Uint8Array(data.buffer);
    });
    const { report, notices } = await withNotices(folder);
    expect(notices).toEqual([
      `${folder}: activations overflow in model.layers.1 although every weight is finite.`,
    ]);
    expect(report.layers[0]!.outputVariance).toBeDefined();
    expect(report.layers[1]!.outputVariance).toBeUndefined();
  });

  it("of tokens that do not occur are named and leave no mark, not even through padding", async () => {
    const used = new Set(documents.flat());
    const folder = copyFixture("llama", scratch());
    editWeights(folder, (tensors) => {
      const embedding = tensors.get("model.embed_tokens.weight")!;
      for (let id = 0; id < 72; id++) if (!used.has(id)) setFloat(embedding, id * 24, NaN);
    });
    const { report, notices } = await withNotices(folder);
    expect(notices).toEqual([
      `${folder}: model.embed_tokens.weight holds NaN or infinite weights, in rows that no evaluated token uses; the figures stand.`,
    ]);
    expect(report.findings).toEqual([{ kind: "notice", layers: [], text: notices[0] }]);
    expect(report.layers).toEqual((await diagnoseHere(fixture("llama"), { documents })).layers);
  });
});

describe("a run that is stopped", () => {
  const stopAt = (stops: (stage: DiagnosisStage) => boolean) => ({
    onStage: (stage: DiagnosisStage) =>
      Promise.resolve(stops(stage) ? ("stop" as const) : ("go on" as const)),
  });

  it("in a later batch keeps the whole batches before it", async () => {
    const memoryBytes = await leastMemory(fixture("llama"), { documents });
    const report = await diagnoseHere(fixture("llama"), {
      documents,
      memoryBytes,
      observer: stopAt(({ batch, part }) => batch === 2 && part === 2),
    });
    const options = { documents: documents.slice(0, 1), memoryBytes };
    const first = await diagnoseHere(fixture("llama"), options);
    expect(report.layers).toEqual(first.layers);
    expect(report.baseline).toEqual(first.baseline);
    expect(report.evaluation).toMatchObject({ documents: 1, tokens: 17, plannedDocuments: 3 });
  });

  it("in the first batch keeps the layers before it, and marks the others", async () => {
    const report = await diagnoseHere(fixture("llama"), {
      documents,
      observer: stopAt(({ part }) => part === 2),
    });
    const reason = "the run was stopped before it was measured";
    expect(reasonsOf(report, 1)).toEqual({ pruning: reason });
    expect(report.layers[1]!.outputVariance).toBeDefined();
    expect(reasonsOf(report, 2)).toEqual({ variance: reason, jacobian: reason, pruning: reason });
  });

  it("before anything was measured is a report all the same", async () => {
    const report = await diagnoseHere(fixture("llama"), {
      documents,
      observer: stopAt(() => true),
    });
    expect(report.layers).toHaveLength(4);
    expect(report.layers.every(({ outputVariance }) => outputVariance === undefined)).toBe(true);
  });
});

describe("while a run goes on", () => {
  it("reports grow layer by layer, work only ever advances, and ends whole", async () => {
    const measured: number[] = [];
    const fractions: number[] = [];
    await diagnoseHere(fixture("llama"), {
      documents,
      metrics: ["variance", "jacobian", "pruning", "sublayers"],
      observer: {
        onReport: ({ layers }) => {
          measured.push(layers.filter(({ outputVariance }) => outputVariance).length);
        },
        onWork: (fraction) => fractions.push(fraction),
      },
    });
    expect(measured).toEqual([1, 2, 3, 4, 4]);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBeGreaterThan(0.95);
    expect(fractions.at(-1)).toBeLessThanOrEqual(1);
  });

  it("a layer that is not there yet says so", async () => {
    const reasons: (string | undefined)[] = [];
    await diagnoseHere(fixture("llama"), {
      documents,
      observer: { onReport: (report) => reasons.push(reasonsOf(report, 3).jacobian) },
    });
    expect(reasons.slice(0, 3)).toEqual(Array(3).fill("not measured yet"));
    expect(reasons.at(-1)).toBeUndefined();
  });

  it("releases every session it loads, even when ONNX Runtime fails midway", async () => {
    let open = 0;
    let runs = 0;
    const failing = diagnoseHere(fixture("llama"), {
      documents,
      executor: (cpu) => ({
        acceptsEmptyTensors: true,
        load: async (graph) => {
          const session = await cpu.load(graph);
          open++;
          return {
            run: (feeds, fetches) => {
              if (++runs === 4) throw new Error("out of memory");
              return session.run(feeds, fetches);
            },
            release: () => {
              open--;
              return session.release();
            },
          };
        },
      }),
    });
    await expect(failing).rejects.toThrow("out of memory");
    expect(open).toBe(0);
  });
});

describe("what was not asked for or is not there", () => {
  it("has no figure: sublayers are off by default", async () => {
    const { layers } = await diagnoseHere(fixture("llama"), { documents });
    for (const { pruning, unmeasured } of layers) {
      expect(pruning!.attention).toBeUndefined();
      expect(pruning!.feedForward).toBeUndefined();
      expect(unmeasured).toBeUndefined();
    }
  });

  it("has a reason: a stack without a head has no loss", async () => {
    const folder = writeTinyLlama(scratch(), (tensors) => {
      tensors.delete("lm_head.weight");
      renameTensors(tensors, byRules([/^model\./, ""]));
    });
    const report = await diagnoseHere(folder, {
      documents: [
        [1, 2, 3, 4],
        [5, 6],
      ],
      metrics: ["variance", "jacobian", "pruning", "sublayers"],
    });
    expect(report.baseline).toBeUndefined();
    for (const [index, layer] of report.layers.entries()) {
      expect(layer.outputVariance!.mean).toBeGreaterThan(0);
      expect(layer.jacobian!.identityDistance).toBeGreaterThan(0);
      expect(layer.pruning).toBeUndefined();
      const reason = "the checkpoint has no language-model head";
      expect(reasonsOf(report, index)).toEqual({ pruning: reason, sublayers: reason });
    }
  });

  it("documents of one token count for the variance and not for the loss", async () => {
    const report = await diagnoseHere(fixture("llama"), {
      documents: [[5], documents[1]!, [7]],
      metrics: ["variance", "jacobian", "pruning"],
    });
    const alone = await diagnoseHere(fixture("llama"), {
      documents: [documents[1]!],
      metrics: ["pruning"],
    });
    expect(report.baseline!.nll).toBeCloseTo(alone.baseline!.nll, 6);
    expect(report.evaluation.tokens).toBe(14);
    for (const { outputVariance, jacobian, pruning } of report.layers) {
      expect(outputVariance!.standardError).toBeGreaterThan(0);
      expect(jacobian!.standardError).toBeGreaterThan(0);
      expect(Number.isFinite(pruning!.deltaNll)).toBe(true);
    }
  });

  it("an error that one observation cannot show is absent, not zero", async () => {
    const options = { documents: [[3, 5]], probes: 1 };
    const { baseline, layers } = await diagnoseHere(fixture("llama"), options);
    expect(Object.keys(baseline!)).toEqual(["nll", "perplexity"]);
    for (const { outputVariance, jacobian, pruning } of layers) {
      expect(outputVariance!.standardError).toBeGreaterThan(0);
      expect(Object.keys(jacobian!)).toEqual(["identityDistance", "identityCosine"]);
      expect(Object.keys(pruning!)).toEqual(["deltaNll", "deltaPerplexity"]);
    }
  });
});

describe("a memory budget", () => {
  it("that holds no layer is refused, with what would be needed", async () => {
    const refused = diagnoseHere(fixture("llama"), { documents, memoryBytes: 1000 });
    expect(await failureOf(refused, MemoryError)).toMatch(
      /llama: one layer and one sequence of 20 tokens take 0\.\d+ MiB; the memory budget is 0\.000954 MiB\. /,
    );
  });

  it("that just suffices does", async () => {
    const memoryBytes = await leastMemory(fixture("llama"), { documents });
    expect(
      (await diagnoseHere(fixture("llama"), { documents, memoryBytes })).baseline,
    ).toBeDefined();
    const less = diagnoseHere(fixture("llama"), { documents, memoryBytes: memoryBytes - 1 });
    await failureOf(less, MemoryError);
  });
});
