import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "./checkpoint";

/** Where a checkpoint's tokenizer is, and of what kind. Paths are absolute. */
export type TokenizerSource =
  /** Hugging Face's description of a whole tokenizer. */
  | { readonly kind: "tokenizer.json"; readonly path: string }
  /** In the metadata of a GGUF file. */
  | { readonly kind: "gguf"; readonly path: string }
  /** `tokenizer.model` or `spiece.model`: SentencePiece's, or the list of ranked pieces of Llama 3 and of tiktoken. */
  | { readonly kind: "tokenizer.model"; readonly path: string; readonly settings?: string }
  /** `vocab.json` and `merges.txt`, as GPT-2 has. */
  | {
      readonly kind: "merges";
      readonly path: string;
      readonly merges: string;
      readonly settings?: string;
    }
  /** `vocab.txt`, as BERT has. */
  | { readonly kind: "wordpiece"; readonly path: string; readonly settings?: string }
  /** llama2.c's tokenizer.bin. */
  | { readonly kind: "llama2.c"; readonly path: string }
  /** `vocab.json` alone: whole words, or characters, and their numbers. */
  | { readonly kind: "table"; readonly path: string }
  /** Such a table in what the checkpoint states of itself: `stoi`, `itos`, `chars` or `vocab`. */
  | { readonly kind: "stated table"; readonly path: string; readonly table: object };

/** The files that a tokenizer is read from. */
export function tokenizerFiles(source: TokenizerSource): string[] {
  const { path } = source;
  const settings = "settings" in source && source.settings ? [source.settings] : [];
  return source.kind === "merges" ? [path, source.merges, ...settings] : [path, ...settings];
}

/** The tokenizer among a folder's files or in the config; the fullest description comes first. */
export async function findTokenizer(
  folder: string,
  config: Checkpoint["config"],
): Promise<TokenizerSource | undefined> {
  const names = new Set(await readdir(folder).catch((): string[] => []));
  const has = async (name: string): Promise<boolean> =>
    names.has(name) &&
    (await stat(join(folder, name)).then(
      (stats) => stats.isFile(),
      () => false,
    ));
  const at = (name: string): string => join(folder, name);
  const settings = (await has(settingsName)) ? { settings: at(settingsName) } : {};
  if (await has("tokenizer.json")) return { kind: "tokenizer.json", path: at("tokenizer.json") };
  for (const name of sentencePieceNames) {
    if (await has(name)) return { kind: "tokenizer.model", path: at(name), ...settings };
  }
  if ((await has("vocab.json")) && (await has("merges.txt"))) {
    return { kind: "merges", path: at("vocab.json"), merges: at("merges.txt"), ...settings };
  }
  if (await has("vocab.txt")) return { kind: "wordpiece", path: at("vocab.txt"), ...settings };
  const binary = binaryName(names, config?.value["vocab_size"]);
  if (binary !== undefined && (await has(binary))) return { kind: "llama2.c", path: at(binary) };
  const table = config && tableIn(config.value);
  if (table) return { kind: "stated table", path: config.path, table };
  return (await has("vocab.json")) ? { kind: "table", path: at("vocab.json") } : undefined;
}

/** What SentencePiece's model is called; T5's and ALBERT's is `spiece.model`. */
const sentencePieceNames = ["tokenizer.model", "spiece.model"];

const settingsName = "tokenizer_config.json";

/** llama2.c's: `tok512.bin` for a vocabulary of 512, `tokenizer.bin` for Llama 2's. */
function binaryName(names: ReadonlySet<string>, vocabularySize: unknown): string | undefined {
  const own = typeof vocabularySize === "number" ? [`tok${vocabularySize}.bin`] : [];
  const known = [...own, "tokenizer.bin"].find((name) => names.has(name));
  if (known !== undefined) return known;
  const others = [...names].filter((name) => /^tok\d+\.bin$/.test(name));
  return others.length === 1 ? others[0] : undefined;
}

/** What says which token has which number, under the names that training scripts use. */
const tableKeys = ["stoi", "char_to_idx", "char2idx", "itos", "chars", "vocab"];

/** The values that say which token has which number, in a config or in what it holds. */
export function tableIn(value: object, depth = 0): object | undefined {
  const entries = Object.entries(value);
  for (const key of tableKeys) {
    const table = entries.find(([name, held]) => name === key && isTable(held));
    if (table) return { [key]: table[1] as unknown };
  }
  if (depth === 2) return undefined;
  for (const [, held] of entries) {
    if (held === null || typeof held !== "object" || Array.isArray(held)) continue;
    const table = tableIn(held as object, depth + 1);
    if (table) return table;
  }
  return undefined;
}

function isTable(held: unknown): boolean {
  return typeof held === "string" || (held !== null && typeof held === "object");
}
