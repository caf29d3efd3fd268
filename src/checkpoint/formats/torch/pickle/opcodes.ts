import type { Machine } from "./machine";
import type { PickleBytes } from "./pickleBytes";
import { unescaped } from "./pickleBytes";
import { Global, wordsOf } from "./values";

/** Opcodes of protocols 0 to 5, by the names of Python's Lib/pickletools.py. */
const codes = {
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
/** What an opcode does to the machine, and with the bytes that follow it. */
type Step = (machine: Machine) => void;

/** Ends a pickle, whose value is the one on the stack. */
export const stop = codes.STOP;

/** What each opcode does, by its code; undefined where there is none. */
export function stepOf(code: number): Step | undefined {
  return byCode[code];
}

const lastProtocol = 5;

const steps: Readonly<Record<Exclude<keyof typeof codes, "STOP">, Step>> = {
  PROTO({ bytes }) {
    const protocol = bytes.unsigned(1);
    if (protocol > lastProtocol) {
      bytes.fail(`is of protocol ${protocol}; the last known one is ${lastProtocol}`);
    }
  },
  FRAME({ bytes }) {
    // Only tells how much could be read at once.
    bytes.long();
  },

  MARK(machine) {
    machine.mark();
  },
  POP(machine) {
    machine.drop();
  },
  POP_MARK(machine) {
    machine.sinceMark();
  },
  DUP(machine) {
    machine.push(machine.top());
  },

  NONE: pushed(() => null),
  NEWTRUE: pushed(() => true),
  NEWFALSE: pushed(() => false),
  BININT: pushed((bytes) => bytes.signed()),
  BININT1: pushed((bytes) => bytes.unsigned(1)),
  BININT2: pushed((bytes) => bytes.unsigned(2)),
  LONG1: pushed((bytes) => bytes.integer(bytes.unsigned(1))),
  LONG4: pushed((bytes) => bytes.integer(bytes.unsigned(4))),
  INT: pushed((bytes) => bytes.decimal()),
  LONG: pushed((bytes) => bytes.decimal()),
  FLOAT: pushed((bytes) => bytes.decimalFraction()),
  BINFLOAT: pushed((bytes) => bytes.fraction()),

  SHORT_BINUNICODE: pushed((bytes) => bytes.text(bytes.unsigned(1))),
  SHORT_BINSTRING: pushed((bytes) => bytes.text(bytes.unsigned(1))),
  BINUNICODE: pushed((bytes) => bytes.text(bytes.unsigned(4))),
  BINSTRING: pushed((bytes) => bytes.text(bytes.unsigned(4))),
  BINUNICODE8: pushed((bytes) => bytes.text(bytes.long())),
  UNICODE: pushed((bytes) => unescaped(bytes.line())),
  STRING: pushed((bytes) => unescaped(bytes.line().replace(/^(['"])(.*)\1$/, "$2"))),
  SHORT_BINBYTES: rawBytes((bytes) => bytes.unsigned(1)),
  BINBYTES: rawBytes((bytes) => bytes.unsigned(4)),
  BINBYTES8: rawBytes((bytes) => bytes.long()),
  BYTEARRAY8: rawBytes((bytes) => bytes.long()),

  EMPTY_TUPLE: made(() => []),
  EMPTY_LIST: made((machine) => machine.large([])),
  EMPTY_SET: made((machine) => machine.large([])),
  TUPLE1: made((machine) => machine.last(1)),
  TUPLE2: made((machine) => machine.last(2)),
  TUPLE3: made((machine) => machine.last(3)),
  TUPLE: made((machine) => machine.sinceMark()),
  LIST: made((machine) => machine.large(machine.sinceMark())),
  FROZENSET: made((machine) => machine.sinceMark()),
  EMPTY_DICT: made((machine) => machine.large(new Map())),
  DICT(machine) {
    const values = machine.sinceMark();
    machine.make(machine.large(new Map()));
    machine.setItems(values);
  },
  APPEND(machine) {
    machine.addItems(machine.last(1));
  },
  APPENDS(machine) {
    machine.addItems(machine.sinceMark());
  },
  ADDITEMS(machine) {
    machine.addItems(machine.sinceMark());
  },
  SETITEM(machine) {
    machine.setItems(machine.last(2));
  },
  SETITEMS(machine) {
    machine.setItems(machine.sinceMark());
  },

  GET(machine) {
    machine.recall(machine.bytes.index());
  },
  BINGET(machine) {
    machine.recall(machine.bytes.unsigned(1));
  },
  LONG_BINGET(machine) {
    machine.recall(machine.bytes.unsigned(4));
  },
  PUT(machine) {
    machine.remember(machine.bytes.index());
  },
  BINPUT(machine) {
    machine.remember(machine.bytes.unsigned(1));
  },
  LONG_BINPUT(machine) {
    machine.remember(machine.bytes.unsigned(4));
  },
  MEMOIZE(machine) {
    machine.rememberNext();
  },

  GLOBAL: made((machine) => machine.large(namedBy(machine.bytes))),
  STACK_GLOBAL: made((machine) => {
    const [module, name] = machine.last(2);
    if (typeof name !== "string" || typeof module !== "string") {
      return machine.bytes.fail("names a class by something that is no text");
    }
    // Its full name is put together; the parts may be recalled many times.
    machine.charge(wordsOf(module.length + name.length));
    return machine.large(new Global(module, name));
  }),
  REDUCE: construct,
  NEWOBJ: construct,
  NEWOBJ_EX(machine) {
    const [type, args, named] = machine.last(3);
    if (!Array.isArray(args)) {
      machine.construct(type, args);
      return;
    }
    machine.charge(args.length);
    machine.construct(type, [...(args as unknown[]), named]);
  },
  INST(machine) {
    const type = machine.large(namedBy(machine.bytes));
    machine.construct(type, machine.sinceMark());
  },
  OBJ(machine) {
    const [type, ...args] = machine.sinceMark();
    machine.construct(type, args);
  },
  BUILD(machine) {
    machine.build(machine.pop());
  },
  PERSID(machine) {
    machine.refer(machine.bytes.line());
  },
  BINPERSID(machine) {
    machine.refer(machine.pop());
  },
};

const byCode: (Step | undefined)[] = Array<Step | undefined>(256).fill(undefined);
for (const [name, step] of Object.entries(steps)) byCode[codes[name as keyof typeof codes]] = step;

/** A value that the bytes hold. */
function pushed(read: (bytes: PickleBytes) => unknown): Step {
  return (machine) => {
    machine.push(read(machine.bytes));
  };
}

/** As many bytes as are stated; an array of none takes as much memory as a dictionary. */
function rawBytes(length: (bytes: PickleBytes) => number): Step {
  return (machine) => {
    machine.push(machine.large(machine.bytes.raw(length(machine.bytes))));
  };
}

/** An object, of which there may not be too many. */
function made(make: (machine: Machine) => unknown): Step {
  return (machine) => {
    machine.make(make(machine));
  };
}

function construct(machine: Machine): void {
  const [callee, args] = machine.last(2);
  machine.construct(callee, args);
}

function namedBy(bytes: PickleBytes): Global {
  const module = bytes.line();
  return new Global(module, bytes.line());
}
