import { describe, expect, it } from "vitest";
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import type { Graph, Value } from "../../../src/graph/graph";
import { GraphBuilder, printGraph } from "../../../src/graph/graph";
import { jvp, tangentName } from "../../../src/graph/jvp";
import { activationBytes, weightBytes } from "../../../src/graph/memory";
import { broadcast, GraphError } from "../../../src/graph/types";

const floats = (...shape: (number | string)[]) => ({ elementType: "float32", shape }) as const;

const tensor: TensorEntry = {
  name: "w",
  dataType: "BF16",
  shape: [3, 2],
  file: "/models/a/model.safetensors",
  offset: 128,
  byteLength: 12,
};

describe("GraphBuilder", () => {
  it("holds a weight and a number once, however often they are asked for", () => {
    const builder = new GraphBuilder();
    expect(builder.storedWeight(tensor)).toBe(builder.storedWeight(tensor));
    expect(builder.scalar(2)).toBe(builder.scalar(2));
    expect(builder.scalar(3)).not.toBe(builder.scalar(2));
    expect(builder.build().constants).toHaveLength(3);
  });

  it("widens half-width weights and leaves float32 alone", () => {
    const builder = new GraphBuilder();
    expect(builder.weight(tensor).type).toEqual(floats(3, 2));
    const wide = { ...tensor, name: "wide", dataType: "F32" } as const;
    expect(builder.weight(wide)).toBe(builder.storedWeight(wide));
    expect(builder.build().nodes.map(({ operator }) => operator)).toEqual(["Cast"]);
  });

  it("refuses weights that cannot be computed with, by name", () => {
    const build = (): Value => new GraphBuilder().weight({ ...tensor, dataType: "I8" });
    expect(build).toThrow(GraphError);
    expect(build).toThrow("Weight w is stored as I8");
  });
});

describe("broadcast", () => {
  it("stretches ones and keeps symbols", () => {
    expect(broadcast(["batch", 1, 4], ["sequence", 1])).toEqual(["batch", "sequence", 4]);
    expect(broadcast([], [2])).toEqual([2]);
    expect(broadcast(["batch"], ["batch"])).toEqual(["batch"]);
  });

  it.each([
    [[2], [3]],
    [["batch"], ["sequence"]],
    [["batch"], [2]],
  ])("does not fit %j to %j", (a, b) => {
    expect(() => broadcast(a, b)).toThrow(GraphError);
  });
});

describe("jvp", () => {
  const cubeTimesWeight = (): Graph => {
    const builder = new GraphBuilder();
    const x = builder.input("x", floats("batch", 2));
    builder.output("y", builder.multiply(builder.multiply(x, x), x));
    builder.output("constant", builder.weight(tensor));
    return builder.build();
  };

  it("computes each primal value once and shares it", () => {
    const plain = cubeTimesWeight();
    const both = jvp(plain, "x", ["y"]);
    expect(printGraph(both)).toMatchInlineSnapshot(`
      "input x: float32[batch, 2]
      input x.tangent: float32[probes, batch, 2]
      constant w: bfloat16[3, 2] weight
      v0: float32[batch, 2] = Mul(x, x)
      v1: float32[probes, batch, 2] = Mul(x.tangent, x)
      v2: float32[probes, batch, 2] = Mul(x, x.tangent)
      v3: float32[probes, batch, 2] = Add(v1, v2)
      v4: float32[batch, 2] = Mul(v0, x)
      v5: float32[probes, batch, 2] = Mul(v3, x)
      v6: float32[probes, batch, 2] = Mul(v0, x.tangent)
      v7: float32[probes, batch, 2] = Add(v5, v6)
      v8: float32[3, 2] = Cast(w, to="float32")
      output y = v4
      output constant = v8
      output y.tangent = v7"
    `);
  });

  it("does not change the graph it is given", () => {
    const plain = cubeTimesWeight();
    const before = printGraph(plain);
    jvp(plain, "x", ["y"]);
    expect(printGraph(plain)).toBe(before);
  });

  it("refuses an input or output that is not there, and an output that x does not reach", () => {
    const graph = cubeTimesWeight();
    expect(() => jvp(graph, "z", ["y"])).toThrow("There is no input z");
    expect(() => jvp(graph, "x", ["z"])).toThrow("There is no output z");
    expect(() => jvp(graph, "x", ["constant"])).toThrow("Output constant does not depend on x");
  });

  it("refuses a linear layer whose weight depends on x", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", floats(2, 2));
    builder.output("y", builder.apply("Linear", [x, x]));
    expect(() => jvp(builder.build(), "x", ["y"])).toThrow(/Linear's weight cannot be active/);
  });

  it("passes an input that is returned straight through", () => {
    const builder = new GraphBuilder();
    builder.output("y", builder.input("x", floats("batch", 2)));
    const { outputs } = jvp(builder.build(), "x", ["y"]);
    expect(outputs.map(({ name, value }) => [name, value.name])).toEqual([
      ["y", "x"],
      [tangentName("y"), tangentName("x")],
    ]);
  });
});

describe("activationBytes", () => {
  it("counts what a run holds at once: each value is freed after its last use", () => {
    const builder = new GraphBuilder();
    let x = builder.input("x", floats("batch", 4));
    for (let step = 0; step < 5; step++) x = builder.apply("Exp", [x]);
    builder.output("y", x);
    // The input stays, one value is being read and one written.
    expect(activationBytes(builder.build(), { batch: 10 })).toBe(3 * 10 * 4 * 4);
  });

  it("keeps outputs, and what is used again later", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", floats(8));
    const a = builder.apply("Exp", [x]);
    const b = builder.apply("Neg", [a]);
    const c = builder.apply("Neg", [b]);
    builder.output("a", a);
    builder.output("d", builder.add(c, a));
    // x, a, and then b with c or c with d.
    expect(activationBytes(builder.build(), {})).toBe(4 * 8 * 4);
  });

  it("holds what is used again until its last use", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", floats(8));
    const a = builder.apply("Exp", [x]);
    const b = builder.apply("Neg", [a]);
    const c = builder.apply("Neg", [b]);
    const d = builder.add(c, a);
    builder.output("e", builder.apply("Neg", [d]));
    // x, a and c, and d while it is written; a and c are gone when e is.
    expect(activationBytes(builder.build(), {})).toBe(4 * 8 * 4);
  });

  it("leaves out what depends on weights alone, which is computed once", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", floats("batch", 2));
    builder.output("y", builder.apply("Linear", [x, builder.weight(tensor)]));
    const graph = builder.build();
    expect(activationBytes(graph, { batch: 7 })).toBe(7 * 2 * 4 + 7 * 3 * 4);
    // As float32, which is how it is held.
    expect(weightBytes(graph)).toBe(3 * 2 * 4);
  });

  it("knows the width of truth values and integers", () => {
    const builder = new GraphBuilder();
    builder.input("keep", { elementType: "bool", shape: ["batch", 1] });
    builder.input("ids", { elementType: "int64", shape: ["batch"] });
    expect(activationBytes(builder.build(), { batch: 3 })).toBe(3 + 24);
  });
});
