import protobuf from "protobufjs/minimal.js";
import type { NamelessTokenizer } from "./library";
import type { Piece } from "./pieces";
import { pieceKinds, scoredPiecesTokenizer } from "./pieces";
import type { Settings } from "./settings";

/**
 * A SentencePiece model file: the message ModelProto of
 * https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
 *
 * @throws Error when the bytes are no such message, or of an algorithm the library does not know
 */
export function sentencePieceTokenizer(bytes: Uint8Array, settings: Settings): NamelessTokenizer {
  const model = readModel(bytes);
  const algorithm = algorithms[model.algorithm];
  if (algorithm === undefined) {
    throw new Error(`its SentencePiece model is of type ${model.algorithm}, not unigram or BPE`);
  }
  if (model.pieces.length === 0) throw new Error("it holds no SentencePiece pieces");
  // Llama and its like begin every text with a token of that name; T5 and its like have none.
  const hasStart = settings.add_bos_token ?? algorithm === "bpe";
  return scoredPiecesTokenizer({
    ...model,
    algorithm,
    space: "▁",
    prefix: hasStart && model.start >= 0 && model.start < model.pieces.length ? [model.start] : [],
  });
}

/** `TrainerSpec.ModelType`. */
const algorithms: Readonly<Record<number, "unigram" | "bpe">> = { 1: "unigram", 2: "bpe" };

/** What is read of a ModelProto, with the defaults of its schema. */
function readModel(bytes: Uint8Array): {
  pieces: Piece[];
  algorithm: number;
  unknown: number;
  start: number;
  isNormalized: boolean;
  isSpacePut: boolean;
  areSpacesJoined: boolean;
} {
  const model = {
    pieces: [] as Piece[],
    algorithm: 1,
    unknown: 0,
    start: 1,
    isNormalized: false,
    isSpacePut: true,
    areSpacesJoined: true,
  };
  eachField(protobuf.Reader.create(bytes), {
    1: (reader) => {
      const piece = { text: "", score: 0, kind: pieceKinds.normal as number };
      eachField(inner(reader), {
        1: (field) => void (piece.text = field.string()),
        2: (field) => void (piece.score = field.float()),
        3: (field) => void (piece.kind = field.int32()),
      });
      model.pieces.push(piece);
    },
    2: (reader) => {
      eachField(inner(reader), {
        3: (field) => void (model.algorithm = field.int32()),
        40: (field) => void (model.unknown = field.int32()),
        41: (field) => void (model.start = field.int32()),
      });
    },
    3: (reader) => {
      eachField(inner(reader), {
        2: (field) => void (model.isNormalized = field.bytes().length > 0),
        3: (field) => void (model.isSpacePut = field.bool()),
        4: (field) => void (model.areSpacesJoined = field.bool()),
      });
    },
  });
  return model;
}

type Fields = Readonly<Record<number, (reader: protobuf.Reader) => void>>;

function eachField(reader: protobuf.Reader, fields: Fields): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const read = fields[tag >>> 3];
    if (read) read(reader);
    else reader.skipType(tag & 7);
  }
}

/** A reader of the message that the field holds. */
function inner(reader: protobuf.Reader): protobuf.Reader {
  return protobuf.Reader.create(reader.bytes());
}
