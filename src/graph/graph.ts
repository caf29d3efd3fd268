import type { TensorEntry } from "../checkpoint/checkpoint";
import { stored } from "../checkpoint/dataType";
import { isReadInPlace } from "../checkpoint/readTensor";
import type { Attributes, NoAttributes, Operator } from "./operators";
import { typeRules } from "./operators";
import type { Shape, ValueType } from "./types";
import { formatType, GraphError } from "./types";

/**
 * A computation as a list of primitives in the order they run. Every value has a name and a type;
 * graphs are only ever made by a GraphBuilder, which checks each primitive's operands.
 */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  /** The values a run returns, by the names it returns them under. */
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
}

export interface Value {
  readonly name: string;
  readonly type: ValueType;
}

/** A value that does not change between runs: a checkpoint's tensor, read in place, or numbers of ours. */
export type Constant =
  | { readonly kind: "weight"; readonly value: Value; readonly tensor: TensorEntry }
  | { readonly kind: "numbers"; readonly value: Value; readonly numbers: readonly number[] };

/** One primitive applied to its operands; the union ties each operator to its attributes. */
export type Node = { [K in Operator]: NodeOf<K> }[Operator];

export interface NodeOf<K extends Operator> {
  readonly operator: K;
  readonly operands: readonly Value[];
  readonly attributes: Attributes[K];
  readonly result: Value;
}

type OperatorWithoutAttributes = {
  [K in Operator]: NoAttributes extends Attributes[K] ? K : never;
}[Operator];

const storedAs = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** Builds a graph primitive by primitive; each call checks types and returns the new value. */
export class GraphBuilder {
  private readonly inputs: Value[] = [];
  private readonly constants: Constant[] = [];
  private readonly nodes: Node[] = [];
  private readonly outputs: { name: string; value: Value }[] = [];
  private readonly weights = new Map<TensorEntry, Value>();
  private readonly numbers = new Map<number, Value>();
  private count = 0;

  /** Declares something that is fed at each run. */
  input(name: string, type: ValueType): Value {
    const value = { name, type };
    this.inputs.push(value);
    return value;
  }

  /**
   * A checkpoint's tensor in the type it is stored in, or as float32 where the engine cannot read it in
   * place; asking twice gives the same value.
   */
  storedWeight(tensor: TensorEntry): Value {
    const known = this.weights.get(tensor);
    if (known !== undefined) return known;
    const { dataType, shape, name } = tensor;
    if (stored(dataType).weight === undefined) {
      throw new GraphError(
        `Weight ${name} is stored as ${dataType}, which cannot be computed with.`,
      );
    }
    const elementType = isReadInPlace(tensor) ? storedAs[dataType as "F32"] : "float32";
    // Several parts of one tensor may be weights.
    const parts = this.constants.filter(
      (constant) => constant.kind === "weight" && constant.tensor.name === name,
    ).length;
    const value = {
      name: parts === 0 ? name : `${name}#${parts}`,
      type: { elementType, shape },
    };
    this.constants.push({ kind: "weight", value, tensor });
    this.weights.set(tensor, value);
    return value;
  }

  /** A checkpoint's tensor as float32. */
  weight(tensor: TensorEntry): Value {
    return this.toFloat32(this.storedWeight(tensor));
  }

  toFloat32(value: Value): Value {
    return value.type.elementType === "float32"
      ? value
      : this.apply("Cast", [value], { to: "float32" });
  }

  /** A number that broadcasts with anything. */
  scalar(number: number): Value {
    const known = this.numbers.get(number);
    if (known !== undefined) return known;
    const value: Value = {
      name: `constant_${this.numbers.size}`,
      type: { elementType: "float32", shape: [] },
    };
    this.constants.push({ kind: "numbers", value, numbers: [number] });
    this.numbers.set(number, value);
    return value;
  }

  /** Applies a primitive. @throws GraphError when its operands do not fit */
  apply(operator: OperatorWithoutAttributes, operands: readonly Value[]): Value;
  apply<K extends Operator>(
    operator: K,
    operands: readonly Value[],
    attributes: Attributes[K],
  ): Value;
  apply<K extends Operator>(
    operator: K,
    operands: readonly Value[],
    attributes = {} as Attributes[K],
  ): Value {
    let type: ValueType;
    try {
      type = typeRules[operator](
        operands.map((operand) => operand.type),
        attributes,
      );
    } catch (error) {
      const found = operands.map(({ name, type }) => `${name}: ${formatType(type)}`).join(", ");
      throw new GraphError(`${operator}(${found}): ${(error as Error).message}`);
    }
    const result = { name: `v${this.count++}`, type };
    this.nodes.push({ operator, operands, attributes, result } as Node);
    return result;
  }

  add(a: Value, b: Value): Value {
    return this.apply("Add", [a, b]);
  }

  multiply(a: Value, b: Value): Value {
    return this.apply("Mul", [a, b]);
  }

  reshape(x: Value, shape: Shape): Value {
    return this.apply("Reshape", [x], { shape });
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.apply("Transpose", [x], { permutation });
  }

  /** Declares what a run returns under this name. */
  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  build(): Graph {
    return {
      inputs: this.inputs,
      constants: this.constants,
      nodes: this.nodes,
      outputs: this.outputs,
    };
  }
}

/** A stable listing of a graph, one primitive a line, for tests and logs. */
export function printGraph(graph: Graph): string {
  const lines = [
    ...graph.inputs.map(({ name, type }) => `input ${name}: ${formatType(type)}`),
    ...graph.constants.map((constant) => {
      const { name, type } = constant.value;
      const what = constant.kind === "weight" ? "weight" : `= ${constant.numbers.join(", ")}`;
      return `constant ${name}: ${formatType(type)} ${what}`;
    }),
    ...graph.nodes.map(({ operator, operands, attributes, result }) => {
      const settings = Object.entries(attributes as Record<string, unknown>).map(
        ([name, value]) => `${name}=${JSON.stringify(value)}`,
      );
      const inputs = [...operands.map(({ name }) => name), ...settings].join(", ");
      return `${result.name}: ${formatType(result.type)} = ${operator}(${inputs})`;
    }),
    ...graph.outputs.map(({ name, value }) => `output ${name} = ${value.name}`),
  ];
  return lines.join("\n");
}
