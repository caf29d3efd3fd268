import { CheckpointError, quote, written } from "../../../checkpoint/errors";
import { readTensor } from "../../../checkpoint/readTensor";
import type { Dialect } from "../dialect";
import { translated } from "../names";
import { encoders } from "./encoders";
import { gpt2Kin } from "./gpt2Kin";
import type { GgufArchitecture } from "./ggufArchitecture";
import { Keys } from "./keys";
import { llamaKin } from "./llamaKin";
import { otherDecoders } from "./otherDecoders";

/** By `general.architecture`; the names are those of gguf-py/gguf/constants.py. */
const architectures: Readonly<Record<string, GgufArchitecture>> = {
  ...llamaKin,
  ...gpt2Kin,
  ...otherDecoders,
  ...encoders,
};

/** What Llama 3.1's frequencies are divided by: computed by the conversion, and stored as a tensor. */
const factorsName = "rope_freqs.weight";

/** Files of llama.cpp. */
export const gguf: Dialect = {
  name: "GGUF",
  recognises: ({ config }) => typeof config?.value["general.architecture"] === "string",
  translate: async (checkpoint) => {
    const config = checkpoint.config!;
    const name = config.value["general.architecture"] as string;
    if (!Object.hasOwn(architectures, name)) {
      const known = Object.keys(architectures).join(", ");
      throw new CheckpointError(
        "unsupported",
        `${config.path}: "general.architecture" is ${written(name)}, which is not supported; supported are ${known}.`,
      );
    }
    const { names, undo = [], readByConfig, differences, config: configOf } = architectures[name]!;
    const keys = new Keys(name, checkpoint);
    const value = await configOf(keys, checkpoint.tensors);
    keys.requireAllRead();
    const factors = checkpoint.tensors.get(factorsName);
    const renamed = translated(
      checkpoint.tensors,
      names,
      (tensor) => tensor === factorsName || readByConfig?.test(tensor) === true,
    );
    const unknown = [...renamed].find(([tensor, entry]) => tensor === entry.name)?.[0];
    if (unknown !== undefined) {
      throw new CheckpointError(
        "unsupported",
        `${checkpoint.directoryFile}: tensor ${quote(unknown)} has no place in a GGUF model of the architecture ${quote(name)}.`,
      );
    }
    return {
      checkpoint: {
        ...checkpoint,
        tensors: undo.reduce((tensors, step) => step(tensors, keys), renamed),
        config: { path: config.path, value },
      },
      differences: {
        ...differences,
        ...(factors && { frequencyFactors: [...(await readTensor(factors))] }),
      },
    };
  },
};
