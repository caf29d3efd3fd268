import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Architecture } from "../../../src/architecture/description";
import { plainEmbedding } from "../../../src/architecture/description";
import type { Checkpoint, TensorEntry } from "../../../src/checkpoint/checkpoint";
import { CheckpointError } from "../../../src/checkpoint/errors";
import type { TextRequest } from "../../../src/text/documents";
import { readDocuments, readTextDocuments, readTokenDocuments } from "../../../src/text/documents";
import { TextError } from "../../../src/text/errors";
import type { TextTokenizer } from "../../../src/text/tokenizer";
import { readTokenizer } from "../../../src/text/tokenizer";
import { readJson } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const media = fileURLToPath(new URL("../../../media/", import.meta.url));
const sample = join(media, "sample/pre-ln");
const sampleTokenizer = readdirSync(sample)
  .map((step) => join(sample, step, "tokenizer.json"))
  .find((file) => existsSync(file))!;

/** One token a word, so that what is cut where can be read off. */
const words: TextTokenizer = {
  file: "/t/tokenizer.json",
  prefix: [],
  encode: (text) => text.split(/\s+/).map(Number),
};
const wordsAfterStart: TextTokenizer = { ...words, prefix: [99] };

function textFile(content: string | Uint8Array, folder = scratch()): string {
  const file = join(folder, "text.txt");
  writeFileSync(file, content);
  return file;
}

function numbersFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

describe("the sample's tokenizer", () => {
  let tokenizer: TextTokenizer;
  let pieces: string[];
  beforeAll(async () => {
    tokenizer = await readTokenizer({ kind: "tokenizer.json", path: sampleTokenizer });
    const { model } = readJson(sampleTokenizer) as { model: { vocab: Record<string, number> } };
    pieces = [];
    for (const [piece, id] of Object.entries(model.vocab)) pieces[id] = piece;
  });

  /** Byte-level BPE, undone apart from the library: each character of a piece stands for a byte. */
  const decode = (tokens: readonly number[]): string => {
    const printable = [...numbersFrom(33, 94), ...numbersFrom(161, 12), ...numbersFrom(174, 82)];
    const bytes = new Map(printable.map((byte) => [String.fromCodePoint(byte), byte]));
    let next = 256;
    for (let byte = 0; byte < 256; byte++) {
      if (!printable.includes(byte)) bytes.set(String.fromCodePoint(next++), byte);
    }
    const characters = Array.from(tokens.map((token) => pieces[token]!).join(""));
    return Buffer.from(characters.map((character) => bytes.get(character)!)).toString("utf8");
  };

  it("returns any text whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        expect(decode(tokenizer.encode(text))).toBe(text);
      }),
    );
    expect(decode(tokenizer.encode("def f(x):\n    return x + 1\n"))).toBe(
      "def f(x):\n    return x + 1\n",
    );
  });

  it("takes few tokens for the text it was made for", () => {
    const text = "    def __init__(self, name):\n        self.name = name\n";
    expect(tokenizer.encode(text).length).toBeLessThan(text.length / 2);
  });

  it("tells what stands before a text apart from the text", () => {
    expect(tokenizer.prefix).toEqual([0]);
    expect(tokenizer.encode("a")).not.toContain(0);
  });
});

describe("a tokenizer.json that cannot be used", () => {
  it.each([
    ["is not JSON", "{"],
    ["says nothing", "{}"],
    ["is null", "null"],
    ["is of a kind nobody knows", JSON.stringify({ model: { type: "Abacus" } })],
  ])("and %s is refused in one line that names it", async (_, content) => {
    const file = textFile(content);
    const message = await failureOf(
      readTokenizer({ kind: "tokenizer.json", path: file }),
      CheckpointError,
    );
    expect(message.startsWith(`${file}: is not a tokenizer that can be used`)).toBe(true);
    expect(message).not.toContain("\n");
  });
});

