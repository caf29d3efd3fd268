import type { NamelessTokenizer } from "./library";
import type { Piece } from "./pieces";
import { pieceKinds, scoredPiecesTokenizer } from "./pieces";

/**
 * A tokenizer.bin of llama2.c: the length of the longest token, then each token as its score, its
 * length and its bytes (https://github.com/karpathy/llama2.c, tokenizer.py). A space is a space there.
 *
 * @throws Error when the bytes do not end with a token
 */
export function llama2cTokenizer(bytes: Uint8Array): NamelessTokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Piece[] = [];
  let at = 4;
  while (at < bytes.length) {
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > bytes.length) {
      throw new Error(`its token ${pieces.length} goes on beyond its ${bytes.length} bytes`);
    }
    const text = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    pieces.push({ text, score: view.getFloat32(at, true), kind: kindOf(pieces.length, text) });
    at += 8 + length;
  }
  if (pieces.length <= startToken) throw new Error("it holds no tokens");
  return scoredPiecesTokenizer({
    pieces,
    algorithm: "bpe",
    space: " ",
    isSpacePut: true,
    areSpacesJoined: false,
    isNormalized: false,
    unknown: 0,
    prefix: [startToken],
  });
}

const startToken = 1;

/** Tokens 0 to 2 are always those for the unknown, the start and the end; then come the bytes. */
function kindOf(id: number, text: string): number {
  if (id < 3) return id === 0 ? pieceKinds.unknown : pieceKinds.control;
  return /^<0x[0-9A-F]{2}>$/.test(text) ? pieceKinds.byte : pieceKinds.normal;
}
