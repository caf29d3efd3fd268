import type { PythonSource } from "../parser";

/** A file of training code, as it was parsed. */
export interface SourceFile {
  /** Any name that tells the files apart; imports are resolved by it, so a path. */
  readonly path: string;
  readonly source: PythonSource;
}

/** Replaces the text from `start` to `end`, in UTF-16 code units of the file as it was. */
export interface TextEdit {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/** What a person should know of edited code. */
export interface ScalingWarning {
  /** One or two sentences. */
  readonly message: string;
  /** The line of code that it is about, which the edits leave as it is. */
  readonly at?: { readonly path: string; readonly line: string };
}

export const refusalReasons = [
  "already",
  "post-norm",
  "output-norm",
  "no-norms",
  "no-stack",
  "shared-block",
  "unclear-index",
  "unclear-norm",
  "unclear-construction",
  "framework-code",
  "broken-syntax",
] as const;

/** Why code is not edited; `message` says it for this code. */
export type RefusalReason = (typeof refusalReasons)[number];

export type ScalingOutcome =
  | {
      readonly kind: "edits";
      /** In the order of the files and of their text; no two overlap. */
      readonly edits: readonly TextEdit[];
      /** One sentence, for the log, which is in English. */
      readonly summary: string;
      readonly warnings: readonly ScalingWarning[];
      /** The same in words, to be written by hand. */
      readonly recipe: string;
    }
  | {
      readonly kind: "refusal";
      readonly reason: RefusalReason;
      /** One sentence. */
      readonly message: string;
      /** What to write by hand, in the names of this code. */
      readonly recipe: string;
    };

/** Thrown where the analysis meets code that it cannot edit safely. */
export class Refusal extends Error {
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}
