/** Limits on what an untrusted checkpoint may ask of us, each checked before anything is allocated. */
export const limits = {
  /** The reference implementation of safetensors refuses longer headers too. */
  safetensorsHeaderBytes: 100_000_000,
  /** A sharded index of the largest public models (DeepSeek-V3, 91,000 tensors) is about 8 MB. */
  indexBytes: 100_000_000,
  /** Files of a folder that are looked at to find the checkpoint among them. */
  folderFiles: 10_000,
  /** A config.json is a page of text; the longest seen, with per-layer lists, stay under 200 kB. */
  configBytes: 10_000_000,
  /** A fathom.json names a few hundred patterns of tensors in the longest of models. */
  statementBytes: 1_000_000,
  /** Patterns of tensor names in it; each is compared with every name. */
  statementPatterns: 2_000,
  /** tokenizer.json of a 256k vocabulary (Gemma) is 34 MB. */
  tokenizerBytes: 200_000_000,
  /** Text and token files are held in memory whole; evaluations take a few thousand tokens. */
  textBytes: 100_000_000,
  /** A GGUF header with a tokenizer of 256k pieces and its merges is about 20 MB. */
  ggufHeaderBytes: 256_000_000,
  /** The specification's longest key; tensors' names are shorter. */
  ggufNameBytes: 65_535,
  /** Texts in GGUF metadata are chat templates and licences, tens of kilobytes. */
  ggufTextBytes: 16_000_000,
  /** Arrays in arrays are allowed by the specification; no file was seen to have any. */
  ggufArrayDepth: 4,
  /** Items of an array that goes into a config: lists by layer do, lists by token do not. */
  ggufConfigItems: 4096,
  /** Items of all arrays that are kept: three lists by token and the merges of 256k pieces are 1.5 million. */
  ggufItems: 8_000_000,
  /** GGUF files pad tensors to 32 bytes, some to a page or a block of a disk. */
  ggufAlignment: 2 ** 24,
  /** Layers of a llama2.c model; the largest Llama has 126. */
  llama2cLayers: 10_000,
  /** Parts of the largest split GGUF files: tens. */
  ggufParts: 10_000,
  /** No tensor of a transformer has more than five axes (convolutional patch embeddings have four). */
  tensorRank: 8,
  /** Shards of the largest public checkpoints: 191 (Llama-3.1-405B). */
  shards: 10_000,
  /** The pickle of a PyTorch file names its tensors in about 200 bytes each, with its tables of words. */
  pickleBytes: 100_000_000,
  /** Lists, dictionaries and objects of one pickle; ten of them make a tensor. */
  pickleObjects: 2_000_000,
  /**
   * Those that take two hundred bytes and more, in any file: lists and dictionaries, which take room ahead,
   * arrays of bytes and classes. The parts of the largest distributed checkpoints have three dictionaries each.
   */
  pickleLargeObjects: 2_000_000,
  /** Unpacked, in sizes of its archive: names of tensors pack ten to one, and the archive's list repeats them. */
  pickleRatio: 20,
  /** What a pickle puts on its stack, stores and copies; fifty values make a tensor. */
  pickleValues: 6_000_000,
  /** The same, and steps of a walk, for each byte of the file: all but copies spend at least one on each. */
  pickleValuesPerByte: 2,
  /**
   * The directory of a distributed checkpoint lists each part of each tensor: 450,000 of an 8B model with its
   * optimizer that 512 processes share, of 150 to 600 bytes each.
   */
  distributedBytes: 300_000_000,
  /** Objects of such a directory; up to thirty for each part, in 130 bytes of it and more. */
  distributedObjects: 14_000_000,
  /** The bytes that it spends on each of those, at the least. */
  distributedObjectBytes: 4,
  /** What it puts on its stack, stores and copies; up to a hundred values for each part. */
  distributedValues: 45_000_000,
  /** Whole numbers of a pickle: the state of a random generator takes 16 bytes, few take more. */
  pickleIntegerBytes: 1024,
  /** Levels of dictionaries and modules inside each other; the deepest models seen have twelve. */
  pickleDepth: 100,
  /** Objects met on a walk through a pickle, in which one may be met by many ways. */
  pickleVisits: 2_000_000,
  /** Values beside the weights, such as a table of words, that are kept as settings. */
  settings: 100_000,
  /** Characters of those values together. */
  settingsText: 2_000_000,
  /** The list of an archive's members takes about 100 bytes for each. */
  zipDirectoryBytes: 100_000_000,
  /** Deflate cannot pack tighter (RFC 1951: 258 bytes in two bits). */
  deflateRatio: 1032,
  /** What all members of an archive unpack to, in sizes of the file; masks of zeros pack well. */
  archiveRatio: 200,
  /** A file that names another folder. */
  folderNameBytes: 4096,
  /** Elements of a tensor that names some stored ones many times, as `expand` makes them. */
  repeatedElements: 2 ** 24,
} as const;

/** A limit on what a pickle makes, for a file of this size: a short one cannot ask for as much as a long one. */
export function withinBytes(limit: number, bytes: number): number {
  return Math.min(limit, limits.pickleValuesPerByte * bytes);
}
