/** What passes between the extension and its threads: calls of methods and their answers. */
import type { Texts } from "../../protocol/texts";

/** A method of what a thread answers, and what it takes and gives. */
export type Method<Methods, Name extends keyof Methods> = Extract<
  Methods[Name],
  (...input: never[]) => unknown
>;

export type ToThread =
  | { type: "call"; id: number; method: string; input: readonly unknown[] }
  /** What the call would answer is of no interest any more. */
  | { type: "abort"; id: number };

export type FromThread =
  | { id: number; ok: true; output: unknown }
  | { id: number; ok: false; name: string; message: string };

/** What a thread is started with. */
export interface ThreadStart {
  /** What its sentences are worded in, as `Texts`; English where it is left out. */
  readonly texts: Texts | undefined;
  readonly data: unknown;
}
