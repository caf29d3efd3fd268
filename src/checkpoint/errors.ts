/** What is wrong with a checkpoint, for code that must tell one cause from another. */
export type CheckpointProblem =
  | "unreadable"
  | "notACheckpoint"
  | "header"
  | "tensor"
  | "missingShard"
  | "missingTensor"
  | "config"
  | "unsupported";

/**
 * A checkpoint that cannot be read, or whose architecture is not supported. The message is one line
 * that names the file, the tensor where there is one, the value found and what was expected.
 */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";

  constructor(
    readonly problem: CheckpointProblem,
    message: string,
  ) {
    super(message);
  }
}

/** Any thrown thing as a message, for quoting the system's own words inside ours. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same in one line: what a parser says may quote the file it failed on. */
export function lineOf(error: unknown): string {
  return messageOf(error).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}

/** A name from an untrusted file, shortened and with control characters escaped, for a message. */
export function quote(name: string): string {
  return escaped(JSON.stringify(shortened(name)));
}

/**
 * Any value from an untrusted file, likewise; `missing` where there is none. No more of it is looked at than
 * is written: it may hold itself, or the same things a billion times over.
 */
export function written(value: unknown): string {
  if (value === undefined) return "missing";
  let left = longestText;
  const write = (part: unknown): string => {
    left--;
    if (typeof part === "string") {
      left -= part.length;
      return JSON.stringify(shortened(part));
    }
    if (typeof part !== "object" || part === null) return String(part);
    if (ArrayBuffer.isView(part)) return `${part.byteLength} bytes`;
    const isList = Array.isArray(part);
    const inner: string[] = [];
    for (const [key, held] of isList || part instanceof Map
      ? part.entries()
      : Object.entries(part)) {
      if (left <= 0) {
        inner.push("…");
        break;
      }
      inner.push(isList ? write(held) : `${write(key)}:${write(held)}`);
    }
    return isList ? `[${inner.join(",")}]` : `{${inner.join(",")}}`;
  };
  return escaped(shortened(write(value)));
}

const longestText = 120;

function shortened(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText - 3)}…` : text;
}

function escaped(text: string): string {
  return text.replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
