/** Writes .npy files as NumPy does, apart from the code under test. */

export interface NpyOptions {
  /** Of the format; from 2 on the header's length takes four bytes. */
  readonly version?: number;
  readonly isFortran?: boolean;
}

/** @param shape as Python writes a tuple: `(2, 3)` */
export function encodeNpy(
  descr: string,
  shape: string,
  data: Uint8Array,
  { version = 1, isFortran = false }: NpyOptions = {},
): Buffer {
  const order = isFortran ? "True" : "False";
  const header = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const padded = header.padEnd(128 - 8 - lengthBytes - 1) + "\n";
  const start = Buffer.alloc(8 + lengthBytes);
  start.write("\x93NUMPY", "latin1");
  start.writeUInt8(version, 6);
  start.writeUIntLE(padded.length, 8, lengthBytes);
  return Buffer.concat([start, Buffer.from(padded, "latin1"), data]);
}
