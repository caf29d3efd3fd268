/** Tensors that are no plain arrays by themselves: what is said of them, and what to save instead. */
import type { Inert } from "./pickle/values";
import { Global } from "./pickle/values";

/** Whether it is a tensor of a kind that is no plain array, such as a quantised or a divided one. */
export function isOtherTensor(object: Inert): boolean {
  return isRebuilt(object.type) || dividedType(object) !== undefined;
}

/** Why the file does not have its numbers, as the end of a message that has named it. */
export function otherTensorText(object: Inert): string {
  const divided = dividedType(object);
  return divided === undefined
    ? `was made by ${object.type.toString()}, which holds no plain numbers (quantised, sparse or on no device); save the model with dense weights`
    : `is a ${divided.toString()}, of which the file has only what one process held; ${saveWhole}; or let every process save it with torch.distributed.checkpoint, whose folders are read, and of which \`python -m torch.distributed.checkpoint.format_utils dcp_to_torch\` makes one file`;
}

/** Why a tensor of this name is no parameter; undefined where it may be one. */
export function flatParameterText(name: string): string | undefined {
  // StateDictType.LOCAL_STATE_DICT, before PyTorch 2 without the first underscore.
  return /(^|\.)_?flat_param(_\d+)?$/.test(name)
    ? `is a part of what FSDP makes of several parameters, whose names and shapes are not in the file; ${saveWhole}`
    : undefined;
}

const saveWhole =
  "save a full state dict (get_model_state_dict of torch.distributed.checkpoint.state_dict with StateDictOptions(full_state_dict=True), or FSDP's StateDictType.FULL_STATE_DICT)";

/** The class of a tensor that is divided among processes: of PyTorch since 2.0 made by a function, before an object. */
function dividedType({ type, args }: Inert): Global | undefined {
  return [type, args[0]].find(
    (one): one is Global =>
      one instanceof Global &&
      one.module.startsWith("torch.distributed.") &&
      (one.name === "DTensor" || one.name === "ShardedTensor"),
  );
}

function isRebuilt(type: Global): boolean {
  return /^torch\._utils\._rebuild_|^torch\._tensor\._rebuild_/.test(type.toString());
}
