/** Writes and reads safetensors files, apart from the code under test. */
import { readFileSync, writeFileSync } from "node:fs";

export interface StoredTensor {
  dtype: string;
  shape: number[];
  data: Uint8Array;
}

export type StoredTensors = Map<string, StoredTensor>;

/** A file from any header, valid or not: 8 bytes of little-endian length, the header, the data. */
export function framed(
  header: unknown,
  data: Uint8Array = new Uint8Array(0),
  statedLength?: bigint,
): Buffer {
  const text =
    header instanceof Uint8Array
      ? Buffer.from(header)
      : Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(statedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

export function encodeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata?: Record<string, string>,
): Buffer {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] };
    parts.push(data);
    at += data.length;
  }
  return framed(header, Buffer.concat(parts));
}

export function decodeSafetensors(file: Uint8Array): StoredTensors {
  const bytes = Buffer.from(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => [
          name,
          { dtype, shape, data: Uint8Array.from(bytes.subarray(start + from, start + to)) },
        ],
      ),
  );
}

/** Reads a file, lets `change` edit its tensors, and writes it back. */
export function rewriteSafetensors(file: string, change: (tensors: StoredTensors) => void): void {
  const tensors = decodeSafetensors(readFileSync(file));
  change(tensors);
  writeFileSync(file, encodeSafetensors(tensors));
}

/** Puts every tensor under what `to` makes of its name. */
export function renameTensors(tensors: StoredTensors, to: (name: string) => string): void {
  const stored = [...tensors];
  tensors.clear();
  for (const [name, tensor] of stored) tensors.set(to(name), tensor);
}

/** What `renameTensors` takes: each rule in turn replaces what it finds. */
export function byRules(
  ...rules: readonly (readonly [found: RegExp, by: string])[]
): (name: string) => string {
  return (name) => rules.reduce((text, [found, by]) => text.replace(found, by), name);
}

export function float32Tensor(values: readonly number[], shape: readonly number[]): StoredTensor {
  return {
    dtype: "F32",
    shape: [...shape],
    data: new Uint8Array(Float32Array.from(values).buffer),
  };
}

/** The numbers of an F32 tensor. */
export function floatsOf(tensor: StoredTensor): Float32Array {
  return new Float32Array(tensor.data.slice().buffer);
}

/** Writes one F32 number into a tensor, at a place in its row-major order. */
export function setFloat(tensor: StoredTensor, at: number, value: number): void {
  new DataView(tensor.data.buffer, tensor.data.byteOffset).setFloat32(at * 4, value, true);
}
