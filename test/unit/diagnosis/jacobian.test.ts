import { describe, expect, it } from "vitest";
import { LayerMeasurement } from "../../../src/diagnosis/measurements";
import { innerProducts } from "../../../src/diagnosis/perToken";
import { fillRademacher } from "../../../src/diagnosis/random";
import type { JacobianEstimate } from "../../../src/diagnosis/report";
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import { GraphBuilder } from "../../../src/graph/graph";
import { jvp, tangentName } from "../../../src/graph/jvp";
import {
  copyFixture,
  editWeights,
  fixture,
  tokensOf,
  writeTinyLlama,
} from "../support/checkpoints";
import { evaluate } from "../support/interpreter";
import { pseudoRandom } from "../support/numbers";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensors } from "../support/safetensors";
import { floatsOf, float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** The estimate for y = x + x Wᵀ, through jvp, from the given probes. */
function estimateOf(weight: readonly number[], probes: readonly Float32Array[]): JacobianEstimate {
  const size = Math.sqrt(weight.length);
  const tensor: TensorEntry = {
    ...{ name: "w", dataType: "F32", shape: [size, size] },
    ...{ file: "/w", offset: 0, byteLength: 4 * weight.length },
  };
  const builder = new GraphBuilder();
  const x = builder.input("x", { elementType: "float32", shape: [1, size] });
  builder.output("y", builder.add(x, builder.apply("Linear", [x, builder.weight(tensor)])));
  const shape = [probes.length, 1, size];
  const found = evaluate(
    jvp(builder.build(), "x", ["y"]),
    {
      x: { shape: [1, size], data: Array<number>(size).fill(0.3) },
      [tangentName("x")]: { shape, data: probes.flatMap((probe) => [...probe]) },
    },
    () => weight,
  )[tangentName("y")]!.data;
  const measurement = new LayerMeasurement();
  measurement.addProducts(
    0,
    probes.map((probe, at) =>
      innerProducts(probe, Float32Array.from(found.slice(at * size, (at + 1) * size))),
    ),
  );
  return measurement.jacobianEstimate()!;
}

function rademacherProbes(count: number, size: number, seed = 0): Float32Array[] {
  return Array.from({ length: count }, (_, probe) => {
    const numbers = new Float32Array(size);
    fillRademacher(numbers, [seed, 0, 0, probe]);
    return numbers;
  });
}

describe("the Jacobian of a linear block y = x + W x", () => {
  const size = 12;
  const random = pseudoRandom(4);
  const weight = Array.from({ length: size * size }, random);
  const distance = Math.sqrt(weight.reduce((sum, value) => sum + value * value, 0) / size);

  it("lies ‖W‖_F/√d from the identity: exactly over a whole basis", () => {
    const basis = Array.from({ length: size }, (_, at) => {
      const vector = new Float32Array(size);
      vector[at] = 1;
      return vector;
    });
    expect(estimateOf(weight, basis).identityDistance).toBeCloseTo(distance, 6);
  });

  it("lies ‖W‖_F/√d from the identity: within four standard errors over random probes", () => {
    const estimate = estimateOf(weight, rademacherProbes(400, size));
    expect(estimate.standardError! / distance).toBeLessThan(0.03);
    expect(Math.abs(estimate.identityDistance - distance)).toBeLessThan(
      4 * estimate.standardError!,
    );
  });

  it("has the error that repeating the estimate with other probes shows", () => {
    const estimates = Array.from({ length: 300 }, (_, seed) =>
      estimateOf(weight, rademacherProbes(32, size, seed)),
    );
    const rootMeanSquare = (values: readonly number[]): number =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    const spread = rootMeanSquare(
      estimates.map(({ identityDistance }) => identityDistance - distance),
    );
    const stated = rootMeanSquare(estimates.map(({ standardError }) => standardError!));
    expect(stated / spread).toBeGreaterThan(0.88);
    expect(stated / spread).toBeLessThan(1.12);
  });

  it("is known without error where W is diagonal, since probes are signs", () => {
    const half = Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 0.5 : 0));
    expect(estimateOf(half, rademacherProbes(3, 4))).toEqual({
      identityDistance: 0.5,
      standardError: 0,
      identityCosine: 1,
      identityCosineStandardError: 0,
    });
    const erased = Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? -1 : 0));
    expect(estimateOf(erased, rademacherProbes(3, 4))).toMatchObject({
      identityDistance: 1,
      identityCosine: 0,
    });
    expect(estimateOf(Array<number>(16).fill(0), rademacherProbes(3, 4))).toMatchObject({
      identityDistance: 0,
      standardError: 0,
      identityCosine: 1,
    });
  });
});

