/** What crosses between the host, its reading thread and the page of a tensor directory. Types only. */
import type { Outlook } from "../diagnosis/outlook";
import type { DiagnosisRequest } from "./messages";

/** What of a diagnosis decides whether it can run, and what it takes. */
export type DirectoryRequest = Pick<
  DiagnosisRequest,
  | "checkpoint"
  | "sequenceLength"
  | "maxTokens"
  | "metrics"
  | "probes"
  | "scheme"
  | "stack"
  | "chosenReading"
  | "threads"
  | "memoryBytes"
>;

/** A `CheckpointDirectory` that the extension passes on without looking into it. */
export interface PackedDirectory {
  /** As JSON in UTF-8: a hundred thousand tensors would hold up the thread of all extensions. */
  directory: Uint8Array;
  /** The folder of the file that lists the tensors, and the names in it that the page hangs on. */
  folder: string;
  names: string[];
  /** The real paths of the weight files. */
  files: readonly string[];
}

export type HostToDirectory =
  /** It begins to be read; what was shown before stays until it has been. */
  | { type: "reading"; name: string; path: string }
  | { type: "directory"; directory: Uint8Array }
  /** `reason` is one line. */
  | { type: "failed"; reason: string }
  | { type: "outlook"; outlook: Outlook | { kind: "failed"; reason: string } };

export type DirectoryToHost =
  | { type: "ready" }
  | { type: "diagnose" }
  /** Shows the weight file that holds a tensor in the explorer; `file` is its place in the directory. */
  | { type: "reveal"; file: number }
  | { type: "copy"; name: string };
