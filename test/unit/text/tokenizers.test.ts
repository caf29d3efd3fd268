import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import type { TokenizerSource } from "../../../src/checkpoint/tokenizerSource";
import { findTokenizer } from "../../../src/checkpoint/tokenizerSource";
import { readTokenizer } from "../../../src/text/tokenizer";
import { byteCharacters } from "../../../src/text/tokenizers/byteLevel";
import { fixture, readJson } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import type { TypedValue } from "../support/gguf";
import { encodeGguf } from "../support/gguf";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

interface SentencePieceCase {
  model: string;
  pieces: { text: string; score: number; kind: number }[];
  ids: number[][];
}

/** What the Python libraries give: test/oracle/gguf_tokenizers.py. */
const oracle = readJson(join(fixture("."), "tokenizers.json")) as {
  texts: string[];
  bpe: SentencePieceCase & { llama2c: string };
  bpeNoPrefix: SentencePieceCase;
  bpeUnknown: SentencePieceCase;
  unigram: SentencePieceCase;
  byteLevel: {
    vocab: Record<string, number>;
    merges: string[];
    ids: Record<string, number[][]>;
  };
  wordPiece: { tokens: string[]; ids: Record<"true" | "false", number[][]> };
};
const { texts, byteLevel, wordPiece } = oracle;

describe("a SentencePiece model", () => {
  it.each(["bpe", "bpeNoPrefix", "bpeUnknown", "unigram"] as const)(
    "(%s) gives the ids of SentencePiece",
    async (name) => {
      const { model, ids } = oracle[name];
      const folder = folderWith({ "tokenizer.model": Buffer.from(model, "base64") });
      const tokenizer = await readTokenizer((await findTokenizer(folder, undefined))!);
      expectIds(tokenizer.encode, ids);
      expect(tokenizer.prefix).toEqual(name === "unigram" ? [] : [1]);
    },
  );

  it("is found under the name that T5's has, behind the usual one", async () => {
    const model = Buffer.from(oracle.unigram.model, "base64");
    const found = async (folder: string): Promise<string> => {
      const source = (await findTokenizer(folder, undefined))!;
      expectIds((await readTokenizer(source)).encode, oracle.unigram.ids);
      return basename(source.path);
    };
    expect(await found(folderWith({ "spiece.model": model }))).toBe("spiece.model");
    const both = folderWith({ "spiece.model": Buffer.from("damaged"), "tokenizer.model": model });
    expect(await found(both)).toBe("tokenizer.model");
  });

  it("begins texts as its settings say", async () => {
    const folder = folderWith({
      "tokenizer.model": Buffer.from(oracle.bpe.model, "base64"),
      "tokenizer_config.json": '{"add_bos_token": false}',
    });
    const { prefix } = await readTokenizer((await findTokenizer(folder, undefined))!);
    expect(prefix).toEqual([]);
  });

  it("that was cut short is refused", async () => {
    const whole = Buffer.from(oracle.bpe.model, "base64");
    const folder = folderWith({ "tokenizer.model": whole.subarray(0, 1000) });
    const source = (await findTokenizer(folder, undefined))!;
    const message = await failureOf(readTokenizer(source), CheckpointError);
    expect(message).toContain(`${source.path}: is not a tokenizer that can be used`);
  });
});

