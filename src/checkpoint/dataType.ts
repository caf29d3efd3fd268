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
  // PyTorch's for kernels of quantised models: each element takes whole bytes, several numbers or one.
  U1: { bits: 8 },
  U2: { bits: 8 },
  U3: { bits: 8 },
  U4: { bits: 8 },
  U5: { bits: 8 },
  U6: { bits: 8 },
  U7: { bits: 8 },
  I1: { bits: 8 },
  I2: { bits: 8 },
  I3: { bits: 8 },
  I4: { bits: 8 },
  I5: { bits: 8 },
  I6: { bits: 8 },
  I7: { bits: 8 },
  F4_E2M1_X2: { bits: 8 },
  BITS1X8: { bits: 8 },
  BITS2X4: { bits: 8 },
  BITS4X2: { bits: 8 },
  BITS8: { bits: 8 },
  BITS16: { bits: 16 },
  // Its quantised ones of less than a byte: several elements share one.
  QUINT4X2: { bits: 4 },
  QUINT2X4: { bits: 2 },
  /** 8-bit integers that mean nothing without the factor of their group, as llama2.c's version 2 has. */
  I8_GROUPS: { bits: 8, weight: "converted" },
  // Blocks of ggml, named and laid out as in its ggml-common.h.
  Q4_0: { bits: 8 * 18, block: 32, weight: "converted" },
  Q4_1: { bits: 8 * 20, block: 32, weight: "converted" },
  Q5_0: { bits: 8 * 22, block: 32, weight: "converted" },
  Q5_1: { bits: 8 * 24, block: 32, weight: "converted" },
  Q8_0: { bits: 8 * 34, block: 32, weight: "converted" },
  Q2_K: { bits: 8 * 84, block: 256, weight: "converted" },
  Q3_K: { bits: 8 * 110, block: 256, weight: "converted" },
  Q4_K: { bits: 8 * 144, block: 256, weight: "converted" },
  Q5_K: { bits: 8 * 176, block: 256, weight: "converted" },
  Q6_K: { bits: 8 * 210, block: 256, weight: "converted" },
  IQ4_NL: { bits: 8 * 18, block: 32, weight: "converted" },
  Q8_1: { bits: 8 * 36, block: 32 },
  Q8_K: { bits: 8 * 292, block: 256 },
  IQ2_XXS: { bits: 8 * 66, block: 256 },
  IQ2_XS: { bits: 8 * 74, block: 256 },
  IQ2_S: { bits: 8 * 82, block: 256 },
  IQ3_XXS: { bits: 8 * 98, block: 256 },
  IQ3_S: { bits: 8 * 110, block: 256 },
  IQ1_S: { bits: 8 * 50, block: 256 },
  IQ1_M: { bits: 8 * 56, block: 256 },
  IQ4_XS: { bits: 8 * 136, block: 256 },
  TQ1_0: { bits: 8 * 54, block: 256 },
  TQ2_0: { bits: 8 * 66, block: 256 },
  MXFP4: { bits: 8 * 17, block: 32 },
} as const satisfies Record<string, Stored>;

/** The row of the table, with every column a row may leave out. */
export function stored(dataType: DataType): Stored {
  return dataTypes[dataType];
}

/** Bytes that this many elements, a whole number of blocks, take. */
export function bytesOf(dataType: DataType, elements: number): number {
  const { bits, block = 1 } = stored(dataType);
  return Math.ceil((elements / block) * (bits / 8));
}
