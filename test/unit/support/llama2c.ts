/** Writes files as llama2.c's export.py does, apart from the code under test. */

export interface Llama2cFixture {
  version: 0 | 1 | 2;
  dim: number;
  hiddenDim: number;
  layers: number;
  heads: number;
  kvHeads: number;
  vocabSize: number;
  sequenceLength: number;
  isTied: boolean;
  groupSize: number;
}

export const tinyLlama2c: Llama2cFixture = {
  version: 1,
  dim: 8,
  hiddenDim: 12,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  vocabSize: 5,
  sequenceLength: 6,
  isTied: true,
  groupSize: 4,
};

/** The file, and the numbers of its tensors by name. */
export function encodeLlama2c(fixture: Llama2cFixture): {
  file: Buffer;
  numbers: Map<string, Float32Array>;
} {
  const { version, dim, hiddenDim, layers, heads, kvHeads, vocabSize, isTied } = fixture;
  const key = (dim / heads) * kvHeads;
  const each = (name: string, size: number): [string, number][] =>
    Array.from({ length: layers }, (_, layer) => [`layers.${layer}.${name}.weight`, size]);
  const attention = [
    ...each("attention.wq", dim * dim),
    ...each("attention.wk", key * dim),
    ...each("attention.wv", key * dim),
    ...each("attention.wo", dim * dim),
  ];
  const feedForward = [
    ...each("feed_forward.w1", hiddenDim * dim),
    ...each("feed_forward.w2", dim * hiddenDim),
    ...each("feed_forward.w3", hiddenDim * dim),
  ];
  const attentionNorms = each("attention_norm", dim);
  const ffnNorms = each("ffn_norm", dim);
  const embedding: [string, number] = ["tok_embeddings.weight", vocabSize * dim];
  const output: [string, number][] = isTied ? [] : [["output.weight", vocabSize * dim]];
  const norm: [string, number] = ["norm.weight", dim];
  const tables: [string, number] = ["", fixture.sequenceLength * (dim / heads)];
  const order =
    version === 0
      ? [embedding, ...attentionNorms, ...attention, ...ffnNorms, ...feedForward, norm, tables]
      : [...attentionNorms, ...ffnNorms, norm, embedding, ...attention, ...feedForward];
  const parts: Uint8Array[] = [headerOf(fixture)];
  const numbers = new Map<string, Float32Array>();
  for (const [name, size] of [...order, ...output]) {
    const isGrouped = version === 2 && !name.includes("norm");
    const { bytes, values } = isGrouped ? grouped(size, fixture.groupSize) : plain(size);
    parts.push(bytes);
    if (name !== "") numbers.set(name, values);
  }
  return { file: Buffer.concat(parts), numbers };
}

function headerOf(fixture: Llama2cFixture): Buffer {
  const { version, dim, hiddenDim, layers, heads, kvHeads, vocabSize, isTied } = fixture;
  const header = Buffer.alloc(version === 0 ? 28 : 256);
  const stated = version === 0 && !isTied ? -vocabSize : vocabSize;
  const sizes = [dim, hiddenDim, layers, heads, kvHeads, stated, fixture.sequenceLength];
  const start = version === 0 ? 0 : 8;
  for (const [at, size] of sizes.entries()) header.writeInt32LE(size, start + 4 * at);
  if (version > 0) {
    header.write("24ka", "latin1");
    header.writeInt32LE(version, 4);
    header.writeUInt8(isTied ? 1 : 0, 36);
  }
  if (version === 2) header.writeInt32LE(fixture.groupSize, 37);
  return header;
}

let seed = 1;
function random(): number {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
}

function plain(size: number): { bytes: Uint8Array; values: Float32Array } {
  const values = Float32Array.from({ length: size }, () => random() - 0.5);
  return { bytes: new Uint8Array(values.buffer), values };
}

function grouped(size: number, groupSize: number): { bytes: Uint8Array; values: Float32Array } {
  const integers = Int8Array.from({ length: size }, () => Math.round(254 * random() - 127));
  const factors = Float32Array.from({ length: size / groupSize }, () => random() / 100);
  return {
    bytes: Buffer.concat([new Uint8Array(integers.buffer), new Uint8Array(factors.buffer)]),
    values: Float32Array.from(integers, (q, at) => q * factors[Math.floor(at / groupSize)]!),
  };
}
