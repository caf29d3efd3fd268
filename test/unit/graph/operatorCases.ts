/** What every primitive must do, by hand. A primitive without a row does not compile. */
import type { Attributes, Operator } from "../../../src/graph/operators";
import type { ElementType, ValueType } from "../../../src/graph/types";
import type { Numbers } from "../support/interpreter";

export interface Operand extends Numbers {
  readonly elementType: ElementType;
}

export interface OperatorCase<K extends Operator> {
  readonly accepts: readonly Typing<K>[];
  readonly rejects: readonly (Omit<Typing<K>, "result"> & { because: RegExp })[];
  /** A run whose result was worked out by hand. */
  readonly example: {
    readonly operands: readonly Operand[];
    readonly attributes: Attributes[K];
    readonly result: readonly number[];
  };
  /** At the example: tangents of some operands, and the result's tangent worked out by hand. */
  readonly derivatives:
    | "none"
    /** It is constant almost everywhere, so what comes of it does not depend on x. */
    | "constant"
    | readonly {
        readonly tangents: Readonly<Record<number, readonly number[]>>;
        readonly result: readonly number[];
      }[];
  /** Shapes of the operands in random runs besides the example's. */
  readonly shapes?: readonly (readonly (readonly number[])[])[];
  /** Where random operands come from; (−1.5, 1.5) unless stated. */
  readonly range?: readonly [number, number];
}

interface Typing<K extends Operator> {
  readonly operands: readonly ValueType[];
  readonly attributes: Attributes[K];
  readonly result: ValueType;
}

/** `float32[batch, 3]` as a type. */
export function type(text: string): ValueType {
  const [, elementType, shape] = /^(\w+)\[(.*)\]$/.exec(text)!;
  return {
    elementType: elementType as ElementType,
    shape: shape === "" ? [] : shape!.split(", ").map((size) => (/^\d/.test(size) ? +size : size)),
  };
}

const types = (...texts: readonly string[]): ValueType[] => texts.map(type);
const float = (shape: readonly number[], ...data: number[]): Operand => ({
  elementType: "float32",
  shape,
  data,
});
const integers = (shape: readonly number[], ...data: number[]): Operand => ({
  elementType: "int64",
  shape,
  data,
});
const truths = (shape: readonly number[], ...data: (0 | 1)[]): Operand => ({
  elementType: "bool",
  shape,
  data,
});

const broadcastShapes = [
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 2]],
  [[3, 2], []],
];

const elementwiseTyping = (operands: 1 | 2) => ({
  accepts: [
    {
      operands: types(...["float32[batch, 3]", "float32[3]"].slice(0, operands)),
      attributes: {},
      result: type("float32[batch, 3]"),
    },
  ],
  rejects: [
    {
      operands: types(...["int64[batch, 3]", "int64[3]"].slice(0, operands)),
      attributes: {},
      because: /all are float32, found int64\[batch, 3\]/,
    },
    ...(operands === 1
      ? []
      : [
          {
            operands: types("float32[2, 3]", "float32[2]"),
            attributes: {},
            because: /Shapes \[2, 3\] and \[2\] do not broadcast/,
          },
        ]),
  ],
});

const reductionTyping = {
  accepts: [
    {
      operands: types("float32[batch, 4]"),
      attributes: { axis: -1 },
      result: type("float32[batch, 1]"),
    },
    {
      operands: types("float32[batch, 4]"),
      attributes: { axis: -2 },
      result: type("float32[1, 4]"),
    },
  ],
  rejects: [
    {
      operands: types("float32[batch, 4]"),
      attributes: { axis: -3 },
      because: /axis -3 exists, found float32\[batch, 4\]/,
    },
    { operands: types("float32[4]"), attributes: { axis: 0 }, because: /axis 0 exists/ },
    { operands: types("int64[4]"), attributes: { axis: -1 }, because: /all are float32/ },
  ],
};

