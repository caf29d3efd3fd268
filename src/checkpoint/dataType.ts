/** Element types that a checkpoint can name. */
export type DataType = keyof typeof dataTypes;

interface Stored {
  /** Bits of one element, or of one block where several are stored together. */
  readonly bits: number;
  /** Elements that are stored together, along the innermost axis; absent: 1. */
  readonly block?: number;
  /**
   * How it serves as a weight: read by the engine `inPlace`, or `converted` to float32 first; absent:
   * it holds no weights.
   */
  readonly weight?: "inPlace" | "converted";
}

export const dataTypes = {
  F64: { bits: 64, weight: "converted" },
  F32: { bits: 32, weight: "inPlace" },
  F16: { bits: 16, weight: "inPlace" },
  BF16: { bits: 16, weight: "inPlace" },
  F8_E4M3: { bits: 8, weight: "converted" },
  F8_E5M2: { bits: 8, weight: "converted" },
  F8_E4M3FNUZ: { bits: 8, weight: "converted" },
  F8_E5M2FNUZ: { bits: 8, weight: "converted" },
  F8_E8M0: { bits: 8 },
  F4: { bits: 4 },
  F6_E2M3: { bits: 6 },
  F6_E3M2: { bits: 6 },
  I64: { bits: 64 },
  I32: { bits: 32 },
  I16: { bits: 16 },
  I8: { bits: 8 },
  U64: { bits: 64 },
  U32: { bits: 32 },
  U16: { bits: 16 },
  U8: { bits: 8 },
  BOOL: { bits: 8 },
  C32: { bits: 32 },
  C64: { bits: 64 },
  C128: { bits: 128 },
} as const satisfies Record<string, Stored>;

/** Whether a string from a file names an element type. */
export function isDataType(name: string): name is DataType {
  return Object.hasOwn(dataTypes, name);
}

/** The row of the table, with every column a row may leave out. */
export function stored(dataType: DataType): Stored {
  return dataTypes[dataType];
}

/** Bytes that this many elements, a whole number of blocks, take. */
export function bytesOf(dataType: DataType, elements: number): number {
  const { bits, block = 1 } = stored(dataType);
  return Math.ceil((elements / block) * (bits / 8));
}
