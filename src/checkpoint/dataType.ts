/** Element types a safetensors file can name; `supported` ones can be computed with. */
export type DataType = keyof typeof dataTypes;

/** Bits of one element, and whether the engine can read it as a floating-point weight. */
export const dataTypes = {
  F64: { bits: 64, supported: false },
  F32: { bits: 32, supported: true },
  F16: { bits: 16, supported: true },
  BF16: { bits: 16, supported: true },
  F8_E4M3: { bits: 8, supported: false },
  F8_E5M2: { bits: 8, supported: false },
  F8_E8M0: { bits: 8, supported: false },
  F4: { bits: 4, supported: false },
  F6_E2M3: { bits: 6, supported: false },
  F6_E3M2: { bits: 6, supported: false },
  I64: { bits: 64, supported: false },
  I32: { bits: 32, supported: false },
  I16: { bits: 16, supported: false },
  I8: { bits: 8, supported: false },
  U64: { bits: 64, supported: false },
  U32: { bits: 32, supported: false },
  U16: { bits: 16, supported: false },
  U8: { bits: 8, supported: false },
  BOOL: { bits: 8, supported: false },
  C64: { bits: 64, supported: false },
} as const;

/** Whether a string from a file names an element type. */
export function isDataType(name: string): name is DataType {
  return Object.hasOwn(dataTypes, name);
}

/** Whether every bit pattern of these bytes is a finite number of the type (F32, F16 or BF16). */
export function isAllFinite(bytes: Uint8Array, dataType: DataType): boolean {
  // A floating-point number is infinite or not a number exactly when all exponent bits are set.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const finite = {
    F32: () => every32(view, 0x7f800000),
    F16: () => every16(view, 0x7c00),
    BF16: () => every16(view, 0x7f80),
  } as Partial<Record<DataType, () => boolean>>;
  return finite[dataType]?.() ?? true;
}

function every16(view: DataView, exponent: number): boolean {
  for (let at = 0; at + 2 <= view.byteLength; at += 2) {
    if ((view.getUint16(at, true) & exponent) === exponent) return false;
  }
  return true;
}

function every32(view: DataView, exponent: number): boolean {
  for (let at = 0; at + 4 <= view.byteLength; at += 4) {
    if ((view.getUint32(at, true) & exponent) === exponent) return false;
  }
  return true;
}