describe("text", () => {
  const limits = { sequenceLength: 4, maxTokens: 1000, vocabularySize: 100 };
  const tokensOf = async (...asked: Parameters<typeof readTextDocuments>) =>
    (await readTextDocuments(...asked)).map(({ tokens }) => tokens);

  it("is cut into sequences; a rest shorter than a quarter of one is left out", async () => {
    const read = (count: number) =>
      tokensOf([textFile(numbersFrom(0, count).join(" "))], words, {
        ...limits,
        sequenceLength: 8,
      });
    expect(await read(5)).toEqual([numbersFrom(0, 5)]);
    expect(await read(8)).toEqual([numbersFrom(0, 8)]);
    expect(await read(9)).toEqual([numbersFrom(0, 8)]);
    expect(await read(10)).toEqual([numbersFrom(0, 8), [8, 9]]);
    expect(await read(18)).toEqual([numbersFrom(0, 8), numbersFrom(8, 8), [16, 17]]);
  });

  it("begins every sequence with the tokens that the model saw at every beginning", async () => {
    const file = textFile(numbersFrom(0, 7).join(" "));
    expect(await tokensOf([file], wordsAfterStart, limits)).toEqual([
      [99, 0, 1, 2],
      [99, 3, 4, 5],
      [99, 6],
    ]);
  });

  it("never shares a sequence with another document", async () => {
    const lines = ["1 2 3", "<|endoftext|>", "11 12 13 14 15 16", "<|endoftext|>", "", "21 22"];
    const other = textFile("31 32 33");
    for (const newline of ["\n", "\r\n"]) {
      const file = textFile(lines.join(newline));
      const documents = await tokensOf([file, other], words, limits);
      expect(documents).toEqual([
        [1, 2, 3],
        [11, 12, 13, 14],
        [21, 22],
        [31, 32, 33],
        [15, 16],
      ]);
    }
  });

  it("tells which sequences are of one document", async () => {
    const file = textFile("1 2 3 4 5 6\n<|endoftext|>\n11 12 13");
    const sequences = await readTextDocuments([file, textFile("21 22")], words, limits);
    expect(sequences).toEqual([
      { document: 0, tokens: [1, 2, 3, 4] },
      { document: 1, tokens: [11, 12, 13] },
      { document: 2, tokens: [21, 22] },
      { document: 0, tokens: [5, 6] },
    ]);
  });

  it("separates only by whole lines", async () => {
    const quoting: TextTokenizer = { ...words, encode: (text) => [text.length, 1] };
    const text = "say <|endoftext|> twice";
    expect(await tokensOf([textFile(text)], quoting, limits)).toEqual([[text.length, 1]]);
  });

  it("takes the beginning of every document before the continuation of any", async () => {
    const folder = scratch();
    const files = [10, 20, 30].map((first) => {
      const file = join(folder, `${first}.txt`);
      writeFileSync(file, numbersFrom(first, 9).join(" "));
      return file;
    });
    const budget = { ...limits, sequenceLength: 3, maxTokens: 14 };
    expect(await tokensOf(files, words, budget)).toEqual([
      [10, 11, 12],
      [20, 21, 22],
      [30, 31, 32],
      [13, 14, 15],
    ]);
  });

  it("never exceeds the budget, not even by its first sequence", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 2, max: 60 }),
        async (sequenceLength, maxTokens, length) => {
          const file = textFile(numbersFrom(0, length).join(" "));
          const documents = await tokensOf([file], wordsAfterStart, {
            sequenceLength,
            maxTokens,
            vocabularySize: 100,
          });
          const total = documents.reduce((sum, tokens) => sum + tokens.length, 0);
          expect(total).toBeLessThanOrEqual(maxTokens);
          expect(documents.length).toBeGreaterThan(0);
          for (const [prefix, ...tokens] of documents) {
            expect(prefix).toBe(99);
            expect(tokens.length).toBeLessThan(sequenceLength);
            expect(tokens).toEqual(numbersFrom(tokens[0]!, tokens.length));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ["nothing", ""],
    ["blank lines", " \n\n\t\n"],
    ["separators", "<|endoftext|>\n<|endoftext|>\n"],
    ["one token", "5"],
  ])("of %s is refused, by file", async (_, content) => {
    const file = textFile(content);
    const message = await failureOf(readTextDocuments([file], words, limits), TextError);
    expect(message).toBe(`${file}: holds no text of two tokens or more.`);
  });

  it("of one token is enough where the model has a beginning of its own", async () => {
    const documents = await tokensOf([textFile("5")], wordsAfterStart, limits);
    expect(documents).toEqual([[99, 5]]);
  });

  it("that is not UTF-8 is refused, by file", async () => {
    const file = textFile(Uint8Array.of(0x68, 0xe9, 0x21));
    const message = await failureOf(readTextDocuments([file], words, limits), TextError);
    expect(message).toContain(`${file}: cannot be read as text: it is not UTF-8 text`);
    const twin = textFile(Buffer.from("\ufeff1 2"));
    expect(await tokensOf([twin], words, limits)).toEqual([[1, 2]]);
  });

  it("that is not there is refused, by file", async () => {
    const file = join(scratch(), "gone.txt");
    const message = await failureOf(readTextDocuments([file], words, limits), TextError);
    expect(message).toContain(`${file}: does not exist`);
  });

  it("whose tokens the model does not know is refused, by token", async () => {
    const file = textFile("5 100");
    const message = await failureOf(readTextDocuments([file], words, limits), TextError);
    expect(message).toBe(
      `${words.file}: gives token id 100 for text of ${file}; the model's vocabulary ends at 99.`,
    );
    const start = { ...words, prefix: [100] };
    const beginning = readTextDocuments([textFile("5 6")], start, limits);
    expect(await failureOf(beginning, TextError)).toContain("gives token id 100");
  });

  it("that a tokenizer cannot encode names the tokenizer, the text and why", async () => {
    const file = textFile("5 6");
    const encode = (): never => {
      throw new Error("no");
    };
    const message = await failureOf(
      readTextDocuments([file], { ...words, encode }, limits),
      TextError,
    );
    expect(message).toBe(
      `${words.file}: cannot encode text of ${file}: no. Give other text, or token ids (--tokens).`,
    );
  });

  it("of the default evaluation is many documents of the sample's tokens", async () => {
    const tokenizer = await readTokenizer({ kind: "tokenizer.json", path: sampleTokenizer });
    const documents = await tokensOf([join(media, "text/default.txt")], tokenizer, {
      sequenceLength: 256,
      maxTokens: 2048,
      vocabularySize: 1024,
    });
    expect(documents.length).toBeGreaterThanOrEqual(8);
    for (const document of documents) expect(document[0]).toBe(0);
  });
});