describe("the tokenizer in a GGUF file", () => {
  it.each(["bpe", "bpeNoPrefix"] as const)("of scored pieces (%s) is the same", async (name) => {
    const { pieces, ids } = oracle[name];
    const tokenizer = await readTokenizer(
      ggufSource([
        ["tokenizer.ggml.model", ["string", "llama"]],
        ["tokenizer.ggml.tokens", ["array", "string", pieces.map(({ text }) => text)]],
        ["tokenizer.ggml.scores", ["array", "f32", pieces.map(({ score }) => score)]],
        ["tokenizer.ggml.token_type", ["array", "i32", pieces.map(({ kind }) => kind)]],
        ["tokenizer.ggml.add_space_prefix", ["bool", name === "bpe"]],
      ]),
    );
    expectIds(tokenizer.encode, ids);
    expect(tokenizer.prefix).toEqual([1]);
  });

  const tokens = Object.entries(byteLevel.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
  const ofBytes = (pre: string | undefined): TokenizerSource =>
    ggufSource([
      ["tokenizer.ggml.model", ["string", "gpt2"]],
      ...(pre === undefined ? [] : ([["tokenizer.ggml.pre", ["string", pre]]] as const)),
      ["tokenizer.ggml.tokens", ["array", "string", tokens]],
      ["tokenizer.ggml.merges", ["array", "string", byteLevel.merges]],
      ["tokenizer.ggml.bos_token_id", ["u32", 7]],
    ]);

  it.each(Object.entries(byteLevel.ids))(
    "of bytes, split as %s, gives the ids of the tokenizers library",
    async (pre, ids) => {
      const tokenizer = await readTokenizer(ofBytes(pre));
      expectIds(tokenizer.encode, ids);
      expect(tokenizer.prefix).toEqual(["llama-bpe", "tekken"].includes(pre) ? [7] : []);
    },
  );

  /** As llama.cpp's conversion writes them: words begin with ▁, continuations are bare. */
  const phantom = wordPiece.tokens.map((token) => {
    if (/^\[[A-Z]+\]$/.test(token)) return token;
    return token.startsWith("##") ? token.slice(2) : `▁${token}`;
  });
  const ofWords = (more: readonly (readonly [string, TypedValue])[]): TokenizerSource =>
    ggufSource([
      ["tokenizer.ggml.model", ["string", "bert"]],
      ["tokenizer.ggml.tokens", ["array", "string", phantom]],
      ...more,
    ]);

  it.each(["true", "false"] as const)(
    "of words and their continuations gives the ids of BERT's tokenizer (%s)",
    async (lower) => {
      const tokenizer = await readTokenizer(
        ofWords([["tokenizer.ggml.normalizer.lowercase", ["bool", lower === "true"]]]),
      );
      expectIds(tokenizer.encode, wordPiece.ids[lower]);
      expect(tokenizer.prefix).toEqual([wordPiece.tokens.indexOf("[CLS]")]);
    },
  );

  it("of words is read by the kinds of its tokens, and begun as it says", async () => {
    const tokenizer = await readTokenizer(
      ggufSource([
        ["tokenizer.ggml.model", ["string", "bert"]],
        ["tokenizer.ggml.tokens", ["array", "string", ["<u>", "<s>", "▁Ab", "c", "▁[unused0]"]]],
        ["tokenizer.ggml.token_type", ["array", "i32", [3, 3, 1, 1, 1]]],
        ["tokenizer.ggml.unknown_token_id", ["u32", 0]],
        ["tokenizer.ggml.cls_token_id", ["u32", 1]],
      ]),
    );
    // A vocabulary with capitals was made from text that has them.
    expect(tokenizer.encode("Abc abc")).toEqual([2, 3, 0]);
    expect(tokenizer.prefix).toEqual([1]);
    const bare = await readTokenizer(ofWords([["tokenizer.ggml.add_bos_token", ["bool", false]]]));
    expect(bare.prefix).toEqual([]);
  });

  it("split in a way that is not stated or not known is refused", async () => {
    expect(await failureOf(readTokenizer(ofBytes(undefined)), CheckpointError)).toContain(
      "it states no tokenizer.ggml.pre",
    );
    expect(await failureOf(readTokenizer(ofBytes("abacus")), CheckpointError)).toContain(
      'its tokenizer.ggml.pre is "abacus"',
    );
    const rwkv = ggufSource([
      ["tokenizer.ggml.model", ["string", "rwkv"]],
      ["tokenizer.ggml.tokens", ["array", "string", []]],
    ]);
    expect(await failureOf(readTokenizer(rwkv), CheckpointError)).toContain(
      'its tokenizer.ggml.model is "rwkv"; expected one of llama, t5, gpt2, bert',
    );
  });
});

describe("a tokenizer.bin of llama2.c", () => {
  it("gives the ids of the model it was exported from", async () => {
    const folder = folderWith({ "tok420.bin": Buffer.from(oracle.bpe.llama2c, "base64") });
    const source = await findTokenizer(folder, { path: "", value: { vocab_size: 420 } });
    const tokenizer = await readTokenizer(source!);
    // There, a space and the sign that stands for one in SentencePiece are two characters.
    const known = texts.map((text, at) => [text, oracle.bpe.ids[at]!] as const);
    for (const [text, ids] of known.filter(([text]) => !text.includes("▁"))) {
      expect(tokenizer.encode(text)).toEqual(ids);
    }
    expect(tokenizer.prefix).toEqual([1]);
  });

  it("that was cut short is refused", async () => {
    const whole = Buffer.from(oracle.bpe.llama2c, "base64");
    const folder = folderWith({ "tokenizer.bin": whole.subarray(0, -1) });
    const source = (await findTokenizer(folder, undefined))!;
    expect(await failureOf(readTokenizer(source), CheckpointError)).toContain("goes on beyond");
  });
});

describe("vocab.json and merges.txt", () => {
  const files = {
    "vocab.json": JSON.stringify(byteLevel.vocab),
    "merges.txt": `#version: 0.2\n${byteLevel.merges.join("\n")}\n`,
  };

  it("give the ids of the tokenizers library", async () => {
    const tokenizer = await readTokenizer((await findTokenizer(folderWith(files), undefined))!);
    expectIds(tokenizer.encode, byteLevel.ids["gpt-2"]!);
    expect(tokenizer.prefix).toEqual([]);
  });

  it("are split and begun as tokenizer_config.json says", async () => {
    const settings = { tokenizer_class: "Qwen2Tokenizer", add_bos_token: true, bos_token: "!" };
    const folder = folderWith({ ...files, "tokenizer_config.json": JSON.stringify(settings) });
    const tokenizer = await readTokenizer((await findTokenizer(folder, undefined))!);
    expectIds(tokenizer.encode, byteLevel.ids["qwen2"]!);
    expect(tokenizer.prefix).toEqual([byteLevel.vocab["!"]]);
  });
});

describe("a tokenizer.model of ranked pieces", () => {
  it("gives the ids of Llama 3's way of splitting", async () => {
    const bytes = new Map(byteCharacters().map((character, byte) => [character, byte]));
    const lines = Object.entries(byteLevel.vocab)
      .sort(([, a], [, b]) => a - b)
      .map(([token, rank]) => {
        const spelt = Buffer.from(Array.from(token, (character) => bytes.get(character)!));
        return `${spelt.toString("base64")} ${rank}\n`;
      });
    const folder = folderWith({ "tokenizer.model": lines.join("") });
    const tokenizer = await readTokenizer((await findTokenizer(folder, undefined))!);
    expectIds(tokenizer.encode, byteLevel.ids["llama-bpe"]!);
    expect(tokenizer.prefix).toEqual([lines.length]);
  });
});

describe("a vocab.txt", () => {
  it.each(["true", "false"] as const)("gives the ids of BERT's tokenizer (%s)", async (lower) => {
    const folder = folderWith({
      "vocab.txt": `${wordPiece.tokens.join("\n")}\n`,
      "tokenizer_config.json": `{"do_lower_case": ${lower}}`,
    });
    const tokenizer = await readTokenizer((await findTokenizer(folder, undefined))!);
    expectIds(tokenizer.encode, wordPiece.ids[lower]);
    expect(tokenizer.prefix).toEqual([wordPiece.tokens.indexOf("[CLS]")]);
  });

  it("has special tokens that stand for themselves in a text", async () => {
    const folder = folderWith({ "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n" });
    const { encode } = await readTokenizer((await findTokenizer(folder, undefined))!);
    expect(encode("ab[SEP] a [MASK].")).toEqual([5, 6, 3, 5, 4, 1]);
  });

  it("without continuations is none of BERT's", async () => {
    const folder = folderWith({ "vocab.txt": "[UNK]\nC\nBr\n" });
    const source = (await findTokenizer(folder, undefined))!;
    expect(await failureOf(readTokenizer(source), CheckpointError)).toContain("begins with ##");
  });
});

describe("a table of tokens", () => {
  const stated = async (value: Record<string, unknown>) =>
    readTokenizer((await findTokenizer(scratch(), { path: "/m/model.pt", value }))!);

  it.each([
    ["stoi", { stoi: { a: 0, b: 1, "\n": 2 } }],
    ["itos", { itos: { 0: "a", 1: "b", 2: "\n" } }],
    ["itos as a list", { itos: ["a", "b", "\n"] }],
    ["chars", { chars: "ab\n" }],
    ["chars inside of a tokenizer", { tokenizer: { chars: ["a", "b", "\n"] } }],
    [
      "a map",
      {
        stoi: new Map([
          ["a", 0],
          ["b", 1],
          ["\n", 2],
        ]),
      },
    ],
  ])("of characters (%s) takes text character by character", async (_, value) => {
    const tokenizer = await stated(value);
    expect(tokenizer.encode("ab\nba")).toEqual([0, 1, 2, 1, 0]);
  });

  it("begins sequences with its token for the start, where it has one", async () => {
    const words = { "<PAD>": 0, "<BOS>": 1, the: 2, cat: 3 };
    expect(await stated({ vocab: words })).toMatchObject({ prefix: [1] });
    expect(await stated({ vocab: { the: 0, cat: 1 } })).toMatchObject({ prefix: [] });
  });

  it("leaves out a character in a hundred that it lacks, and refuses more", async () => {
    const { encode } = await stated({ chars: "ab" });
    expect(encode(`${"ab".repeat(50)}é`)).toHaveLength(100);
    expect(() => encode("abé")).toThrow('1 of the text\'s 3 tokens are not in its table of 2: "é"');
    const withUnknown = await stated({ stoi: { a: 0, b: 1, "<unk>": 2 } });
    expect(withUnknown.encode("aéb")).toEqual([0, 2, 1]);
  });

  it("of words takes text word by word", async () => {
    const vocab = { "<unk>": 0, the: 1, "don't": 2, ".": 3, "well-known": 4 };
    const folder = folderWith({ "vocab.json": JSON.stringify({ vocab, size: 5 }) });
    const tokenizer = await readTokenizer((await findTokenizer(folder, undefined))!);
    expect(tokenizer.encode("The the, don't well-known.")).toEqual([1, 1, 0, 2, 4, 3]);
  });

  it("of words alone leaves punctuation out", async () => {
    const { encode } = await stated({ vocab: { the: 0, cat: 1, "it's": 2 } });
    expect(encode("The cat: “it's the cat”!")).toEqual([0, 1, 2, 0, 1]);
  });

  it("of another form is refused", async () => {
    const folder = folderWith({ "vocab.json": '{"a": "b"}' });
    const source = (await findTokenizer(folder, undefined))!;
    expect(await failureOf(readTokenizer(source), CheckpointError)).toContain("no list of tokens");
  });
});

describe("a folder's tokenizer", () => {
  it("is the fullest description among its files", async () => {
    const names = [
      "tokenizer.json",
      "tokenizer.model",
      "merges.txt",
      "vocab.txt",
      "tokenizer.bin",
      "vocab.json",
    ];
    const folder = scratch();
    const kinds: (string | undefined)[] = [];
    for (const name of names.toReversed()) {
      writeFileSync(join(folder, name), "");
      kinds.push((await findTokenizer(folder, undefined))?.kind);
    }
    expect(kinds).toEqual([
      "table",
      "llama2.c",
      "wordpiece",
      "merges",
      "tokenizer.model",
      "tokenizer.json",
    ]);
  });

  it("is no folder of that name", async () => {
    const folder = scratch();
    mkdirSync(join(folder, "tokenizer.json"));
    expect(await findTokenizer(folder, undefined)).toBeUndefined();
  });
});

const shared = fileURLToPath(new URL("../../../../shared/checkpoints/", import.meta.url));
const stories = {
  gguf: join(shared, "stories260k-gguf/stories260K.gguf"),
  llama2c: join(shared, "stories260k-llama2c/checkpoint_v0.bin"),
};

describe.skipIf(!existsSync(stories.gguf))("the tokenizers of TinyStories 260K", () => {
  it("give the same ids in GGUF as in llama2.c", async () => {
    const text = readFileSync(
      fileURLToPath(new URL("../../../media/text/default.txt", import.meta.url)),
      "utf8",
    );
    const [gguf, llama2c] = await Promise.all(
      [stories.gguf, stories.llama2c].map(async (path) => {
        const { tokenizer } = await openCheckpoint(path);
        return readTokenizer(tokenizer!);
      }),
    );
    const ids = gguf!.encode(text);
    expect(ids).toHaveLength(22194);
    expect(llama2c!.encode(text)).toEqual(ids);
    expect([gguf!.prefix, llama2c!.prefix]).toEqual([[1], [1]]);
  });
});

function expectIds(encode: (text: string) => number[], ids: readonly (readonly number[])[]): void {
  for (const [at, text] of texts.entries()) expect([text, encode(text)]).toEqual([text, ids[at]]);
}

function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = scratch();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function ggufSource(metadata: readonly (readonly [string, TypedValue])[]): TokenizerSource {
  const path = join(scratch(), "model.gguf");
  writeFileSync(path, encodeGguf({ metadata }));
  return { kind: "gguf", path };
}
