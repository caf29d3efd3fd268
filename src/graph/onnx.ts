import { relative, sep } from "node:path";
import type { TensorEntry } from "../checkpoint/checkpoint";
import { elementCount } from "../checkpoint/checkpoint";
import { isReadInPlace } from "../checkpoint/readTensor";
import type { Constant, Graph, NodeOf, Value } from "./graph";
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValueInfo } from "./onnxSchema";
import { encodeModel } from "./onnxSchema";
import type { Operator } from "./operators";
import type { ElementType } from "./types";
import { GraphError } from "./types";

/** An ONNX model, and the weights that must be handed over with it. */
export interface OnnxModelFile {
  readonly bytes: Uint8Array;
  /**
   * What the model expects under these paths, in the type of the graph. ONNX Runtime takes all weights
   * of a model from its files or none, so where one cannot be read in place, none is.
   */
  readonly handedOver: readonly { readonly path: string; readonly tensor: TensorEntry }[];
}

/**
 * Lowers a graph to an ONNX model. Plain weights stay where they are: an initializer names the file,
 * the offset and the length, and ONNX Runtime reads them from the checkpoint itself.
 *
 * @param weightsFolder folder that holds every weight file, directly or deeper; external data may
 *   not leave it
 */
export function toOnnx(graph: Graph, weightsFolder: string): OnnxModelFile {
  const isInPlace = graph.constants.every(
    (constant) => constant.kind !== "weight" || isReadInPlace(constant.tensor),
  );
  const lowering = new Lowering(isInPlace ? weightsFolder : undefined);
  for (const constant of graph.constants) lowering.addConstant(constant);
  for (const node of graph.nodes) lowering.addNode(node);
  // An output may be an input or be returned under two names, which ONNX does not allow directly.
  const output = graph.outputs.map(({ name, value }) => {
    lowering.emit("Identity", [value.name], name);
    return valueInfo({ name, type: value.type });
  });
  const bytes = encodeModel({
    irVersion: 10,
    producerName: "fathom",
    opsetImport: [{ domain: "", version: 21 }],
    graph: {
      name: "fathom",
      node: lowering.nodes,
      initializer: lowering.initializers,
      input: graph.inputs.map(valueInfo),
      output,
    },
  });
  return { bytes, handedOver: lowering.handedOver };
}

/** TensorProto.DataType. */
const elementTypes: Record<ElementType, number> = {
  float32: 1,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly handedOver: { path: string; tensor: TensorEntry }[] = [];
  private readonly integerLists = new Map<string, string>();
  private readonly scalars = new Set<string>();

  /** @param weightsFolder undefined: weights are handed over instead */
  constructor(private readonly weightsFolder: string | undefined) {}

  addConstant(constant: Constant): void {
    const { name, type } = constant.value;
    const shared = {
      name,
      dims: type.shape as number[],
      dataType: elementTypes[type.elementType],
    };
    if (constant.kind === "numbers") {
      const rawData = new Uint8Array(Float32Array.from(constant.numbers).buffer);
      this.initializers.push({ ...shared, rawData });
      return;
    }
    const { location, offset, length } = this.placeOf(constant.tensor);
    this.initializers.push({
      ...shared,
      dataLocation: 1,
      externalData: [
        { key: "location", value: location },
        { key: "offset", value: String(offset) },
        { key: "length", value: String(length) },
      ],
    });
  }

  private placeOf(tensor: TensorEntry): { location: string; offset: number; length: number } {
    const { file, offset, byteLength } = tensor;
    if (this.weightsFolder !== undefined) {
      const location = relative(this.weightsFolder, file).split(sep).join("/");
      return { location, offset, length: byteLength };
    }
    const path = `weights/${this.handedOver.length}`;
    this.handedOver.push({ path, tensor });
    const length = isReadInPlace(tensor) ? byteLength : 4 * elementCount(tensor.shape);
    return { location: path, offset: 0, length };
  }

  addNode<K extends Operator>(node: NodeOf<K>): void {
    lowerings[node.operator](this, node);
  }

  emit(opType: string, input: string[], output: string, attribute: OnnxAttribute[] = []): void {
    this.emitAll(opType, input, [output], attribute);
  }

  /** An operator with several results. */
  emitAll(
    opType: string,
    input: string[],
    output: string[],
    attribute: OnnxAttribute[] = [],
  ): void {
    this.nodes.push({ opType, input, output, attribute });
  }

  /** The name of a constant float32 scalar. */
  number(value: number): string {
    const name = `number_${value}`;
    if (!this.scalars.has(name)) {
      const rawData = new Uint8Array(Float32Array.of(value).buffer);
      this.initializers.push({ name, dims: [], dataType: elementTypes.float32, rawData });
      this.scalars.add(name);
    }
    return name;
  }

  /** The name of a constant int64 vector with these values. */
  integers(values: readonly number[]): string {
    const key = values.join("_");
    const known = this.integerLists.get(key);
    if (known !== undefined) return known;
    const name = `integers_${this.integerLists.size}`;
    this.initializers.push({
      name,
      dims: [values.length],
      dataType: elementTypes.int64,
      rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    });
    this.integerLists.set(key, name);
    return name;
  }
}

type LoweringRule<K extends Operator> = (lowering: Lowering, node: NodeOf<K>) => void;

