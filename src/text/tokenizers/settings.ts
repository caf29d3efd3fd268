import * as z from "zod";

/** What a tokenizer_config.json says that decides on the ids of a text, as far as it is used here. */
export type Settings = z.infer<typeof schema>;

const token = z
  .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
  .nullish()
  .catch(undefined);
const choice = z.boolean().nullish().catch(undefined);

const schema = z.object({
  tokenizer_class: z.string().nullish().catch(undefined),
  bos_token: token,
  cls_token: token,
  unk_token: token,
  add_bos_token: choice,
  add_prefix_space: choice,
  do_lower_case: choice,
  strip_accents: choice,
  tokenize_chinese_chars: choice,
});

export function settingsIn(value: unknown): Settings {
  return schema.catch(schema.parse({})).parse(value);
}
