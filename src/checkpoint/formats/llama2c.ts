import type { TensorEntry } from "../checkpoint";
import { elementCount } from "../checkpoint";
import { CheckpointError } from "../errors";
import { limits } from "../limits";
import { withFile } from "./fileRange";
import type { FileContents, Format } from "./format";
import { headBytes } from "./format";

/**
 * The .bin files of llama2.c, versions 0, 1 and 2, laid out as its export.py writes them
 * (https://github.com/karpathy/llama2.c). Version 0 has no mark of its own: a file is taken for one
 * where the sizes at its beginning give its length to the byte.
 */
export const llama2c: Format = {
  name: "llama2.c",
  usual: [],
  isSelfContained: true,
  recognises: (_, head, bytes) => {
    const header = headerOf(head);
    if (header?.version !== 0) return header !== undefined;
    return isWithin(header, bytes) && sizeOf(layoutOf(header)) === bytes;
  },
  read: readLlama2c,
};

interface Header {
  readonly version: number;
  readonly dim: number;
  readonly hiddenDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabSize: number;
  readonly sequenceLength: number;
  /** Whether the output weights are those of the embedding, and so not stored again. */
  readonly isTied: boolean;
  /** Weights that share a factor, in version 2. */
  readonly groupSize: number;
}

/**
 * Reads the tensor directory of one llama2.c file; reads no weights. Tensors are named as in the
 * PyTorch model of that project; the header's fields are the config.
 *
 * @throws CheckpointError when the header's sizes contradict the format or the file's size
 */
export async function readLlama2c(file: string): Promise<FileContents> {
  return withFile(file, async (whole) => {
    const size = whole.bytes;
    const header = headerOf(await whole.read(0, Math.min(size, headBytes)));
    if (header === undefined) {
      throw new CheckpointError(
        "header",
        `${file}: does not begin with the sizes of a llama2.c model.`,
      );
    }
    requirePossible(file, header, size);
    const layout = layoutOf(header);
    const expected = sizeOf(layout);
    if (expected !== size) {
      throw new CheckpointError(
        "header",
        `${file}: is ${size} bytes long; a llama2.c file of version ${header.version} with dim ${header.dim}, hidden_dim ${header.hiddenDim}, ${header.layers} layers, ${header.heads} heads, ${header.kvHeads} key-value heads, ${header.vocabSize} tokens and a sequence length of ${header.sequenceLength} is ${expected}.`,
      );
    }
    return {
      tensors: placed(file, header, layout),
      bytes: size,
      config: { path: file, value: configOf(header) },
    };
  });
}

/** "ak42" as a little-endian number. */
const magic = 0x616b3432;
const headerBytes = { v0: 28, later: 256 };

/** @returns undefined where the bytes cannot be a header */
function headerOf(head: Uint8Array): Header | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < headerBytes.v0) return undefined;
  const isMarked = view.getUint32(0, true) === magic;
  const start = isMarked ? 8 : 0;
  if (isMarked && head.length < start + 7 * 4 + 5) return undefined;
  const version = isMarked ? view.getInt32(4, true) : 0;
  const [dim, hiddenDim, layers, heads, kvHeads, vocab, sequenceLength] = Array.from(
    { length: 7 },
    (_, at) => view.getInt32(start + 4 * at, true),
  ) as [number, number, number, number, number, number, number];
  const header = {
    version,
    dim,
    hiddenDim,
    layers,
    heads,
    kvHeads,
    vocabSize: isMarked ? vocab : Math.abs(vocab),
    sequenceLength,
    isTied: isMarked ? view.getUint8(36) !== 0 : vocab > 0,
    groupSize: version === 2 ? view.getInt32(37, true) : 1,
  };
  // Without a mark, nothing but sense tells that these are sizes.
  return isMarked || isPossible(header) ? header : undefined;
}

function isPossible(header: Header): boolean {
  const { dim, hiddenDim, layers, heads, kvHeads, vocabSize, sequenceLength, groupSize } = header;
  const sizes = [dim, hiddenDim, layers, heads, kvHeads, vocabSize, sequenceLength, groupSize];
  return (
    sizes.every((size) => size > 0) &&
    layers <= limits.llama2cLayers &&
    dim % heads === 0 &&
    heads % kvHeads === 0
  );
}

/** Whether a file can hold so many layers at all, asked before they are listed. */
function isWithin({ layers, dim }: Header, bytes: number): boolean {
  return layers * dim * 4 <= bytes;
}

function requirePossible(file: string, header: Header, bytes: number): void {
  const { version, dim, hiddenDim, layers, heads, kvHeads, groupSize } = header;
  if (version < 0 || version > 2) {
    throw new CheckpointError(
      "unsupported",
      `${file}: is of llama2.c version ${version}; versions 0, 1 and 2 are read.`,
    );
  }
  if (!isPossible(header) || !isWithin(header, bytes)) {
    throw new CheckpointError(
      "header",
      `${file}: states dim ${dim}, hidden_dim ${hiddenDim}, ${layers} layers, ${heads} heads and ${kvHeads} key-value heads in ${bytes} bytes; expected sizes above zero, at most ${limits.llama2cLayers} layers, heads that divide dim and key-value heads that divide the heads, and room for as many layers.`,
    );
  }
  for (const [what, length] of [
    ["dim", dim],
    ["hidden_dim", hiddenDim],
  ] as const) {
    if (length % groupSize !== 0) {
      throw new CheckpointError(
        "unsupported",
        `${file}: its groups of ${groupSize} weights do not divide rows of ${what} ${length}, so that a group would span two rows; llama2.c itself does not run such a file either.`,
      );
    }
  }
}