/** How each primitive is written in ONNX operators of opset 21. */
const lowerings: { readonly [K in Operator]: LoweringRule<K> } = {
  Add: direct("Add"),
  Sub: direct("Sub"),
  Mul: direct("Mul"),
  Div: direct("Div"),
  Neg: direct("Neg"),
  Sqrt: direct("Sqrt"),
  Exp: direct("Exp"),
  Sigmoid: direct("Sigmoid"),
  Tanh: direct("Tanh"),
  Erf: direct("Erf"),
  Relu: direct("Relu"),
  Linear: (lowering, { operands: [x, weight], result }) => {
    // Gemm reads the weight as it is stored. A MatMul would need it transposed when the session is
    // built, which doubles the time of that and the peak of memory (measured on 4096 × 14336).
    const [rows, product, sizes, outer] = ["rows", "product", "sizes", "outer"].map(
      (part) => `${result.name}_${part}`,
    ) as [string, string, string, string];
    const [outputSize, inputSize] = weight!.type.shape as readonly [number, number];
    lowering.emit("Reshape", [x!.name, lowering.integers([-1, inputSize])], rows);
    lowering.emit("Gemm", [rows, weight!.name], product, [{ name: "transB", type: 2, i: 1 }]);
    lowering.emit("Shape", [x!.name], outer, [{ name: "end", type: 2, i: -1 }]);
    lowering.emit("Concat", [outer, lowering.integers([outputSize])], sizes, [
      { name: "axis", type: 2, i: 0 },
    ]);
    lowering.emit("Reshape", [product, sizes], result.name);
  },
  MatMul: direct("MatMul"),
  Softmax: direct("Softmax"),
  ReduceMean: reduction("ReduceMean"),
  ReduceSum: reduction("ReduceSum"),
  ReduceMax: reduction("ReduceMax"),
  Transpose: (lowering, { operands: [x], attributes: { permutation }, result }) => {
    lowering.emit("Transpose", [x!.name], result.name, [
      { name: "perm", type: 7, ints: [...permutation] },
    ]);
  },
  Reshape: (lowering, { operands: [x], attributes: { shape }, result }) => {
    // In ONNX a 0 copies the size at the same place, which is where our symbols stay.
    const sizes = shape.map((size) => (typeof size === "number" ? size : 0));
    lowering.emit("Reshape", [x!.name, lowering.integers(sizes)], result.name);
  },
  Slice: (lowering, { operands: [x], attributes: { axis, start, end }, result }) => {
    lowering.emit(
      "Slice",
      [x!.name, lowering.integers([start]), lowering.integers([end]), lowering.integers([axis])],
      result.name,
    );
  },
  Concat: (lowering, { operands, attributes: { axis }, result }) => {
    lowering.emit("Concat", operands.map(nameOf), result.name, [
      { name: "axis", type: 2, i: axis },
    ]);
  },
  ExpandLike: (lowering, { operands: [x, like], result }) => {
    const shape = `${result.name}_shape`;
    lowering.emit("Shape", [like!.name], shape);
    lowering.emit("Expand", [x!.name, shape], result.name);
  },
  Greater: direct("Greater"),
  TopKMask: (lowering, { operands: [x], attributes: { count }, result }) => {
    const part = (name: string): string => `${result.name}_${name}`;
    const [values, places, marks] = [part("values"), part("places"), part("marks")];
    const [sizes, none, chosen, ones] = [part("sizes"), part("none"), part("chosen"), part("ones")];
    lowering.emitAll("TopK", [x!.name, lowering.integers([count])], [values, places]);
    // Ones put where the greatest stand among zeros.
    lowering.emit("Shape", [x!.name], sizes);
    lowering.emit("Expand", [lowering.number(0), sizes], none);
    lowering.emit("Shape", [places], chosen);
    lowering.emit("Expand", [lowering.number(1), chosen], ones);
    lowering.emit("ScatterElements", [none, places, ones], marks, [
      { name: "axis", type: 2, i: -1 },
    ]);
    lowering.emit("Cast", [marks], result.name, [{ name: "to", type: 2, i: elementTypes.bool }]);
  },
  Where: direct("Where"),
  Cast: (lowering, { operands: [x], attributes: { to }, result }) => {
    lowering.emit("Cast", [x!.name], result.name, [{ name: "to", type: 2, i: elementTypes[to] }]);
  },
  Gather: direct("Gather"),
  GatherElements: (lowering, { operands, result }) => {
    lowering.emit("GatherElements", operands.map(nameOf), result.name, [
      { name: "axis", type: 2, i: -1 },
    ]);
  },
};

function direct<K extends Operator>(opType: string): LoweringRule<K> {
  return (lowering, { operands, result }) => {
    lowering.emit(opType, operands.map(nameOf), result.name);
  };
}

function reduction(opType: string): LoweringRule<"ReduceMean" | "ReduceSum" | "ReduceMax"> {
  return (lowering, { operands: [x], attributes: { axis }, result }) => {
    lowering.emit(opType, [x!.name, lowering.integers([axis])], result.name);
  };
}

function nameOf(value: Value): string {
  return value.name;
}

function valueInfo({ name, type }: Value): OnnxValueInfo {
  const elemType = elementTypes[type.elementType];
  if (type.elementType === "bfloat16") {
    throw new GraphError(`${name}: bfloat16 values cannot be fed or returned.`);
  }
  const dim = type.shape.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
