/** How text is cut into words before tokens are merged within each, as its model's authors published it. */
export interface Splitting {
  /** Each cuts what the ones before it left: matches are pieces, and so is what lies between. */
  readonly patterns: readonly string[];
  /** Whether characters are composed (NFC) first. */
  readonly isComposed?: boolean;
  /** Whether a word that is a token is that token, however it would be merged. */
  readonly areTokensWhole?: boolean;
  /** Whether a text begins with the start token where nothing says so. */
  readonly hasStart?: boolean;
}

const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const shortened = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const endings = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const words = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const cased = (suffix: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${suffix}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${suffix}`;
const casedEndings = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const ofGpt2: Splitting = { patterns: [gpt2] };
const ofLlama3: Splitting = {
  patterns: [`${shortened}|${words}|\\p{N}{1,3}|${endings}`],
  areTokensWhole: true,
  hasStart: true,
};
const ofCl100k: Splitting = { patterns: ofLlama3.patterns };
const ofQwen2: Splitting = {
  patterns: [`${shortened}|${words}|\\p{N}|${endings}`],
  isComposed: true,
};
const ofDigits: Splitting = { patterns: ["\\p{N}", gpt2] };

/** By the names of `tokenizer.ggml.pre`, which llama.cpp gives them. */
export const splittings: Readonly<Record<string, Splitting | undefined>> = {
  "gpt-2": ofGpt2,
  gpt2: ofGpt2,
  "phi-2": ofGpt2,
  mpt: ofGpt2,
  olmo: { ...ofGpt2, isComposed: true },
  jais: ofGpt2,
  exaone4: ofGpt2,
  mellum: ofGpt2,
  "roberta-bpe": ofGpt2,
  "llama-bpe": ofLlama3,
  llama3: ofLlama3,
  "llama-v3": ofLlama3,
  dbrx: ofCl100k,
  "smaug-bpe": ofCl100k,
  "chatglm-bpe": ofCl100k,
  glm4: ofCl100k,
  qwen2: ofQwen2,
  "deepseek-r1-qwen": ofQwen2,
  stablelm2: ofQwen2,
  starcoder: ofDigits,
  refact: ofDigits,
  "command-r": ofDigits,
  smollm: ofDigits,
  codeshell: ofDigits,
  falcon: { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", gpt2, "\\p{N}+", "[0-9][0-9][0-9]"] },
  "deepseek-coder": {
    patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}"],
  },
  "deepseek-v3": {
    patterns: [
      "\\p{N}{1,3}",
      "[一-龥぀-ゟ゠-ヿ]+",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ],
  },
  tekken: {
    patterns: [`${cased("")}|\\p{N}|${casedEndings}`],
    areTokensWhole: true,
    hasStart: true,
  },
  "gpt-4o": { patterns: [`${cased(`${shortened}?`)}|\\p{N}{1,3}|${casedEndings}`] },
  bloom: { patterns: [" ?[^(\\s|.,!?…。，、।۔،)]+"] },
  "poro-chat": { patterns: [" ?[^(\\s|.,!?…。，、।۔،)]+"] },
};

export function isSplitting(name: string): boolean {
  return Object.hasOwn(splittings, name);
}
