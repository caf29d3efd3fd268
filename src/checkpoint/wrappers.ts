/**
 * Names of a model's tensors without what wrappers put before them: `_orig_mod.` (torch.compile),
 * `_fsdp_wrapped_module.` and `_checkpoint_wrapped_module.` wherever they stand; where every name begins
 * so, `module.` (DistributedDataParallel) and `_forward_module.` (Fabric); and `model.`, the attribute in
 * which most scripts keep a model of others, where what is beneath it is a whole model. They may wrap
 * each other in any order. Names that would become the same are left as they are.
 *
 * @param names all of one checkpoint: in some shards of a model every name may begin with `model.`
 */
export function withoutWrappers(names: readonly string[]): readonly string[] {
  const plain = names.map((name) => name.replace(anywhere, ""));
  const begins = (prefix: string, at: number): boolean =>
    plain.every((name) => name.startsWith(prefix, at));
  let at = 0;
  let taken = 0;
  while (plain.length > 0) {
    const wrapper = wrappers.find((prefix) => begins(prefix, at));
    if (wrapper === undefined && !begins(attribute, at)) break;
    at += (wrapper ?? attribute).length;
    // LLaMA's own names begin with `model.` too: beneath that its layers follow, and no other root.
    if (wrapper !== undefined || isWholeModel(plain, at)) taken = at;
  }
  const whole = plain.map((name) => name.slice(taken));
  return new Set(whole).size < names.length ? names : whole;
}

const anywhere = /(?<=^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;
const wrappers = ["module.", "_forward_module."];
const attribute = "model.";

/**
 * How names of whole models begin, of which none follows a `model.` that is the family's own: there
 * stand `layers.`, `embed_tokens.`, `decoder.`, `encoder.layers.`, `language_model.` and the like.
 */
const roots = [
  // What holds the stack in a model with a head; Llama and its kin, OPT and BART call it `model`.
  /^model\.(layers|embed_tokens|decoder|language_model)\./,
  /^(transformer|gpt_neox|bert|roberta|distilbert|albert|electra|vit|deit)\./,
  // The stack by itself: GPT-2, minGPT and their kin, GPT-NeoX, BERT and its kin, T5, timm, OLMo-core.
  /^(wte|word_embeddings|embed_in|patch_embed|(h|blocks)\.\d+)\./,
  /^embeddings\.(word_embeddings\.|patch_embeddings\.|cls_token$)/,
  /^(en|de)coder\.block\.\d+\./,
];

function isWholeModel(names: readonly string[], at: number): boolean {
  return names.some((name) => roots.some((root) => root.test(name.slice(at))));
}

/**
 * Names in a checkpoint of Lightning without the attribute under which its LightningModule keeps the
 * model (`model.`, `net.` …), where every name begins with it; what wraps that module goes too.
 */
export function withoutLightningModule(names: readonly string[]): readonly string[] {
  const prefix = wrappedAttribute.exec(names[0] ?? "")?.[0];
  return prefix !== undefined && names.every((name) => name.startsWith(prefix))
    ? names.map((name) => name.slice(prefix.length))
    : names;
}

const wrappedAttribute = /^((_orig_mod|_fsdp_wrapped_module|_forward_module|module)\.)*[^.]+\./;
