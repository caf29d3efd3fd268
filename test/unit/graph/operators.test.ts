import { describe, expect, it } from "vitest";
import type { Graph, Value } from "../../../src/graph/graph";
import { GraphBuilder } from "../../../src/graph/graph";
import { jvp, tangentName } from "../../../src/graph/jvp";
import type { Attributes, Operator } from "../../../src/graph/operators";
import { typeRules } from "../../../src/graph/operators";
import { GraphError } from "../../../src/graph/types";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import type { Tensor } from "../../../src/engine/executor";
import type { Numbers } from "../support/interpreter";
import { evaluate } from "../support/interpreter";
import { expectClose, pseudoRandom } from "../support/numbers";
import type { Operand, OperatorCase } from "./operatorCases";
import { operatorCases } from "./operatorCases";

const operators = Object.keys(typeRules) as Operator[];
const cpu = onnxRuntimeExecutor({ provider: "cpu", threads: 1, weightsFolder: "/" });

it("has a case for every primitive", () => {
  expect(Object.keys(operatorCases).sort()).toEqual([...operators].sort());
});

describe.each(operators)("%s", (operator) => {
  const { accepts, rejects, example, derivatives } = caseOf(operator);

  it("types what fits, and names what does not", () => {
    for (const { operands, attributes, result } of accepts) {
      expect(typeRules[operator](operands, attributes as never)).toEqual(result);
    }
    for (const { operands, attributes, because } of rejects) {
      const builder = new GraphBuilder();
      const values = operands.map((type, index) => builder.input(`operand_${index}`, type));
      const apply = (): Value => builder.apply<Operator>(operator, values, attributes);
      expect(apply).toThrow(GraphError);
      expect(apply).toThrow(because);
      expect(apply).toThrow(`${operator}(operand_0: `);
    }
  });

  it("computes what it says, in double precision and in ONNX Runtime", async () => {
    const graph = graphOf(operator, example.operands, new Set(), example.attributes);
    expectClose(evaluate(graph, feedsOf(example.operands))["y"]!.data, example.result, 1e-12);
    for (const operands of [example.operands, ...randomOperands(operator)]) {
      const random = graphOf(operator, operands, new Set(), example.attributes);
      const feeds = feedsOf(operands);
      const expected = evaluate(random, feeds)["y"]!.data;
      const found = await runOnnx(random, feeds, ["y"]);
      expectClose(found["y"]!, expected, 1e-5);
    }
  });

  if (derivatives === "none") {
    it("refuses to be differentiated, by name", () => {
      const graph = graphOf(operator, example.operands, new Set([0]), example.attributes);
      const differentiate = (): Graph => jvp(graph, "x", ["y"]);
      expect(differentiate).toThrow(GraphError);
      expect(differentiate).toThrow(operator);
    });
    return;
  }

  if (derivatives === "constant") {
    it("is constant where it does not jump, so that nothing follows from a change of its operand", () => {
      const builder = new GraphBuilder();
      const size = example.operands[0]!.data.length;
      const x = builder.input("x", { elementType: "float32", shape: [size] });
      const first = builder.reshape(x, example.operands[0]!.shape);
      const rest = example.operands
        .slice(1)
        .map(({ elementType, shape }, index) =>
          builder.input(`operand_${index + 1}`, { elementType, shape }),
        );
      const chosen = builder.apply<Operator>(operator, [first, ...rest], example.attributes);
      builder.output("y", builder.apply("Where", [chosen, first, builder.scalar(0)]));
      const graph = jvp(builder.build(), "x", ["y"]);
      const tangent = example.operands[0]!.data.map((_, at) => at + 1);
      const outputs = evaluate(graph, {
        x: { shape: [size], data: example.operands[0]!.data },
        ...feedsOf(example.operands, new Set([0])),
        [tangentName("x")]: { shape: [1, size], data: tangent },
      });
      const passed = tangent.map((value, at) => value * example.result[at]!);
      expect(outputs[tangentName("y")]!.data).toEqual(passed);
    });
    return;
  }

  it.each(derivatives)("has the derivative worked out by hand for $tangents", (derivative) => {
    const { operands, attributes } = example;
    const active = new Set(Object.keys(derivative.tangents).map(Number));
    const graph = jvp(graphOf(operator, operands, active, attributes), "x", ["y"]);
    const tangent = [...active].sort().flatMap((index) => derivative.tangents[index]!);
    const outputs = evaluate(graph, {
      ...feedsOf(operands, active),
      [tangentName("x")]: { shape: [1, tangent.length], data: tangent },
    });
    expectClose(outputs["y"]!.data, example.result, 1e-12);
    expectClose(outputs[tangentName("y")]!.data, derivative.result, 1e-12);
  });

  it("has the derivative that central differences show, and the same in ONNX Runtime", async () => {
    const activeSets = derivatives.map(
      ({ tangents }) => new Set(Object.keys(tangents).map(Number)),
    );
    for (const operands of [example.operands, ...randomOperands(operator)]) {
      for (const active of activeSets) {
        const plain = graphOf(operator, operands, active, example.attributes);
        const graph = jvp(plain, "x", ["y"]);
        const feeds = feedsOf(operands, active);
        const x = feeds["x"]!;
        const random = pseudoRandom(11);
        const vectors = [0, 1].map(() => x.data.map(() => random()));
        const all = {
          ...feeds,
          [tangentName("x")]: { shape: [2, x.data.length], data: vectors.flat() },
        };
        const expected = vectors.flatMap((v) => centralDifference(plain, feeds, v));
        const exact = evaluate(graph, all)[tangentName("y")]!.data;
        expectClose(exact, expected, 1e-8);
        const found = await runOnnx(graph, all, ["y", tangentName("y")]);
        expectClose(found[tangentName("y")]!, exact, 1e-5);
      }
    }
  });
});

