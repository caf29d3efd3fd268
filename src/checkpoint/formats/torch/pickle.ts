import { CheckpointError, quote } from "../../errors";
import { limits } from "../../limits";

/** The name of a class or a function. Nothing is ever looked up or called by it. */
export class Global {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  toString(): string {
    return `${this.module}.${this.name}`;
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

/** Makes a value of what a known class or function would have been called with. */
export type Constructor = (args: readonly unknown[]) => unknown;

export interface PickleReading {
  /** For messages. */
  readonly file: string;
  /** By full name; objects of all others are inert. */
  readonly constructors: ReadonlyMap<string, Constructor>;
  /** The value that an identifier outside the pickle stands for. */
  readonly persistent: (identifier: unknown) => unknown;
}

/** The pickle goes on beyond the bytes at hand. */
export class PickleTruncated extends CheckpointError {}

/**
 * Reads one pickle of protocol 0 to 5 (Python's Lib/pickletools.py states every opcode). It is
 * a program for a machine with a stack; here its classes and calls are names, and nothing of it runs.
 *
 * @param bytes may go on behind the pickle's end
 * @returns the value, and the offset where the pickle ends. Lists, tuples and sets are arrays,
 *   dictionaries are `Map`s, None is null; whole numbers beyond 2^53 are bigint, bytes `Uint8Array`;
 *   an array, a map or an object may hold itself
 * @throws PickleTruncated where the bytes end before the pickle does, and CheckpointError where it is
 *   not a pickle or asks for more than the limits grant
 */
export function readPickle(
  bytes: Buffer,
  start: number,
  reading: PickleReading,
): { value: unknown; end: number } {
  const machine = new Machine(bytes, start, reading);
  return { value: machine.run(), end: machine.at };
}

/** Opcodes, by the names of pickletools. */
const op = {
  MARK: 0x28,
  EMPTY_TUPLE: 0x29,
  STOP: 0x2e,
  POP: 0x30,
  POP_MARK: 0x31,
  DUP: 0x32,
  BINBYTES: 0x42,
  SHORT_BINBYTES: 0x43,
  FLOAT: 0x46,
  BINFLOAT: 0x47,
  INT: 0x49,
  BININT: 0x4a,
  BININT1: 0x4b,
  LONG: 0x4c,
  BININT2: 0x4d,
  NONE: 0x4e,
  PERSID: 0x50,
  BINPERSID: 0x51,
  REDUCE: 0x52,
  STRING: 0x53,
  BINSTRING: 0x54,
  SHORT_BINSTRING: 0x55,
  UNICODE: 0x56,
  BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63,
  DICT: 0x64,
  APPENDS: 0x65,
  GET: 0x67,
  BINGET: 0x68,
  INST: 0x69,
  LONG_BINGET: 0x6a,
  LIST: 0x6c,
  OBJ: 0x6f,
  PUT: 0x70,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  PROTO: 0x80,
  NEWOBJ: 0x81,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  LONG4: 0x8b,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  BINBYTES8: 0x8e,
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  FROZENSET: 0x91,
  NEWOBJ_EX: 0x92,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
  BYTEARRAY8: 0x96,
} as const;

const lastProtocol = 5;

class Machine {
  private readonly stack: unknown[] = [];
  /** Heights of the stack that were marked, the last of which it may not sink below. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  private objects = 0;

  constructor(
    private readonly bytes: Buffer,
    public at: number,
    private readonly reading: PickleReading,
  ) {}

  run(): unknown {
    for (;;) {
      const place = this.at;
      const code = this.bytes[this.take(1)]!;
      if (code === op.STOP) return this.pop();
      this.step(code, place);
    }
  }

  private step(code: number, place: number): void {
    switch (code) {
      case op.PROTO: {
        const protocol = this.unsigned(1);
        if (protocol > lastProtocol) {
          this.fail(`is of protocol ${protocol}; the last known one is ${lastProtocol}`);
        }
        return;
      }
      case op.FRAME:
        // Only tells how much could be read at once.
        this.long();
        return;

      case op.MARK:
        this.marks.push(this.stack.length);
        return;
      case op.POP:
        if (this.stack.length === this.marks.at(-1)) this.marks.pop();
        else this.pop();
        return;
      case op.POP_MARK:
        this.sinceMark();
        return;
      case op.DUP:
        this.stack.push(this.top());
        return;

      case op.NONE:
        this.stack.push(null);
        return;
      case op.NEWTRUE:
        this.stack.push(true);
        return;
      case op.NEWFALSE:
        this.stack.push(false);
        return;
      case op.BININT:
        this.stack.push(this.bytes.readInt32LE(this.take(4)));
        return;
      case op.BININT1:
        this.stack.push(this.unsigned(1));
        return;
      case op.BININT2:
        this.stack.push(this.unsigned(2));
        return;
      case op.LONG1:
        this.stack.push(this.integer(this.unsigned(1)));
        return;
      case op.LONG4:
        this.stack.push(this.integer(this.unsigned(4)));
        return;
      case op.INT:
      case op.LONG:
        this.stack.push(this.decimal());
        return;
      case op.FLOAT:
        this.stack.push(this.decimalFraction());
        return;
      case op.BINFLOAT:
        this.stack.push(this.bytes.readDoubleBE(this.take(8)));
        return;

      case op.SHORT_BINUNICODE:
      case op.SHORT_BINSTRING:
        this.stack.push(this.text(this.unsigned(1)));
        return;
      case op.BINUNICODE:
      case op.BINSTRING:
        this.stack.push(this.text(this.unsigned(4)));
        return;
      case op.BINUNICODE8:
        this.stack.push(this.text(this.long()));
        return;
      case op.UNICODE:
        this.stack.push(unescaped(this.line()));
        return;
      case op.STRING:
        this.stack.push(unescaped(this.line().replace(/^(['"])(.*)\1$/, "$2")));
        return;
      case op.SHORT_BINBYTES:
        this.stack.push(this.raw(this.unsigned(1)));
        return;
      case op.BINBYTES:
        this.stack.push(this.raw(this.unsigned(4)));
        return;
      case op.BINBYTES8:
      case op.BYTEARRAY8:
        this.stack.push(this.raw(this.long()));
        return;

      case op.EMPTY_TUPLE:
      case op.EMPTY_LIST:
      case op.EMPTY_SET:
        this.make([]);
        return;
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3: {
        const values = [this.pop()];
        for (let more = code - op.TUPLE1; more > 0; more--) values.unshift(this.pop());
        this.make(values);
        return;
      }
      case op.TUPLE:
      case op.LIST:
      case op.FROZENSET:
        this.make(this.sinceMark());
        return;
      case op.EMPTY_DICT:
        this.make(new Map());
        return;
      case op.DICT: {
        const values = this.sinceMark();
        this.make(new Map());
        this.setItems(values);
        return;
      }
      case op.APPEND:
        this.addItems([this.pop()]);
        return;
      case op.APPENDS:
      case op.ADDITEMS:
        this.addItems(this.sinceMark());
        return;
      case op.SETITEM: {
        const value = this.pop();
        this.setItems([this.pop(), value]);
        return;
      }
      case op.SETITEMS:
        this.setItems(this.sinceMark());
        return;

      case op.GET:
        this.stack.push(this.remembered(Number(this.line())));
        return;
      case op.BINGET:
        this.stack.push(this.remembered(this.unsigned(1)));
        return;
      case op.LONG_BINGET:
        this.stack.push(this.remembered(this.unsigned(4)));
        return;
      case op.PUT:
        this.memo.set(Number(this.line()), this.top());
        return;
      case op.BINPUT:
        this.memo.set(this.unsigned(1), this.top());
        return;
      case op.LONG_BINPUT:
        this.memo.set(this.unsigned(4), this.top());
        return;
      case op.MEMOIZE:
        this.memo.set(this.memo.size, this.top());
        return;

      case op.GLOBAL: {
        const module = this.line();
        this.make(new Global(module, this.line()));
        return;
      }
      case op.STACK_GLOBAL: {
        const [name, module] = [this.pop(), this.pop()];
        if (typeof name !== "string" || typeof module !== "string") {
          this.fail("names a class by something that is no text");
        }
        this.make(new Global(module, name));
        return;
      }
      case op.REDUCE:
      case op.NEWOBJ: {
        const args = this.pop();
        this.construct(this.pop(), args);
        return;
      }
      case op.NEWOBJ_EX: {
        const [named, args] = [this.pop(), this.pop()];
        this.construct(this.pop(), Array.isArray(args) ? [...(args as unknown[]), named] : args);
        return;
      }
      case op.INST: {
        const module = this.line();
        const type = new Global(module, this.line());
        this.construct(type, this.sinceMark());
        return;
      }
      case op.OBJ: {
        const [type, ...args] = this.sinceMark();
        this.construct(type, args);
        return;
      }
      case op.BUILD: {
        const state = this.pop();
        const object = this.top();
        // What else is given a state (an OrderedDict, a tensor) is complete without it.
        if (object instanceof Inert) object.state = state;
        return;
      }
      case op.PERSID:
        this.make(this.reading.persistent(this.line()));
        return;
      case op.BINPERSID:
        this.make(this.reading.persistent(this.pop()));
        return;
      default:
        this.fail(
          `has 0x${code.toString(16).padStart(2, "0")} at byte ${place} where an opcode should be`,
        );
    }
  }

  private construct(callee: unknown, args: unknown): void {
    if (!Array.isArray(args)) this.fail("calls something without a list of arguments");
    const list = args as unknown[];
    if (!(callee instanceof Global)) {
      // A call of what another call returned: not known by any name.
      this.make(new Inert(new Global("", ""), [callee, ...list]));
      return;
    }
    const known = this.reading.constructors.get(callee.toString());
    this.make(known ? known(list) : new Inert(callee, list));
  }

  private addItems(values: readonly unknown[]): void {
    const target = this.top();
    const items = target instanceof Inert ? (target.items ??= []) : target;
    if (!Array.isArray(items)) this.fail("appends to something that is no list");
    for (const value of values) (items as unknown[]).push(value);
  }

  private setItems(values: readonly unknown[]): void {
    const target = this.top();
    const entries = target instanceof Inert ? (target.entries ??= new Map()) : target;
    if (!(entries instanceof Map)) this.fail("sets keys of something that is no dictionary");
    if (values.length % 2 !== 0) this.fail("sets a key without a value");
    for (let at = 0; at < values.length; at += 2) entries.set(values[at], values[at + 1]);
  }

  private make(object: unknown): void {
    if (++this.objects > limits.pickleObjects) {
      this.fail(`holds more than ${limits.pickleObjects} objects, the limit`);
    }
    this.stack.push(object);
  }

  private remembered(index: number): unknown {
    if (!this.memo.has(index)) this.fail(`refers to value ${index}, which it has not stored`);
    return this.memo.get(index);
  }

  private top(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0))
      this.fail("takes a value where none is left");
    return this.stack.at(-1);
  }

  private pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private sinceMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) this.fail("goes back to a mark where none is left");
    return this.stack.splice(mark);
  }

  private take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) {
      throw new PickleTruncated("header", this.message("ends before it is complete"));
    }
    this.at += length;
    return start;
  }

  private unsigned(bytes: 1 | 2 | 4): number {
    return this.bytes.readUIntLE(this.take(bytes), bytes);
  }

  /** A length of 64 bits. */
  private long(): number {
    // What is rounded here is far beyond any file.
    return Number(this.bytes.readBigUInt64LE(this.take(8)));
  }