export const operatorCases: { readonly [K in Operator]: OperatorCase<K> } = {
  Add: {
    ...elementwiseTyping(2),
    example: { operands: [float([2], 1, 2), float([1], 5)], attributes: {}, result: [6, 7] },
    derivatives: [
      { tangents: { 0: [10, 20], 1: [3] }, result: [13, 23] },
      { tangents: { 1: [3] }, result: [3, 3] },
    ],
    shapes: broadcastShapes,
  },
  Sub: {
    ...elementwiseTyping(2),
    example: { operands: [float([2], 1, 2), float([1], 5)], attributes: {}, result: [-4, -3] },
    derivatives: [
      { tangents: { 0: [10, 20], 1: [3] }, result: [7, 17] },
      { tangents: { 0: [10, 20] }, result: [10, 20] },
      { tangents: { 1: [3] }, result: [-3, -3] },
    ],
    shapes: broadcastShapes,
  },
  Mul: {
    ...elementwiseTyping(2),
    example: { operands: [float([2], 1, 2), float([1], 5)], attributes: {}, result: [5, 10] },
    // ȧ b + a ḃ
    derivatives: [
      { tangents: { 0: [10, 20], 1: [3] }, result: [53, 106] },
      { tangents: { 1: [3] }, result: [3, 6] },
    ],
    shapes: broadcastShapes,
  },
  Div: {
    ...elementwiseTyping(2),
    example: { operands: [float([2], 6, 8), float([1], 2)], attributes: {}, result: [3, 4] },
    // (ȧ − y ḃ) / b
    derivatives: [
      { tangents: { 0: [1, 1], 1: [3] }, result: [-4, -5.5] },
      { tangents: { 0: [1, 1] }, result: [0.5, 0.5] },
      { tangents: { 1: [3] }, result: [-4.5, -6] },
    ],
    shapes: broadcastShapes,
    range: [0.5, 2],
  },
  Neg: {
    ...elementwiseTyping(1),
    example: { operands: [float([2], 1, -2)], attributes: {}, result: [-1, 2] },
    derivatives: [{ tangents: { 0: [3, 4] }, result: [-3, -4] }],
  },
  Sqrt: {
    ...elementwiseTyping(1),
    example: { operands: [float([2], 4, 9)], attributes: {}, result: [2, 3] },
    // ẋ / (2 √x)
    derivatives: [{ tangents: { 0: [8, 3] }, result: [2, 0.5] }],
    range: [0.5, 2],
  },
  Exp: {
    ...elementwiseTyping(1),
    example: { operands: [float([2], 0, Math.LN2)], attributes: {}, result: [1, 2] },
    derivatives: [{ tangents: { 0: [3, 5] }, result: [3, 10] }],
  },
  Sigmoid: {
    ...elementwiseTyping(1),
    example: { operands: [float([2], 0, Math.log(3))], attributes: {}, result: [0.5, 0.75] },
    // y (1 − y) ẋ
    derivatives: [{ tangents: { 0: [4, 16] }, result: [1, 3] }],
  },
  Tanh: {
    ...elementwiseTyping(1),
    // tanh(ln 2) = (2 − ½) / (2 + ½)
    example: { operands: [float([2], 0, Math.LN2)], attributes: {}, result: [0, 0.6] },
    // (1 − y²) ẋ
    derivatives: [{ tangents: { 0: [4, 25] }, result: [4, 16] }],
  },
  Erf: {
    ...elementwiseTyping(1),
    example: { operands: [float([2], 0, 1)], attributes: {}, result: [0, 0.8427007929497149] },
    // (2/√π) e^{−x²} ẋ
    derivatives: [
      { tangents: { 0: [1, 1] }, result: [1.1283791670955126, 1.1283791670955126 / Math.E] },
    ],
  },
  Relu: {
    ...elementwiseTyping(1),
    example: { operands: [float([3], -2, -1, 3)], attributes: {}, result: [0, 0, 3] },
    // ẋ where x > 0
    derivatives: [{ tangents: { 0: [5, 6, 7] }, result: [0, 0, 7] }],
  },
  Linear: {
    accepts: [
      {
        operands: types("float32[batch, sequence, 4]", "float32[6, 4]"),
        attributes: {},
        result: type("float32[batch, sequence, 6]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[batch, 4]", "float32[4, 6]"),
        attributes: {},
        because: /share the inner size, found float32\[batch, 4\], float32\[4, 6\]/,
      },
      {
        operands: types("float32[batch, 4]", "float32[4]"),
        attributes: {},
        because: /the weight has two axes/,
      },
      {
        operands: types("float32[batch, 4]", "bfloat16[6, 4]"),
        attributes: {},
        because: /all are float32, found bfloat16\[6, 4\]/,
      },
    ],
    example: {
      operands: [float([1, 2], 3, 4), float([3, 2], 1, 0, 0, 1, 1, 2)],
      attributes: {},
      result: [3, 4, 11],
    },
    derivatives: [{ tangents: { 0: [10, 100] }, result: [10, 100, 210] }],
    shapes: [
      [
        [2, 2, 3],
        [4, 3],
      ],
    ],
  },
  MatMul: {
    accepts: [
      {
        operands: types("float32[batch, 2, 1, sequence, 4]", "float32[batch, 2, 3, 4, sequence]"),
        attributes: {},
        result: type("float32[batch, 2, 3, sequence, sequence]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2, 3]", "float32[2, 3]"),
        attributes: {},
        because: /the inner sizes agree, found float32\[2, 3\], float32\[2, 3\]/,
      },
      {
        operands: types("float32[3]", "float32[3, 2]"),
        attributes: {},
        because: /both have two axes or more/,
      },
      {
        operands: types("float32[2, 4, 3]", "float32[5, 3, 4]"),
        attributes: {},
        because: /Shapes \[2\] and \[5\] do not broadcast/,
      },
      {
        operands: types("float16[2, 3]", "float16[3, 2]"),
        attributes: {},
        because: /all are float32/,
      },
    ],
    example: {
      operands: [float([2, 2], 1, 2, 3, 4), float([2, 1], 5, 6)],
      attributes: {},
      result: [17, 39],
    },
    // ȧ b + a ḃ
    derivatives: [
      { tangents: { 0: [1, 0, 0, 1], 1: [1, 1] }, result: [5 + 3, 6 + 7] },
      { tangents: { 0: [1, 0, 0, 1] }, result: [5, 6] },
      { tangents: { 1: [1, 1] }, result: [3, 7] },
    ],
    shapes: [
      [
        [2, 1, 2, 3],
        [2, 2, 3, 2],
      ],
      [
        [2, 3],
        [2, 3, 2],
      ],
    ],
  },
  Softmax: {
    accepts: [
      {
        operands: types("float32[batch, sequence]"),
        attributes: {},
        result: type("float32[batch, sequence]"),
      },
    ],
    rejects: [
      { operands: types("bool[2]"), attributes: {}, because: /all are float32/ },
      { operands: types("float32[]"), attributes: {}, because: /an axis to sum over/ },
    ],
    example: { operands: [float([1, 2], 0, Math.log(3))], attributes: {}, result: [0.25, 0.75] },
    // y ⊙ (ẋ − Σ y ⊙ ẋ): Σ = 0.25·4 + 0.75·8 = 7
    derivatives: [{ tangents: { 0: [4, 8] }, result: [-0.75, 0.75] }],
    shapes: [[[2, 3, 4]]],
  },
  ReduceMean: {
    ...reductionTyping,
    example: { operands: [float([2, 2], 1, 3, 5, 9)], attributes: { axis: -1 }, result: [2, 7] },
    derivatives: [{ tangents: { 0: [2, 4, 6, 8] }, result: [3, 7] }],
    shapes: [[[2, 3, 4]]],
  },
  ReduceSum: {
    ...reductionTyping,
    example: { operands: [float([2, 2], 1, 3, 5, 9)], attributes: { axis: -2 }, result: [6, 12] },
    derivatives: [{ tangents: { 0: [2, 4, 6, 8] }, result: [8, 12] }],
    shapes: [[[2, 3, 4]]],
  },
  ReduceMax: {
    ...reductionTyping,
    example: { operands: [float([2, 2], 1, 3, 9, 5)], attributes: { axis: -1 }, result: [3, 9] },
    derivatives: "none",
    shapes: [[[2, 3, 4]]],
  },
  Transpose: {
    accepts: [
      {
        operands: types("float32[batch, sequence, 4]"),
        attributes: { permutation: [0, 2, 1] },
        result: type("float32[batch, 4, sequence]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2, 3]"),
        attributes: { permutation: [0, 0] },
        because: /\[0, 0\] permutes the axes, found float32\[2, 3\]/,
      },
      {
        operands: types("float32[2, 3]"),
        attributes: { permutation: [0] },
        because: /permutes the axes/,
      },
    ],
    example: {
      operands: [float([1, 2, 3], 1, 2, 3, 4, 5, 6)],
      attributes: { permutation: [2, 0, 1] },
      result: [1, 4, 2, 5, 3, 6],
    },
    derivatives: [{ tangents: { 0: [6, 5, 4, 3, 2, 1] }, result: [6, 3, 5, 2, 4, 1] }],
  },
  Reshape: {
    accepts: [
      {
        operands: types("float32[batch, sequence, 12]"),
        attributes: { shape: ["batch", "sequence", 3, 4] },
        result: type("float32[batch, sequence, 3, 4]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[batch, 12]"),
        attributes: { shape: ["batch", 3, 5] },
        because: /\[batch, 3, 5\] holds the same elements/,
      },
      {
        operands: types("float32[batch, 12]"),
        attributes: { shape: [12, "batch"] },
        because: /symbols in place, found float32\[batch, 12\]/,
      },
      {
        operands: types("float32[batch, 12]"),
        attributes: { shape: [12] },
        because: /symbols in place/,
      },
    ],
    example: {
      operands: [float([2, 2], 1, 2, 3, 4)],
      attributes: { shape: [4, 1] },
      result: [1, 2, 3, 4],
    },
    derivatives: [{ tangents: { 0: [5, 6, 7, 8] }, result: [5, 6, 7, 8] }],
  },
  Slice: {
    accepts: [
      {
        operands: types("float32[batch, 6]"),
        attributes: { axis: -1, start: 2, end: 6 },
        result: type("float32[batch, 4]"),
      },
      // A symbol stands for at least one.
      {
        operands: types("float32[batch, 6]"),
        attributes: { axis: -2, start: 0, end: 1 },
        result: type("float32[1, 6]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[batch, 6]"),
        attributes: { axis: -1, start: 2, end: 7 },
        because: /\[2, 7\) lies within axis -1, found float32\[batch, 6\]/,
      },
      {
        operands: types("float32[batch, 6]"),
        attributes: { axis: -1, start: 2, end: 2 },
        because: /lies within/,
      },
      {
        operands: types("float32[batch, 6]"),
        attributes: { axis: -2, start: 0, end: 2 },
        because: /lies within/,
      },
      {
        operands: types("float32[6]"),
        attributes: { axis: 0, start: 0, end: 2 },
        because: /lies within/,
      },
    ],
    example: {
      operands: [float([2, 3], 1, 2, 3, 4, 5, 6)],
      attributes: { axis: -1, start: 1, end: 3 },
      result: [2, 3, 5, 6],
    },
    derivatives: [{ tangents: { 0: [6, 5, 4, 3, 2, 1] }, result: [5, 4, 2, 1] }],
  },
  Concat: {
    accepts: [
      {
        operands: types("float32[batch, 2]", "float32[batch, 3]"),
        attributes: { axis: -1 },
        result: type("float32[batch, 5]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2, batch]", "float32[3, batch]"),
        attributes: { axis: -1 },
        because: /axis -1 is known/,
      },
      {
        operands: types("float32[2, 2]", "float32[3, 2]"),
        attributes: { axis: -1 },
        because: /all are alike but for axis -1, found float32\[2, 2\], float32\[3, 2\]/,
      },
      {
        operands: types("float32[2]", "int64[2]"),
        attributes: { axis: -1 },
        because: /all are alike/,
      },
    ],
    example: {
      operands: [float([2, 1], 1, 2), float([2, 2], 3, 4, 5, 6)],
      attributes: { axis: -1 },
      result: [1, 3, 4, 2, 5, 6],
    },
    derivatives: [
      { tangents: { 0: [9, 8], 1: [7, 6, 5, 4] }, result: [9, 7, 6, 8, 5, 4] },
      { tangents: { 0: [9, 8] }, result: [9, 0, 0, 8, 0, 0] },
      { tangents: { 1: [7, 6, 5, 4] }, result: [0, 7, 6, 0, 5, 4] },
    ],
  },
  ExpandLike: {
    accepts: [
      {
        operands: types("float32[1, 3]", "float32[batch, 1]"),
        attributes: {},
        result: type("float32[batch, 3]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2, 3]", "float32[2, 4]"),
        attributes: {},
        because: /Shapes \[2, 3\] and \[2, 4\] do not broadcast/,
      },
    ],
    example: {
      operands: [float([1, 2], 1, 2), float([2, 1], 8, 9)],
      attributes: {},
      result: [1, 2, 1, 2],
    },
    derivatives: [{ tangents: { 0: [3, 4] }, result: [3, 4, 3, 4] }],
  },
  Greater: {
    accepts: [
      {
        operands: types("float32[batch, 3]", "float32[]"),
        attributes: {},
        result: type("bool[batch, 3]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2]", "int64[2]"),
        attributes: {},
        because: /all are float32/,
      },
    ],
    example: {
      operands: [float([3], 1, 2, 3), float([], 2)],
      attributes: {},
      result: [0, 0, 1],
    },
    derivatives: "constant",
  },
  TopKMask: {
    accepts: [
      {
        operands: types("float32[batch, 3]"),
        attributes: { count: 3 },
        result: type("bool[batch, 3]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[batch, 3]"),
        attributes: { count: 4 },
        because: /the innermost axis holds 4 elements or more, found float32\[batch, 3\]/,
      },
      { operands: types("float32[3, batch]"), attributes: { count: 1 }, because: /holds 1/ },
      { operands: types("int64[3]"), attributes: { count: 1 }, because: /all are float32/ },
    ],
    example: {
      // Of equals the first is taken.
      operands: [float([2, 4], 1, 7, 3, 5, 2, 2, -1, 2)],
      attributes: { count: 2 },
      result: [0, 1, 0, 1, 1, 1, 0, 0],
    },
    derivatives: "constant",
    shapes: [[[5]], [[2, 3, 4]]],
  },
  Where: {
    accepts: [
      {
        operands: types("bool[batch, 1]", "float32[batch, 3]", "float32[]"),
        attributes: {},
        result: type("float32[batch, 3]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[2]", "float32[2]", "float32[2]"),
        attributes: {},
        because: /the condition is bool, found float32\[2\]/,
      },
      {
        operands: types("bool[2]", "float32[2]", "int64[2]"),
        attributes: {},
        because: /both choices are of one type/,
      },
    ],
    example: {
      operands: [truths([2, 1], 1, 0), float([2, 2], 1, 2, 3, 4), float([2], 5, 6)],
      attributes: {},
      result: [1, 2, 5, 6],
    },
    derivatives: [
      { tangents: { 1: [10, 20, 30, 40], 2: [50, 60] }, result: [10, 20, 50, 60] },
      { tangents: { 1: [10, 20, 30, 40] }, result: [10, 20, 0, 0] },
      { tangents: { 2: [50, 60] }, result: [0, 0, 50, 60] },
    ],
  },
  Cast: {
    accepts: [
      {
        operands: types("bfloat16[3, batch]"),
        attributes: { to: "float32" },
        result: type("float32[3, batch]"),
      },
    ],
    // Every element type can be cast to every other.
    rejects: [],
    example: { operands: [float([2], 1.5, 2)], attributes: { to: "float32" }, result: [1.5, 2] },
    derivatives: [{ tangents: { 0: [3, 4] }, result: [3, 4] }],
  },
  Gather: {
    accepts: [
      {
        operands: types("bfloat16[72, 24]", "int64[batch, sequence]"),
        attributes: {},
        result: type("bfloat16[batch, sequence, 24]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[72, 24]", "float32[batch]"),
        attributes: {},
        because: /the indices are int64, found float32\[batch\]/,
      },
    ],
    example: {
      operands: [float([3, 2], 1, 2, 3, 4, 5, 6), integers([2], 2, 0)],
      attributes: {},
      result: [5, 6, 1, 2],
    },
    derivatives: "none",
  },
  GatherElements: {
    accepts: [
      {
        operands: types("float32[rows, 72]", "int64[rows, 1]"),
        attributes: {},
        result: type("float32[rows, 1]"),
      },
    ],
    rejects: [
      {
        operands: types("float32[rows, 72]", "bool[rows, 1]"),
        attributes: {},
        because: /the indices are int64/,
      },
      {
        operands: types("float32[2, 72]", "int64[3, 1]"),
        attributes: {},
        because: /the operand's outer axes, found float32\[2, 72\], int64\[3, 1\]/,
      },
    ],
    example: {
      operands: [float([2, 3], 1, 2, 3, 4, 5, 6), integers([2, 1], 2, 0)],
      attributes: {},
      result: [3, 4],
    },
    derivatives: "none",
  },
};
