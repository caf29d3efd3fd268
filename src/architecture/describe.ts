import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError, written } from "../checkpoint/errors";
import type { Architecture, Stack } from "./description";
import { albert } from "./families/albert";
import { bert } from "./families/bert";
import { bloom } from "./families/bloom";
import { deepseekLlm } from "./families/deepseekLlm";
import { deepseekV2 } from "./families/deepseekV2";
import { deepseekV3 } from "./families/deepseekV3";
import { distilbert } from "./families/distilbert";
import { electra } from "./families/electra";
import { falcon } from "./families/falcon";
import { gemma } from "./families/gemma";
import { gemma2 } from "./families/gemma2";
import { gemma3 } from "./families/gemma3";
import { gpt2 } from "./families/gpt2";
import { gptBigCode } from "./families/gptBigCode";
import { gptJ } from "./families/gptJ";
import { gptNeo } from "./families/gptNeo";
import { gptNeoX } from "./families/gptNeoX";
import { llama } from "./families/llama";
import { minGpt } from "./families/minGpt";
import { mistral } from "./families/mistral";
import { mixtral } from "./families/mixtral";
import { mpt } from "./families/mpt";
import { nanoGpt } from "./families/nanoGpt";
import { olmo } from "./families/olmo";
import { olmo2 } from "./families/olmo2";
import { olmo3 } from "./families/olmo3";
import { olmoCore } from "./families/olmoCore";
import { opt } from "./families/opt";
import { phi } from "./families/phi";
import { phi3 } from "./families/phi3";
import { qwen } from "./families/qwen";
import { qwen2 } from "./families/qwen2";
import { qwen2Moe } from "./families/qwen2Moe";
import { qwen3 } from "./families/qwen3";
import { qwen3Moe } from "./families/qwen3Moe";
import { roberta } from "./families/roberta";
import { stableLm } from "./families/stableLm";
import { starcoder2 } from "./families/starcoder2";
import { t5 } from "./families/t5";
import { timmVit } from "./families/timmVit";
import { deit, vit } from "./families/vit";
import type { Family } from "./family";
import type { SchemeName } from "./schemes";

/** In the order they are asked: a family told by more than its model_type stands before the others. */
const families: readonly Family[] = [
  deepseekLlm,
  llama,
  mistral,
  qwen2,
  qwen3,
  gpt2,
  gptBigCode,
  nanoGpt,
  minGpt,
  gptNeo,
  gptNeoX,
  gptJ,
  phi,
  phi3,
  starcoder2,
  stableLm,
  opt,
  bloom,
  mpt,
  falcon,
  qwen,
  gemma,
  gemma2,
  gemma3,
  olmo,
  olmo2,
  olmo3,
  olmoCore,
  mixtral,
  qwen2Moe,
  qwen3Moe,
  deepseekV2,
  deepseekV3,
  bert,
  roberta,
  distilbert,
  albert,
  electra,
  vit,
  deit,
  timmVit,
  t5,
];

/** Whether a family knows a checkpoint by its config.json and the names of its tensors. */
export function isOfKnownFamily({ config, tensors }: Checkpoint): boolean {
  return (
    config !== undefined && families.some(({ recognises }) => recognises(config.value, tensors))
  );
}

/**
 * Finds out what a checkpoint computes, from its config.json and its tensor directory.
 *
 * @param scheme the user's word on the norm scheme; undefined: settled from the checkpoint
 * @param stack the user's word on which stack is measured, of a model that has two
 * @throws CheckpointError when there is no config, the family is not supported, or the tensors
 *   contradict the config
 */
export function describeArchitecture(
  checkpoint: Checkpoint,
  scheme?: SchemeName,
  stack?: Stack,
): Architecture {
  const { config } = checkpoint;
  if (config === undefined) {
    throw new CheckpointError(
      "config",
      `${checkpoint.directoryFile}: there is no config.json beside it; one is needed to know the architecture.`,
    );
  }
  const family = families.find((candidate) =>
    candidate.recognises(config.value, checkpoint.tensors),
  );
  if (family === undefined) {
    const found = written(config.value["model_type"]);
    const known = families.map(({ name }) => name).join(", ");
    throw new CheckpointError(
      "unsupported",
      `${config.path}: "model_type" is ${found}, which is not supported; supported are ${known}.`,
    );
  }
  return family.describe(checkpoint, config, scheme, stack);
}
