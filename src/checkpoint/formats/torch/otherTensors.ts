/** Tensors that are no plain arrays by themselves: what is said of them, and what to save instead. */
import { TensorReference, torchType } from "./objects";
import type { Inert } from "./pickle/values";
import { Global } from "./pickle/values";

/** Whether it is a tensor of a kind that is no plain array, such as a quantised or a divided one. */
export function isOtherTensor(object: Inert): boolean {
  return isRebuilt(object.type) || dividedType(object) !== undefined;
}

/**
 * Such a tensor as it is listed: its shape, what is stored of it where that is known, and why its numbers
 * cannot be told. Undefined where no shape is stated.
 */
export function listedTensor(object: Inert): TensorReference | undefined {
  const { stored, shape, type } = parts[object.type.toString()]?.(object.args) ?? {};
  if (!Array.isArray(shape)) return undefined;
  const reason = `was made by ${object.type.toString()}, which holds no plain numbers (quantised, sparse or on no device); save the model with dense weights`;
  if (stored instanceof TensorReference) {
    const { storage, offset, strides, ownType } = stored;
    return new TensorReference(storage, offset, stored.shape, strides, ownType, { reason, shape });
  }
  const isListed = torchType(type) !== undefined;
  return isListed ? new TensorReference(undefined, 0, [], [], type, { reason, shape }) : undefined;
}

interface Parts {
  /** What is stored of it, if anything. */
  readonly stored?: unknown;
  readonly shape?: unknown;
  /** The element type, where nothing is stored. */
  readonly type?: unknown;
}

/** What the functions of torch/_utils.py that make such tensors are called with. */
const parts: Readonly<Record<string, (args: readonly unknown[]) => Parts>> = {
  "torch._utils._rebuild_qtensor": ([storage, offset, shape, strides]) => ({
    stored: new TensorReference(storage, offset, shape, strides),
    shape,
  }),
  // Two or three lists of indices, the values, the shape, and what else there is.
  "torch._utils._rebuild_sparse_tensor": ([, held]) => {
    const lists: readonly unknown[] = Array.isArray(held) ? held : [];
    const tensors = lists.filter((one) => one instanceof TensorReference);
    return { stored: tensors.at(-1), shape: lists[tensors.length] };
  },
  // Several of different shapes, one after another: as many as there are elements.
  "torch._utils._rebuild_nested_tensor": ([stored]) => ({
    stored,
    shape: stored instanceof TensorReference ? stored.shape : undefined,
  }),
  "torch._utils._rebuild_meta_tensor_no_storage": ([type, shape]) => ({ shape, type }),
  "torch._utils._rebuild_wrapper_subclass": ([, type, shape]) => ({ shape, type }),
};

/** Why the file does not have the numbers of a tensor of which not even the shape is told. */
export function otherTensorText(object: Inert): string {
  const divided = dividedType(object);
  return divided === undefined
    ? `was made by ${object.type.toString()}, which is not known; save the model with dense weights`
    : `is a ${divided.toString()}, of which the file has only what one process held; ${saveWhole}; or let every process save it with torch.distributed.checkpoint, whose folders are read, and of which \`python -m torch.distributed.checkpoint.format_utils dcp_to_torch\` makes one file`;
}

/** Whether only a part of it is in the file. */
export function isDivided(object: Inert): boolean {
  return dividedType(object) !== undefined;
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
