/** Which rows of the directory are to be seen: the parts, and the tensors of those that are open. */
import { t } from "@vscode/l10n";
import type { CheckpointDirectory, DirectoryPart } from "../../src/report/directory";

export type Row =
  | {
      kind: "part";
      /** Place among the directory's parts. */
      part: number;
      isOpen: boolean;
      /** How many of its tensors pass the filter. */
      found: number;
    }
  | {
      kind: "tensor";
      part: number;
      /** Place among the part's tensors. */
      tensor: number;
      /** Place, from 1, among those of the part that pass the filter, and how many do. */
      place: number;
      found: number;
    };

export interface RowChoice {
  /** Keys of parts that are not as they are by themselves: see `partKey` and `opensByItself`. */
  turned: ReadonlySet<string>;
  /** Words that a tensor's name and type contain, whichever case; empty: all tensors. */
  filter: string;
}

/** While tensors are looked for, the parts that hold some are open by themselves. */
export function visibleRows(directory: CheckpointDirectory, { turned, filter }: RowChoice): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  for (const [index, part] of directory.parts.entries()) {
    const found = matching(part, words);
    if (found.length === 0) continue;
    const isOpen = (words.length > 0 || opensByItself(part)) !== turned.has(partKey(part));
    rows.push({ kind: "part", part: index, isOpen, found: found.length });
    if (!isOpen) continue;
    for (const [at, tensor] of found.entries()) {
      rows.push({ kind: "tensor", part: index, tensor, place: at + 1, found: found.length });
    }
  }
  return rows;
}

/** The same part of the file as it is read again. */
export function partKey({ kind, prefix }: DirectoryPart): string {
  return prefix === "" ? kind : prefix;
}

/** `Layer 7`, `Before the layers` */
export function partTitle({ kind, layer }: DirectoryPart): string {
  switch (kind) {
    case "layer":
      return t("Layer {0}", layer ?? "");
    case "before":
      return t("Before the layers");
    case "after":
      return t("After the layers");
    case "all":
      return t("Tensors");
  }
}

/** The name as the checkpoint has it. */
export function fullName(directory: CheckpointDirectory, part: number, tensor: number): string {
  const { prefix, tensors } = directory.parts[part]!;
  return prefix + tensors[tensor]![0];
}

/** `BF16`, or `mixed` of several types. */
export function typeOf({ tensors }: DirectoryPart): string {
  const [first, ...others] = tensors;
  return others.every(([, dataType]) => dataType === first![1]) ? first![1] : t("mixed");
}

/** Layers are many and alike; what stands around them is little and different. */
function opensByItself({ kind, tensors }: DirectoryPart): boolean {
  return kind === "all" || (kind !== "layer" && tensors.length <= mostOpenTensors);
}

const mostOpenTensors = 20;

function matching({ prefix, tensors }: DirectoryPart, words: readonly string[]): number[] {
  const found: number[] = [];
  for (let at = 0; at < tensors.length; at++) {
    const [name, dataType] = tensors[at]!;
    const text = `${prefix}${name} ${dataType}`.toLowerCase();
    if (words.every((word) => text.includes(word))) found.push(at);
  }
  return found;
}
