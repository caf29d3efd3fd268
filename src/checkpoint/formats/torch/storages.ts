import type { DataType } from "../../dataType";

/** The numbers of one or several tensors, as a pickle refers to them. */
export class StorageReference {
  constructor(
    readonly key: string,
    /** Undefined where it is bytes, and each tensor states what they are. */
    readonly dataType: DataType | undefined,
    /** Elements, or bytes where it has no type. */
    readonly elements: number,
    /** First element of it, where it is itself a part of the stored one. */
    readonly start: number,
  ) {}
}

/** The element types of storages, by the name of their class without `Storage` (torch/storage.py). */
export const storageTypes: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ["Double", "F64"],
  ["Float", "F32"],
  ["Half", "F16"],
  ["BFloat16", "BF16"],
  ["Long", "I64"],
  ["Int", "I32"],
  ["Short", "I16"],
  ["Char", "I8"],
  ["Byte", "U8"],
  ["Bool", "BOOL"],
  ["ComplexFloat", "C64"],
  ["ComplexDouble", "C128"],
  ["QInt8", "I8"],
  ["QUInt8", "U8"],
  ["QInt32", "I32"],
  ["QUInt4x2", "QUINT4X2"],
  ["QUInt2x4", "QUINT2X4"],
]);

/** The element types of tensors that name their own, by the name of PyTorch's dtype. */
export const torchTypes: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ["float64", "F64"],
  ["double", "F64"],
  ["float32", "F32"],
  ["float", "F32"],
  ["float16", "F16"],
  ["half", "F16"],
  ["bfloat16", "BF16"],
  ["float8_e4m3fn", "F8_E4M3"],
  ["float8_e5m2", "F8_E5M2"],
  ["float8_e4m3fnuz", "F8_E4M3FNUZ"],
  ["float8_e5m2fnuz", "F8_E5M2FNUZ"],
  ["float8_e8m0fnu", "F8_E8M0"],
  ["int64", "I64"],
  ["long", "I64"],
  ["int32", "I32"],
  ["int", "I32"],
  ["int16", "I16"],
  ["short", "I16"],
  ["int8", "I8"],
  ["uint8", "U8"],
  ["uint16", "U16"],
  ["uint32", "U32"],
  ["uint64", "U64"],
  ["bool", "BOOL"],
  ["complex32", "C32"],
  ["complex64", "C64"],
  ["complex128", "C128"],
  ["float4_e2m1fn_x2", "F4_E2M1_X2"],
  ["uint1", "U1"],
  ["uint2", "U2"],
  ["uint3", "U3"],
  ["uint4", "U4"],
  ["uint5", "U5"],
  ["uint6", "U6"],
  ["uint7", "U7"],
  ["int1", "I1"],
  ["int2", "I2"],
  ["int3", "I3"],
  ["int4", "I4"],
  ["int5", "I5"],
  ["int6", "I6"],
  ["int7", "I7"],
  ["bits1x8", "BITS1X8"],
  ["bits2x4", "BITS2X4"],
  ["bits4x2", "BITS4X2"],
  ["bits8", "BITS8"],
  ["bits16", "BITS16"],
  ["quint4x2", "QUINT4X2"],
  ["quint2x4", "QUINT2X4"],
]);
