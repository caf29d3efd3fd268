/** The name of a class or a function. Nothing is ever looked up or called by it. */
export class Global {
  private full: string | undefined;

  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  toString(): string {
    // Asked for at every call, of which a file has thousands of the same function.
    return (this.full ??= `${this.module}.${this.name}`);
  }
}

/** An object of a class that is not ours: what it was made of, and nothing that it does. */
export class Inert {
  /** What it was given after it was made, for most classes its attributes by name. */
  state: unknown = undefined;
  /** What was put into it where it is a kind of list or set. */
  items: unknown[] | undefined;
  /** What was put into it where it is a kind of dictionary. */
  entries: Map<unknown, unknown> | undefined;

  constructor(
    /** Its class, or the function that would have made it. */
    readonly type: Global,
    readonly args: readonly unknown[],
  ) {}

  /** Its attributes, those in slots too. */
  get attributes(): ReadonlyMap<unknown, unknown> {
    const parts = Array.isArray(this.state) ? this.state : [this.state];
    const maps = parts.filter((part) => part instanceof Map);
    return maps.length === 1 ? maps[0]! : new Map(maps.flatMap((map) => [...map]));
  }
}

/** How many values take the memory of as many bytes or characters. */
export function wordsOf(bytes: number): number {
  return Math.ceil(bytes / 8);
}