describe("a layer whose norm and attention are linear", () => {
  it("has the distance that its weights spell out, over whole sequences", async () => {
    // With an epsilon that dwarfs the stream the norm only scales by weight/√ε = 1; without queries
    // and keys each token averages over the tokens up to it; so J − I = A ⊗ (W_O W_V), where A is
    // the causal average, ‖A‖² = Σ_t 1/t.
    const linear = (tensors: StoredTensors): void => {
      for (const [name, tensor] of tensors) {
        if (name.endsWith("norm.weight")) fill(tensor, 1e6);
        if (/[qk]_proj|down_proj/.test(name)) fill(tensor, 0);
      }
      const square = Array.from({ length: 64 }, pseudoRandom(8));
      for (const layer of [0, 1, 2]) {
        const path = `model.layers.${layer}.self_attn`;
        tensors.set(`${path}.v_proj.weight`, float32Tensor(square, [8, 8]));
        tensors.set(`${path}.k_proj.weight`, float32Tensor(Array(64).fill(0), [8, 8]));
      }
    };
    let output: Float32Array = new Float32Array(0);
    let value: Float32Array = new Float32Array(0);
    const folder = writeTinyLlama(
      scratch(),
      (tensors) => {
        linear(tensors);
        output = floatsOf(tensors.get("model.layers.1.self_attn.o_proj.weight")!);
        value = floatsOf(tensors.get("model.layers.1.self_attn.v_proj.weight")!);
      },
      { rms_norm_eps: 1e12, num_key_value_heads: 2 },
    );
    const tokens = 9;
    const document = Array.from({ length: tokens }, (_, at) => at + 1);
    const report = await diagnoseHere(folder, {
      documents: [document],
      metrics: ["jacobian"],
      probes: 512,
    });
    let squares = 0;
    for (let row = 0; row < 8; row++) {
      for (let column = 0; column < 8; column++) {
        let sum = 0;
        for (let k = 0; k < 8; k++) sum += output[row * 8 + k]! * value[k * 8 + column]!;
        squares += sum * sum;
      }
    }
    const averages = document.reduce((sum, t) => sum + 1 / t, 0);
    const expected = Math.sqrt((averages * squares) / (tokens * 8));
    const { identityDistance, standardError } = report.layers[1]!.jacobian!;
    expect(standardError! / expected).toBeLessThan(0.03);
    expect(Math.abs(identityDistance - expected)).toBeLessThan(4 * standardError!);
  });
});

describe("layers whose output projections are zero", () => {
  it("are the identity and cost nothing, exactly", async () => {
    const folder = copyFixture("llama", scratch());
    editWeights(folder, (tensors) => {
      for (const [name, tensor] of tensors) if (/o_proj|down_proj/.test(name)) fill(tensor, 0);
    });
    const report = await diagnoseHere(folder, {
      documents: tokensOf("llama"),
      metrics: ["variance", "jacobian", "pruning", "sublayers"],
    });
    for (const layer of report.layers) {
      expect(layer.jacobian).toMatchObject({
        identityDistance: 0,
        standardError: 0,
        identityCosine: 1,
      });
      expect(layer.pruning).toEqual({
        deltaNll: 0,
        standardError: 0,
        deltaPerplexity: 0,
        attention: { deltaNll: 0, standardError: 0 },
        feedForward: { deltaNll: 0, standardError: 0 },
      });
      expect([layer.attentionVariance, layer.feedForwardVariance]).toEqual([0, 0]);
      expect(Math.abs(layer.blockInfluence!)).toBeLessThan(1e-12);
      expect(layer.outputVariance).toEqual(report.layers[0]!.outputVariance);
    }
  });

  it("cost nothing where only one of them is, and the others as before", async () => {
    const options = { documents: tokensOf("llama"), metrics: ["pruning", "sublayers"] } as const;
    const folder = copyFixture("llama", scratch());
    editWeights(folder, (tensors) => {
      fill(tensors.get("model.layers.3.self_attn.o_proj.weight")!, 0);
    });
    const { layers } = await diagnoseHere(folder, options);
    const { attention, feedForward, deltaNll } = layers[3]!.pruning!;
    expect(attention).toEqual({ deltaNll: 0, standardError: 0 });
    // Without attention, the feed-forward is the whole layer.
    expect(feedForward!.deltaNll).toBe(deltaNll);
    expect(deltaNll).not.toBe(0);
    const before = await diagnoseHere(fixture("llama"), options);
    expect(before.layers[3]!.pruning!.attention!.deltaNll).not.toBe(0);
  });
});

function fill(tensor: { shape: readonly number[]; data: Uint8Array }, value: number): void {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  tensor.data = new Uint8Array(new Float32Array(count).fill(value).buffer);
}