  private text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  private raw(length: number): Uint8Array {
    const start = this.take(length);
    // A copy: a part would keep the whole pickle in memory.
    return Uint8Array.from(this.bytes.subarray(start, start + length));
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const line = this.text((end < 0 ? this.bytes.length + 1 : end) - this.at);
    this.at++;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  /** A whole number in two's complement, least byte first. */
  private integer(length: number): number | bigint {
    if (length > limits.pickleIntegerBytes) {
      this.fail(`has a number of ${length} bytes; the limit is ${limits.pickleIntegerBytes}`);
    }
    const digits = Buffer.from(this.raw(length)).reverse().toString("hex");
    return narrowed(digits === "" ? 0n : BigInt.asIntN(8 * length, BigInt(`0x${digits}`)));
  }

  private decimal(): number | bigint | boolean {
    const line = this.line().replace(/L$/, "");
    if (line === "00" || line === "01") return line === "01";
    if (line.length > limits.pickleIntegerBytes || !/^[+-]?\d+$/.test(line)) {
      this.fail(`has ${quote(line)} where a whole number should be`);
    }
    return narrowed(BigInt(line.replace(/^\+/, "")));
  }

  private decimalFraction(): number {
    const line = this.line();
    if (/^[+-]?nan$/i.test(line)) return Number.NaN;
    const infinite = /^([+-]?)inf$/i.exec(line);
    if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
    const value = Number(line);
    if (line.trim() === "" || Number.isNaN(value)) {
      this.fail(`has ${quote(line)} where a number should be`);
    }
    return value;
  }

  private fail(what: string): never {
    throw new CheckpointError("header", this.message(what));
  }

  private message(what: string): string {
    return `${this.reading.file}: its pickle ${what}.`;
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Text of protocol 0, with Python's escapes. */
function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([nrt\\'"]))/g,
    (whole, four?: string, eight?: string, two?: string, letter?: string) => {
      const digits = four ?? eight ?? two;
      if (digits === undefined) return letters[letter!] ?? letter!;
      const point = parseInt(digits, 16);
      return point > 0x10ffff ? whole : String.fromCodePoint(point);
    },
  );
}

const letters: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
