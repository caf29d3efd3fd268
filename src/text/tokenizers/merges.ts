import * as z from "zod";
import { byteLevelTokenizer } from "./byteLevel";
import type { NamelessTokenizer } from "./library";
import type { Settings } from "./settings";
import { splittings } from "./splitting";

/**
 * GPT-2's pair of files: the number of each token, and the merges, one on a line, the first first.
 *
 * @throws Error when they are not of that form, or of a tokenizer that does not write bytes
 */
export function mergesTokenizer(
  vocabulary: unknown,
  mergesText: string,
  settings: Settings,
): NamelessTokenizer {
  const parsed = z.record(z.string(), z.int().nonnegative()).safeParse(vocabulary);
  if (!parsed.success) throw new Error("it does not map tokens to numbers");
  const vocab = parsed.data;
  const lines = mergesText.split(/\r?\n/).filter((line) => line !== "");
  const merges = (lines[0]?.startsWith("#version") ? lines.slice(1) : lines).map((line, at) => {
    const pair = line.split(" ");
    if (pair.length !== 2) throw new Error(`merge ${at} of its merges.txt is no pair of tokens`);
    return pair as [string, string];
  });
  if (Object.keys(vocab).some((token) => token.endsWith("</w>"))) {
    throw new Error("its tokens end in </w>, so they are not written byte by byte as GPT-2's are");
  }
  const { tokenizer_class: kind = "" } = settings;
  const isQwen2 = kind?.startsWith("Qwen2") ?? false;
  return byteLevelTokenizer({
    tokens: vocab,
    merges,
    splitting: splittings[isQwen2 ? "qwen2" : "gpt2"]!,
    added: [],
    isSpacePut: settings.add_prefix_space ?? false,
    prefix: startOf(vocab, settings),
  });
}

/** OPT and RoBERTa begin a text with a token; GPT-2 does not. */
function startOf(vocab: Readonly<Record<string, number>>, settings: Settings): number[] {
  const isRoberta = /^(Roberta|Bart|Longformer|LED)/.test(settings.tokenizer_class ?? "");
  if (settings.add_bos_token !== true && !isRoberta) return [];
  const start = vocab[settings.bos_token ?? "<s>"];
  return start === undefined ? [] : [start];
}
