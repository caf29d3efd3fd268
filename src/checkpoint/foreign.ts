import { withFile } from "./formats/fileRange";
import { headBytes } from "./formats/format";

/** A kind of file that people have beside checkpoints, or in place of them, and that is not read. */
export interface ForeignKind {
  /** What such a file is, after "is". */
  readonly what: string;
  /** What to do instead. */
  readonly instead: string;
  /** Whether it stands in the place of a file of whatever kind. */
  readonly isStandIn?: boolean;
  /** How names of such files end, or what they are. */
  readonly names?: RegExp;
  /** How such a file begins, one character a byte. */
  readonly begins?: RegExp;
}

const ofOrigin = "choose the checkpoint that it was made from";
const fromTransformers =
  "with transformers 4, save it as safetensors: save_pretrained after from_pretrained(…, from_";

/** What torch.export.save writes: a zip archive too, as torch.save's are, but without a pickle of weights. */
export const exportedProgram = {
  what: "a program of torch.export",
  instead: "save the state_dict() of its module with torch.save",
};

/** The first that fits counts: what stands in the place of any file comes first. */
const kinds: readonly ForeignKind[] = [
  {
    what: "a pointer of Git LFS, the few lines that stand for a file until it is fetched",
    instead: "fetch it with git lfs pull",
    isStandIn: true,
    begins: /^version https:\/\/git-lfs\.github\.com\//,
  },
  {
    what: "a web page, as a download that failed leaves",
    instead: "download the file itself",
    isStandIn: true,
    begins: /^\s*<(!doctype html|html)/i,
  },
  {
    what: "a GGML file from before GGUF",
    instead: "convert the checkpoint that it was made from to GGUF",
    begins: /^(lmgg|fmgg|tjgg|algg)/,
  },
  { ...exportedProgram, names: /\.pt2$/i },
  { what: "an ONNX graph", instead: ofOrigin, names: /\.(onnx|ort)$/i },
  {
    what: "a model of Keras or TensorFlow in HDF5",
    instead: `${fromTransformers}tf=True)`,
    names: /\.(h5|hdf5|keras)$/i,
    begins: /^\x89HDF\r\n\x1a\n/,
  },
  {
    what: "a Flax checkpoint",
    instead: `${fromTransformers}flax=True)`,
    names: /\.msgpack$/i,
  },
  {
    what: "a TensorFlow Lite model",
    instead: ofOrigin,
    names: /\.tflite$/i,
    begins: /^[^]{4}TFL3/,
  },
  {
    what: "a TensorFlow graph or checkpoint",
    instead: `${fromTransformers}tf=True)`,
    names: /^saved_model\.pb$|\.pb$|\.data-\d{5}-of-\d{5}$|\.ckpt[\w.-]*\.(index|meta)$/i,
  },
  {
    what: "a checkpoint of Orbax (JAX)",
    instead: "export it to safetensors with the code that trained it",
    names: /^(_CHECKPOINT_METADATA|_METADATA|manifest\.ocdbt)$/,
  },
  { what: "a Core ML model", instead: ofOrigin, names: /\.(mlmodel|mlpackage|mlmodelc)$/i },
  { what: "an engine of TensorRT", instead: ofOrigin, names: /\.(engine|plan|trt)$/i },
  { what: "a model of OpenVINO", instead: ofOrigin, names: /^openvino_\w+\.(xml|bin)$/i },
  {
    what: "a file of NumPy arrays",
    instead: "save them with safetensors.numpy.save_file, under the names of a model's tensors",
    names: /\.(npy|npz)$/i,
    begins: /^\x93NUMPY/,
  },
  {
    what: "a compressed archive",
    instead: "unpack it, and choose the checkpoint in it",
    names: /\.(tar|gz|tgz|bz2|xz|zst|7z|rar|zip|nemo)$/i,
    begins: /^(\x1f\x8b|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!)/,
  },
];

/**
 * What a file is that is not read, told by its beginning, or else by its name.
 *
 * @param name without its folder
 * @param head its first bytes
 * @returns undefined where it is of no kind that is known
 */
export function foreignKind(name: string, head: Uint8Array): ForeignKind | undefined {
  const text = Buffer.from(head).toString("latin1");
  return (
    kinds.find(({ begins }) => begins?.test(text) === true) ??
    kinds.find(({ names }) => names?.test(name) === true)
  );
}

/** The same of a file in a folder, by its name alone. */
export function foreignAmong(
  names: readonly string[],
): (ForeignKind & { name: string }) | undefined {
  for (const name of names) {
    const kind = kinds.find((some) => some.names?.test(name) === true);
    if (kind) return { ...kind, name };
  }
  return undefined;
}

/** The same of a file that could not be read as what its name promised: by its beginning alone. */
export async function foreignContent(path: string): Promise<ForeignKind | undefined> {
  const head = await withFile(path, (whole) =>
    whole.read(0, Math.min(headBytes, whole.bytes)),
  ).catch(() => undefined);
  const text = head?.toString("latin1") ?? "";
  return kinds.find(({ begins }) => begins?.test(text) === true);
}