/** Something stored: numbers of one kind for every layer, or for the whole model. */
interface Piece {
  /** With `N` for the layer's number; undefined: a table that is computed, and not read. */
  readonly name?: string;
  readonly shape: readonly number[];
  readonly isGrouped: boolean;
}

interface Layout {
  readonly start: number;
  readonly groupSize: number;
  readonly pieces: readonly Piece[];
}

/** What is stored one after another. */
function layoutOf(header: Header): Layout {
  const { version, dim, hiddenDim, layers, heads, kvHeads, vocabSize, isTied, groupSize } = header;
  const keyDim = (dim / heads) * kvHeads;
  const isGrouped = version === 2;
  const norm = (name: string): Piece => ({ name, shape: [dim], isGrouped: false });
  const weight = (name: string, rows: number, columns: number): Piece => ({
    name,
    shape: [rows, columns],
    isGrouped,
  });
  const ofLayers = (piece: Piece): Piece[] =>
    Array.from({ length: layers }, (_, layer) => ({
      ...piece,
      name: `layers.${layer}.${piece.name!}`,
    }));
  const embedding = weight("tok_embeddings.weight", vocabSize, dim);
  const attentionNorms = ofLayers(norm("attention_norm.weight"));
  const ffnNorms = ofLayers(norm("ffn_norm.weight"));
  const attention = [
    ...ofLayers(weight("attention.wq.weight", dim, dim)),
    ...ofLayers(weight("attention.wk.weight", keyDim, dim)),
    ...ofLayers(weight("attention.wv.weight", keyDim, dim)),
    ...ofLayers(weight("attention.wo.weight", dim, dim)),
  ];
  const feedForward = [
    ...ofLayers(weight("feed_forward.w1.weight", hiddenDim, dim)),
    ...ofLayers(weight("feed_forward.w2.weight", dim, hiddenDim)),
    ...ofLayers(weight("feed_forward.w3.weight", hiddenDim, dim)),
  ];
  const output = isTied ? [] : [weight("output.weight", vocabSize, dim)];
  if (version === 0) {
    // The rotary tables of cosines and sines, one for each pair of a head's channels.
    const table = { shape: [header.sequenceLength, Math.floor(dim / heads / 2)], isGrouped: false };
    return {
      start: headerBytes.v0,
      groupSize,
      pieces: [
        embedding,
        ...attentionNorms,
        ...attention,
        ...ffnNorms,
        ...feedForward,
        norm("norm.weight"),
        table,
        table,
        ...output,
      ],
    };
  }
  return {
    start: headerBytes.later,
    groupSize,
    pieces: [
      ...attentionNorms,
      ...ffnNorms,
      norm("norm.weight"),
      embedding,
      ...attention,
      ...feedForward,
      ...output,
    ],
  };
}

/** Bytes of a whole file. Sizes are 31 bits each: products beyond 2^53 are inexact, but never small. */
function sizeOf({ start, groupSize, pieces }: Layout): number {
  return pieces.reduce((end, piece) => end + bytesOfPiece(piece, groupSize), start);
}

/** Grouped weights take a byte each; the factors of their groups, four bytes each, follow them. */
function bytesOfPiece({ shape, isGrouped }: Piece, groupSize: number): number {
  const count = elementCount(shape);
  return isGrouped ? count + 4 * (count / groupSize) : 4 * count;
}

function placed(file: string, { groupSize }: Header, layout: Layout): TensorEntry[] {
  const tensors: TensorEntry[] = [];
  let offset = layout.start;
  for (const piece of layout.pieces) {
    const { name, shape, isGrouped } = piece;
    if (name !== undefined) {
      const count = elementCount(shape);
      const plain = (name: string, shape: readonly number[], offset: number): TensorEntry => ({
        name,
        dataType: "F32",
        shape,
        file,
        offset,
        byteLength: 4 * elementCount(shape),
      });
      const [rows = 1, columns = 1] = shape;
      tensors.push(
        isGrouped
          ? {
              name,
              dataType: "I8_GROUPS",
              shape,
              file,
              offset,
              byteLength: count,
              scale: {
                factors: plain(`${name}.factors`, [rows, columns / groupSize], offset + count),
                block: [1, groupSize],
              },
            }
          : plain(name, shape, offset),
      );
    }
    offset += bytesOfPiece(piece, groupSize);
  }
  return tensors;
}

/** The fields under the names that export.py knows them by. */
function configOf(header: Header): Readonly<Record<string, number>> {
  return {
    version: header.version,
    dim: header.dim,
    hidden_dim: header.hiddenDim,
    n_layers: header.layers,
    n_heads: header.heads,
    n_kv_heads: header.kvHeads,
    vocab_size: header.vocabSize,
    seq_len: header.sequenceLength,
    ...(header.version === 2 && { group_size: header.groupSize }),
  };
}
