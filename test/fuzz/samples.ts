/** Valid files to begin from: small ones, and the heads of real ones. */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Trained checkpoints beside the repository; there need not be any. */
export const shared = fileURLToPath(new URL("../../../shared/checkpoints/", import.meta.url));

/** A valid file: how it begins and ends, and how many zeros, which no disk holds, are between. */
export interface Sample {
  readonly head: Buffer;
  readonly gap: number;
  readonly tail: Buffer;
  /** Where it is one of a checkpoint's several files. */
  readonly part?: Part;
}

/** What is around a file, by names within a folder. */
export interface Part {
  /** The file's own name. */
  readonly name: string;
  readonly beside: Readonly<Record<string, Buffer>>;
  /** What is given to the reader, "" for the folder. */
  readonly read: string;
}

export function bytesOf({ head, gap, tail }: Sample): number {
  return head.length + gap + tail.length;
}

export function whole(file: Buffer): Sample {
  return { head: file, gap: 0, tail: Buffer.alloc(0) };
}

/** Each of these files in turn, beside all the others. */
export function eachOf(files: Readonly<Record<string, Buffer>>, read = ""): Sample[] {
  return Object.entries(files).map(([name, content]) => {
    const beside = Object.fromEntries(Object.entries(files).filter(([other]) => other !== name));
    return { ...whole(content), part: { name, beside, read } };
  });
}

/** The files of a folder, those of folders in it too. */
export function filesIn(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    names.sort().map((path) => [path.slice(folder.length + 1), readFileSync(path)]),
  );
}

/** A real file, where there is one, of which only the ends matter: between them are its weights. */
export function real(name: string, headBytes: number, tailBytes = 0): Sample[] {
  const path = join(shared, name);
  if (!existsSync(path)) return [];
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  const head = Buffer.alloc(headBytes);
  const tail = Buffer.alloc(tailBytes);
  readSync(file, head, 0, headBytes, 0);
  readSync(file, tail, 0, tailBytes, size - tailBytes);
  closeSync(file);
  return [{ head, gap: size - headBytes - tailBytes, tail }];
}
