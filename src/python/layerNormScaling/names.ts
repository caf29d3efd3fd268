/** What things are called in training code: the only knowledge here that is not structure. */
import { otherNorms } from "../norms";

/** The names under which a constructor is given its layer's index; the first is ours. */
export const indexNames = [
  "layer_idx",
  "layer_index",
  "layer_id",
  "block_idx",
  "block_index",
  "block_id",
] as const;

/** A parameter that says which layer it is: layer_idx, layer_number, block_id, not num_layers. */
export function isLayerNumberName(name: string): boolean {
  return /^(layer|block|depth)_?(idx|index|id|no|num|number|i)?$/i.test(name);
}

/** The attribute that holds a layer's factor. */
export const scaleName = "ln_scale";

/** Attributes that already hold such a factor. */
export const scaleAttribute =
  /^_?(ln|lns|norm|layer_?norm|rms_?norm|ln_depth|depth)_?(scale|scaling|scale_factor|factor)$/i;

const normClass = /(Norm|_norm|LN)(\d?|_?Impl|_?Class)$/;
const normWrapper = /^(Pre|Post|Add|AddAnd|AddN|Residual|Res|Skip|With|And)_?(Layer|RMS)?Norm$/;

/** A class such as LayerNorm, RMSNorm or LlamaRMSNorm; PreNorm wraps one and is none. */
export function isNormClassName(name: string): boolean {
  const last = name.split(".").at(-1)!;
  return normClass.test(last) && !otherNorms.test(last) && !normWrapper.test(last);
}

/** An attribute or variable that holds a norm or makes one: ln_1, input_layernorm, norm_layer. */
export function isNormName(name: string): boolean {
  return /norm|(^|_)ln(_|\d|f?$)/i.test(name) && !otherNorms.test(name) && !/^bn/i.test(name);
}

const normFunction =
  /^_?(rms_?|layer_?)?norm(alize)?$|^(ln|rms_?norm|layer_?norm)(_fn|_forward)?$/i;

/** A function such as F.layer_norm, or a helper called norm. */
export function isNormFunctionName(name: string): boolean {
  const parts = name.split(".");
  const last = parts.at(-1)!;
  // torch.norm and torch.linalg.norm measure; they do not normalise.
  if (parts.length > 1 && !/^(rms_norm|layer_norm|rms_?norm|layer_?norm)$/i.test(last)) {
    return false;
  }
  return normFunction.test(last);
}

/** Modules that hand their input on: the residual stream stays what it is. */
export function isPassthroughClassName(name: string): boolean {
  return /(Identity|Dropout\d?d?|DropPath|StochasticDepth|LayerScale)$/.test(name);
}

export function isPassthroughName(name: string): boolean {
  return /drop(out|_?path)?\d?$|^(resid_)?pdrop|identity$|^(ls|layer_?scale)_?\d?$/i.test(name);
}

/** Functions that add their arguments: torch.add, bias_dropout_add, residual_connection. */
export function isAddition(name: string): boolean {
  return /(^|_|\b)(add|residual|sub)(_|\b|$)/i.test(name.split(".").at(-1)!);
}

export function isCheckpoint(name: string): boolean {
  return /checkpoint/i.test(name.split(".").at(-1)!);
}

/** Methods of a tensor that do not change what it stands for. */
export const passthroughMethods: ReadonlySet<string> = new Set(
  (
    "to type type_as float half bfloat16 double cuda cpu contiguous view reshape transpose permute " +
    "clone detach unsqueeze squeeze expand flatten unflatten masked_fill masked_fill_ mul mul_ div div_ narrow chunk " +
    "split unbind movedim swapaxes view_as reshape_as requires_grad_ index_select roll repeat"
  ).split(" "),
);

/** Methods that add their argument, or put it in place of some elements. */
export const addingMethods: ReadonlySet<string> = new Set(
  (
    "add add_ sub sub_ masked_scatter masked_scatter_ scatter scatter_ index_add index_add_ " +
    "index_copy index_copy_ index_put index_put_ where"
  ).split(" "),
);

/** Attributes of a tensor that are the tensor in another guise. */
export const passthroughAttributes: ReadonlySet<string> = new Set(["T", "mT", "data", "real"]);

/** PyTorch's own layers, and the norms that a subclass inherits. */
export const frameworkLayers: ReadonlyMap<string, readonly string[]> = new Map([
  ["TransformerEncoderLayer", ["norm1", "norm2"]],
  ["TransformerDecoderLayer", ["norm1", "norm2", "norm3"]],
]);
