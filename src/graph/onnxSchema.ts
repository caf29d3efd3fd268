import protobuf from "protobufjs";

/**
 * The part of ONNX's protobuf schema that we write, with the field numbers of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (ONNX 1.17, IR version 10).
 */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: { id: 1, type: "int64" },
        producerName: { id: 2, type: "string" },
        graph: { id: 7, type: "GraphProto" },
        opsetImport: { id: 8, type: "OperatorSetIdProto", rule: "repeated" },
      },
    },
    OperatorSetIdProto: {
      fields: { domain: { id: 1, type: "string" }, version: { id: 2, type: "int64" } },
    },
    GraphProto: {
      fields: {
        node: { id: 1, type: "NodeProto", rule: "repeated" },
        name: { id: 2, type: "string" },
        initializer: { id: 5, type: "TensorProto", rule: "repeated" },
        input: { id: 11, type: "ValueInfoProto", rule: "repeated" },
        output: { id: 12, type: "ValueInfoProto", rule: "repeated" },
      },
    },
    NodeProto: {
      fields: {
        input: { id: 1, type: "string", rule: "repeated" },
        output: { id: 2, type: "string", rule: "repeated" },
        name: { id: 3, type: "string" },
        opType: { id: 4, type: "string" },
        attribute: { id: 5, type: "AttributeProto", rule: "repeated" },
      },
    },
    AttributeProto: {
      fields: {
        name: { id: 1, type: "string" },
        i: { id: 3, type: "int64" },
        ints: { id: 8, type: "int64", rule: "repeated", options: { packed: false } },
        type: { id: 20, type: "int32" },
      },
    },
    TensorProto: {
      fields: {
        dims: { id: 1, type: "int64", rule: "repeated", options: { packed: false } },
        dataType: { id: 2, type: "int32" },
        name: { id: 8, type: "string" },
        rawData: { id: 9, type: "bytes" },
        externalData: { id: 13, type: "StringStringEntryProto", rule: "repeated" },
        dataLocation: { id: 14, type: "int32" },
      },
    },
    StringStringEntryProto: {
      fields: { key: { id: 1, type: "string" }, value: { id: 2, type: "string" } },
    },
    ValueInfoProto: {
      fields: { name: { id: 1, type: "string" }, type: { id: 2, type: "TypeProto" } },
    },
    TypeProto: { fields: { tensorType: { id: 1, type: "TensorTypeProto" } } },
    TensorTypeProto: {
      fields: { elemType: { id: 1, type: "int32" }, shape: { id: 2, type: "TensorShapeProto" } },
    },
    TensorShapeProto: { fields: { dim: { id: 1, type: "DimensionProto", rule: "repeated" } } },
    DimensionProto: {
      fields: { dimValue: { id: 1, type: "int64" }, dimParam: { id: 2, type: "string" } },
    },
  },
});

const modelProto = root.lookupType("ModelProto");

export interface OnnxNode {
  opType: string;
  input: string[];
  output: string[];
  attribute: OnnxAttribute[];
}

/** AttributeProto.AttributeType: 2 is INT, 7 is INTS. */
export type OnnxAttribute =
  { name: string; type: 2; i: number } | { name: string; type: 7; ints: number[] };

export interface OnnxTensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData?: Uint8Array;
  externalData?: { key: string; value: string }[];
  /** TensorProto.DataLocation: 1 is EXTERNAL. */
  dataLocation?: 1;
}

export interface OnnxValueInfo {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: ({ dimValue: number } | { dimParam: string })[] };
    };
  };
}

export interface OnnxModel {
  irVersion: number;
  producerName: string;
  opsetImport: { domain: string; version: number }[];
  graph: {
    name: string;
    node: OnnxNode[];
    initializer: OnnxTensor[];
    input: OnnxValueInfo[];
    output: OnnxValueInfo[];
  };
}

/** Serializes a model to the bytes ONNX Runtime reads. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelProto.encode(modelProto.fromObject(model)).finish();
}