/** The case of an operator that is known only when the tests run. */
function caseOf(operator: Operator): OperatorCase<Operator> {
  return operatorCases[operator];
}

/** y = operator(…), the active operands being pieces of one input x, the others inputs of their own. */
function graphOf(
  operator: Operator,
  operands: readonly Operand[],
  active: ReadonlySet<number>,
  attributes: Attributes[Operator],
): Graph {
  const builder = new GraphBuilder();
  const total = operands.reduce(
    (n, { data }, index) => n + (active.has(index) ? data.length : 0),
    0,
  );
  const x = total > 0 && builder.input("x", { elementType: "float32", shape: [total] });
  let start = 0;
  const values = operands.map(({ elementType, shape, data }, index) => {
    if (!active.has(index) || !x) return builder.input(`operand_${index}`, { elementType, shape });
    const piece = builder.apply("Slice", [x], { axis: -1, start, end: start + data.length });
    start += data.length;
    return builder.reshape(piece, shape);
  });
  builder.output("y", builder.apply<Operator>(operator, values, attributes));
  return builder.build();
}

function feedsOf(
  operands: readonly Operand[],
  active: ReadonlySet<number> = new Set(),
): Record<string, Numbers> {
  const feeds: Record<string, Numbers> = {};
  for (const [index, { shape, data }] of operands.entries()) {
    if (!active.has(index)) feeds[`operand_${index}`] = { shape, data };
  }
  const x = operands.flatMap(({ data }, index) => (active.has(index) ? data : []));
  return active.size === 0 ? feeds : { ...feeds, x: { shape: [x.length], data: x } };
}

/** Random numbers in the example's shapes and in the others that the case names. */
function randomOperands(operator: Operator): Operand[][] {
  const { example, shapes = [], range = [-1.5, 1.5] } = caseOf(operator);
  const random = pseudoRandom(7);
  const [low, high] = range;
  return [example.operands.map(({ shape }) => shape), ...shapes].map((some) =>
    some.map((shape, index) => {
      const { elementType, data } = example.operands[index]!;
      if (elementType !== "float32") return { elementType, shape, data };
      const count = shape.reduce((product, size) => product * size, 1);
      const draw = (): number => low + ((random() + 1) / 2) * (high - low);
      // What ONNX Runtime is fed is float32, so double precision starts from that too.
      return { elementType, shape, data: Array.from({ length: count }, () => Math.fround(draw())) };
    }),
  );
}

function centralDifference(
  graph: Graph,
  feeds: Readonly<Record<string, Numbers>>,
  direction: readonly number[],
): number[] {
  const step = 1e-5;
  const at = (sign: number): readonly number[] => {
    const { shape, data } = feeds["x"]!;
    const moved = data.map((value, index) => value + sign * step * direction[index]!);
    return evaluate(graph, { ...feeds, x: { shape, data: moved } })["y"]!.data;
  };
  const after = at(1);
  const before = at(-1);
  return after.map((value, index) => (value - before[index]!) / (2 * step));
}

async function runOnnx(
  graph: Graph,
  feeds: Readonly<Record<string, Numbers>>,
  fetches: readonly string[],
): Promise<Record<string, Float32Array>> {
  const session = await cpu.load(graph);
  const tensors = graph.inputs.map(({ name, type: { elementType } }): [string, Tensor] => {
    const { shape, data } = feeds[name]!;
    if (elementType === "int64") {
      return [name, { type: "int64", data: BigInt64Array.from(data, BigInt), shape }];
    }
    return elementType === "bool"
      ? [name, { type: "bool", data: Uint8Array.from(data), shape }]
      : [name, { type: "float32", data: Float32Array.from(data), shape }];
  });
  try {
    return await session.run(Object.fromEntries(tensors), fetches);
  } finally {
    await session.release();
  }
}
