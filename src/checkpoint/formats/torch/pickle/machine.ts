import type { PickleBytes } from "./pickleBytes";
import { Global, Inert } from "./values";

/**
 * Makes a value of what a known class or function would have been called with.
 *
 * @param charge told how many values are about to be copied, and throws where they are too many
 */
export type Constructor = (args: readonly unknown[], charge: (values: number) => void) => unknown;

export interface PickleReading {
  /** For messages. */
  readonly file: string;
  /**
   * Values that it may put, store and copy, and lists, dictionaries and objects that it may hold; fewer
   * of those that take the most memory.
   */
  readonly most: {
    readonly values: number;
    readonly objects: number;
    readonly largeObjects: number;
  };
  /** By full name; objects of all others are inert. */
  readonly constructors: ReadonlyMap<string, Constructor>;
  /** The value that an identifier outside the pickle stands for. */
  readonly persistent: (identifier: unknown) => unknown;
}

/** What a pickle is a program for: a stack of values, marks in it, and a memory. Nothing is called. */
export class Machine {
  private readonly stack: unknown[] = [];
  /** Heights of the stack that were marked, the last of which it may not sink below. */
  private readonly marks: number[] = [];
  /** What is stored, in turn as Python numbers it; a map of millions takes half a minute to fill. */
  private readonly memo: unknown[] = [];
  /** What is stored under numbers out of turn. */
  private readonly scattered = new Map<number, unknown>();
  private objects = 0;
  private largeObjects = 0;
  /** Values put on the stack, stored or copied so far. */
  private values = 0;

  constructor(
    readonly bytes: PickleBytes,
    private readonly reading: PickleReading,
  ) {}

  /** Counts values before memory is taken for them. */
  readonly charge = (values: number): void => {
    this.values += values;
    const { most } = this.reading;
    if (this.values > most.values) {
      this.bytes.fail(
        `puts, stores or copies more than ${most.values} values, the limit for a file of its size`,
      );
    }
  };

  push(value: unknown): void {
    this.charge(1);
    this.stack.push(value);
  }

  /** From here on values are taken together. */
  mark(): void {
    this.marks.push(this.stack.length);
  }

  /** Takes the last value, or the mark that was set after it. */
  drop(): void {
    if (this.stack.length === this.marks.at(-1)) this.marks.pop();
    else this.pop();
  }

  /** Stores the last value, which stays where it is. */
  remember(index: number): void {
    const value = this.top();
    if (!this.hasStored(index)) this.charge(1);
    if (index in this.memo) {
      this.memo[index] = value;
    } else if (index === this.memo.length) {
      this.memo.push(value);
      this.scattered.delete(index);
    } else this.scattered.set(index, value);
  }

  rememberNext(): void {
    this.remember(this.memo.length + this.scattered.size);
  }

  /** What else is given a state than inert objects (an OrderedDict, a tensor) is complete without it. */
  build(state: unknown): void {
    const object = this.top();
    if (object instanceof Inert) object.state = state;
  }

  /** Puts what an identifier outside the pickle stands for. */
  refer(identifier: unknown): void {
    this.make(this.reading.persistent(identifier));
  }

  /** What a class or function would have made: a value of ours, or an inert object. */
  construct(callee: unknown, args: unknown): void {
    if (!Array.isArray(args)) this.bytes.fail("calls something without a list of arguments");
    const list = args as unknown[];
    if (!(callee instanceof Global)) {
      this.charge(list.length);
      // A call of what another call returned: not known by any name.
      this.make(new Inert(this.large(new Global("", "")), [callee, ...list]));
      return;
    }
    const known = this.reading.constructors.get(callee.toString());
    const object = known ? known(list, this.charge) : new Inert(callee, list);
    this.make(object instanceof Map ? this.large(object) : object);
  }

  /** Into the list on the stack. */
  addItems(values: readonly unknown[]): void {
    const target = this.top();
    const items = target instanceof Inert ? (target.items ??= this.large([])) : target;
    if (!Array.isArray(items)) this.bytes.fail("appends to something that is no list");
    for (const value of values) (items as unknown[]).push(value);
  }

  /** Keys and values in turn, into the dictionary on the stack. */
  setItems(values: readonly unknown[]): void {
    const target = this.top();
    const entries = target instanceof Inert ? (target.entries ??= this.large(new Map())) : target;
    if (!(entries instanceof Map)) this.bytes.fail("sets keys of something that is no dictionary");
    if (values.length % 2 !== 0) this.bytes.fail("sets a key without a value");
    for (let at = 0; at < values.length; at += 2) entries.set(values[at], values[at + 1]);
  }

  /** Puts something that takes memory, of which there may not be too much. */
  make(object: unknown): void {
    const { most } = this.reading;
    if (++this.objects > most.objects) {
      this.bytes.fail(`holds more than ${most.objects} objects, the limit`);
    }
    this.push(object);
  }

  /** Counts an object that takes more memory than others: what can grow takes room for that ahead. */
  large<Value>(object: Value): Value {
    const { most } = this.reading;
    if (++this.largeObjects > most.largeObjects) {
      this.bytes.fail(
        `holds more than ${most.largeObjects} lists, dictionaries, arrays of bytes and classes, the limit`,
      );
    }
    return object;
  }

  /** Puts a stored value. */
  recall(index: number): void {
    if (!this.hasStored(index))
      this.bytes.fail(`refers to value ${index}, which it has not stored`);
    this.push(index in this.memo ? this.memo[index] : this.scattered.get(index));
  }

  private hasStored(index: number): boolean {
    return index in this.memo || this.scattered.has(index);
  }

  top(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0))
      this.bytes.fail("takes a value where none is left");
    return this.stack.at(-1);
  }

  pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  /** Takes as many values, in the order in which they came. */
  last(count: number): unknown[] {
    const values = Array<unknown>(count);
    for (let at = count - 1; at >= 0; at--) values[at] = this.pop();
    return values;
  }

  /** Takes all values since the last mark, and the mark. */
  sinceMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) this.bytes.fail("goes back to a mark where none is left");
    return this.stack.splice(mark);
  }
}