describe("token files", () => {
  const limits = { sequenceLength: 256, maxTokens: Infinity, vocabularySize: 72 };
  const read = (content: unknown, some = {}): Promise<number[][]> => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return readTokenDocuments(textFile(text), { ...limits, ...some });
  };

  it.each<[unknown]>([[[[1, 2, 3]]], [[[0, 71], [5], [1, 1, 1]]], ["[[1, 2.0, 3e0]]"]])(
    "%j is evaluated as it stands",
    async (content) => {
      const expected: unknown = typeof content === "string" ? JSON.parse(content) : content;
      expect(await read(content)).toEqual(expected);
    },
  );

  it.each<[string, unknown, string]>([
    [
      "an id beyond the vocabulary",
      [[1], [2, 72]],
      "document 1 holds 72 at position 1; expected a token id from 0 to 71.",
    ],
    ["a negative id", [[1, -1]], "document 0 holds -1 at position 1; expected a token id from 0"],
    ["a fraction", [[1.5, 2]], "document 0 holds 1.5 at position 0"],
    ["a text", [[1, "2"]], 'document 0 holds "2" at position 1'],
    ["null", [[null, 2]], "document 0 holds null at position 0"],
    ["an id no number holds", "[[1, 1e999]]", "document 0 holds null at position 1"],
    ["an empty document", [[1, 2], []], "document 1 is empty."],
    ["one flat list", [1, 2, 3], "expected an array of arrays of token ids."],
    ["an object", { tokens: [[1]] }, "expected an array of arrays of token ids."],
    ["no documents", [], "holds no document of two tokens or more."],
    ["single tokens", [[1], [2]], "holds no document of two tokens or more."],
    ["broken JSON", "[[1, 2]", "is not JSON: "],
    ["nothing", "", "is not JSON: "],
  ])("with %s are refused", async (_, content, words) => {
    const message = await failureOf(read(content), TextError);
    expect(message).toContain(`text.txt: ${words}`);
    expect(message).not.toContain("\n");
  });

  it("are cut at the sequence length and nowhere else", async () => {
    const content = [numbersFrom(0, 10), [1, 2, 3]];
    expect(await read(content, { sequenceLength: 4 })).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("are taken as whole documents until the budget is reached", async () => {
    const content = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]];
    expect(await read(content, { maxTokens: 6 })).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    // The first is whole too, for otherwise there would be nothing.
    expect(await read(content, { maxTokens: 2 })).toEqual([[1, 2, 3]]);
  });
});

