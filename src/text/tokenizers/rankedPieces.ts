import { byteCharacters, byteLevelTokenizer } from "./byteLevel";
import type { NamelessTokenizer } from "./library";
import { mergesOf, pieceKinds } from "./pieces";
import { splittings } from "./splitting";

const line = /^([A-Za-z0-9+/]+={0,2}) (\d+)$/;

/** Whether a file begins like a list of pieces with their ranks, not like a SentencePiece model. */
export function isRankedPieces(bytes: Buffer): boolean {
  return line.test(bytes.subarray(0, 1000).toString("latin1").split(/\r?\n/)[0]!);
}

/**
 * Llama 3's tokenizer.model: on each line a piece in base64 and its rank, in the form of tiktoken.
 * Neighbours are merged into the piece of the lowest rank, and tokens are numbered by their ranks;
 * the start token is the first after them.
 *
 * @throws Error when a line is of another form
 */
export function rankedPiecesTokenizer(text: string): NamelessTokenizer {
  const characters = byteCharacters();
  const tokens: string[] = [];
  for (const entry of text.split(/\r?\n/)) {
    if (entry === "") continue;
    const parsed = line.exec(entry);
    if (parsed?.[2] !== String(tokens.length)) {
      throw new Error(`its line ${tokens.length + 1} is no piece with its rank`);
    }
    const bytes = Buffer.from(parsed[1]!, "base64");
    tokens.push(Array.from(bytes, (byte) => characters[byte]!).join(""));
  }
  const pieces = tokens.map((text, rank) => ({ text, score: -rank, kind: pieceKinds.normal }));
  return byteLevelTokenizer({
    tokens,
    merges: mergesOf(pieces),
    splitting: splittings["llama3"]!,
    added: [],
    prefix: [tokens.length],
  });
}