describe("a request", () => {
  const checkpoint = {
    path: "/models/tiny",
    folder: "/models/tiny",
    tokenizer: { kind: "tokenizer.json", path: sampleTokenizer },
  } as Checkpoint;
  const embedding = plainEmbedding({} as TensorEntry);
  const architecture = { vocabularySize: 1024, contextLength: 64, embedding } as Architecture;
  const request = (changes: Partial<TextRequest>): TextRequest => ({
    texts: { kind: "default", file: join(media, "text/default.txt") },
    sequenceLength: 256,
    sequenceLengthIsExplicit: false,
    maxTokens: 2048,
    maxTokensIsExplicit: false,
    ...changes,
  });

  it("by default is cut to the model's context", async () => {
    const found = await readDocuments(request({}), checkpoint, architecture);
    expect(found.sequenceLength).toBe(64);
    expect(found.source).toBe("default text");
    expect(Math.max(...found.sequences.map(({ tokens }) => tokens.length))).toBe(64);
  });

  it("for longer sequences than the model's context is refused", async () => {
    const asked = request({ sequenceLength: 65, sequenceLengthIsExplicit: true });
    expect(await failureOf(readDocuments(asked, checkpoint, architecture), TextError)).toBe(
      "Sequence length 65 is longer than the context of /models/tiny; at most 64 tokens are possible.",
    );
    const twin = request({ sequenceLength: 64, sequenceLengthIsExplicit: true });
    expect((await readDocuments(twin, checkpoint, architecture)).sequenceLength).toBe(64);
    const boundless = { ...architecture, contextLength: undefined };
    expect((await readDocuments(asked, checkpoint, boundless)).sequenceLength).toBe(65);
  });

  it("with a token document longer than the context is refused, or cut where the user says so", async () => {
    const file = textFile(JSON.stringify([[1, 2], Array(65).fill(3)]));
    const texts = { kind: "tokens", file } as const;
    expect(
      await failureOf(readDocuments(request({ texts }), checkpoint, architecture), TextError),
    ).toBe(
      `${file}: document 1 has 65 tokens; the model's context is 64. A sequence length of 64 (--sequence-length) cuts it.`,
    );
    const cut = request({ texts, sequenceLength: 10, sequenceLengthIsExplicit: true });
    const found = await readDocuments(cut, checkpoint, architecture);
    expect(found.sequences.map(({ tokens }) => tokens.length)).toEqual([2, 10]);
    expect(found.source).toBe(file);
  });

  it("evaluates token files whole unless the user sets a budget", async () => {
    const file = textFile(JSON.stringify(Array(100).fill(Array(30).fill(1))));
    const texts = { kind: "tokens", file } as const;
    const whole = await readDocuments(request({ texts }), checkpoint, architecture);
    expect(whole.sequences).toHaveLength(100);
    const some = request({ texts, maxTokens: 2048, maxTokensIsExplicit: true });
    expect((await readDocuments(some, checkpoint, architecture)).sequences).toHaveLength(68);
  });

  it("for text without a tokenizer says what else can be given", async () => {
    const bare = { ...checkpoint, tokenizer: undefined };
    expect(await failureOf(readDocuments(request({}), bare, architecture), TextError)).toBe(
      "/models/tiny: holds no tokenizer that is known (tokenizer.json, tokenizer.model, spiece.model, vocab.json, vocab.txt or tokenizer.bin), so text cannot be evaluated; give token ids as a JSON file (--tokens) instead.",
    );
    await expect(readDocuments(request({}), bare, architecture)).rejects.toMatchObject({
      lacks: "tokenizer",
    });
  });

  it("names the files that the text came from", async () => {
    const files = [textFile("hello there"), textFile("good morning")];
    const texts = { kind: "text", files } as const;
    const { source, sequences } = await readDocuments(request({ texts }), checkpoint, architecture);
    expect(source).toBe(files.join(", "));
    expect(sequences).toHaveLength(2);
  });
});
