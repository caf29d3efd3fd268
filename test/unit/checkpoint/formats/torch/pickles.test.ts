import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../../../src/checkpoint/checkpoint";
import { stored as dataTypeOf } from "../../../../../src/checkpoint/dataType";
import { CheckpointError } from "../../../../../src/checkpoint/errors";
import { limits } from "../../../../../src/checkpoint/limits";
import { reading } from "../../../../../src/checkpoint/formats/torch/container";
import { readPickle } from "../../../../../src/checkpoint/formats/torch/pickle/pickle";
import { openCheckpoint } from "../../../../../src/checkpoint/open";
import { readTensor } from "../../../../../src/checkpoint/readTensor";
import { failureOf } from "../../../support/failures";
import { scratchFolders } from "../../../support/scratch";
import type { Code } from "../../../support/torchFiles";
import {
  floats,
  pickled,
  tensorCode,
  torchLegacy,
  torchZip,
  uint32,
  zipFile,
} from "../../../support/torchFiles";

const scratch = scratchFolders();
const { built, call, dict, global, int, list, persistent, recalled, stored, text, tuple } = pickled;

const weights = { "a.weight": tensorCode("0", [2, 2]), "b.bias": tensorCode("1", [2]) };
const storages = { 0: floats(1, 2, 3, 4), 1: floats(5, 6) };
const bytes = (...values: number[]): Code => Buffer.from(values);
const opcodes = (code: string): Code => Buffer.from(code, "latin1");
const repeated = (code: string, count: number): Code => opcodes(code.repeat(count));

async function opened(root: Code, write = torchZip): Promise<Checkpoint> {
  const file = join(scratch(), "model.pt");
  writeFileSync(file, write(root, storages));
  return openCheckpoint(file);
}

async function expectWeights(checkpoint: Checkpoint): Promise<void> {
  expect([...checkpoint.tensors.keys()]).toEqual(["a.weight", "b.bias"]);
  expect([...(await readTensor(checkpoint.tensors.get("a.weight")!))]).toEqual([1, 2, 3, 4]);
  expect([...(await readTensor(checkpoint.tensors.get("b.bias")!))]).toEqual([5, 6]);
}

/** Tuples of ten of the ones before. */
function laughs(levels: number): Code {
  const level = (at: number): Code =>
    at === 0
      ? stored(tuple(text("ha")), 0)
      : tuple(level(at - 1), ...Array<Code>(9).fill(recalled(at - 1)));
  return Array.from({ length: levels }, (_, at) => at).reduce<Code>(
    (inner, at) => stored(tuple(inner, ...Array<Code>(9).fill(recalled(1000 + at - 1))), 1000 + at),
    stored(level(0), 999),
  );
}

describe("what stands beside weights", () => {
  const systemCall = call(global("os", "system"), text("touch /tmp/run"));
  const object = call(
    global("copyreg", "_reconstructor"),
    global("app", "Run"),
    global("builtins", "object"),
    pickled.none,
  );

  it.each<[string, Code]>([
    ["a call of the system", systemCall],
    ["an evaluation", call(global("builtins", "eval"), text("1/0"))],
    [
      "a call of what a call returned",
      call(call(global("builtins", "getattr"), global("os", "x"), text("y")), text("z")),
    ],
    ["a call inside the arguments of a call", call(global("builtins", "exec"), systemCall)],
    [
      "an object with a state of its own",
      built(object, dict({ __setstate__: systemCall, plain: int(3) })),
    ],
    ["a state that is no dictionary", built(object, tuple(systemCall, int(3)))],
    ["bytes to be loaded", call(global("torch.storage", "_load_from_bytes"), text("x"))],
    ["an instance of protocol 0", opcodes("(S'touch /tmp/run'\nios\nsystem\n")],
    [
      "an instance by its class",
      Buffer.concat([opcodes("("), global("os", "system"), text("x"), opcodes("o")]),
    ],
    ["an identifier that is no storage", persistent(text("x"))],
    [
      "a module with its source",
      persistent(tuple(text("module"), global("os", "system"), text("a"), text("b"))),
    ],
    ["a memory bomb of an index", stored(text("x"), 0xffffffff)],
    ["a deep nest", Buffer.concat([repeated("(", 50_000), opcodes("N"), repeated("t", 50_000)])],
    ["a laugh a billion times over", laughs(30)],
    ["a list that holds itself", opcodes("]q\x01h\x01a")],
    [
      "a dictionary that holds itself",
      Buffer.concat([opcodes("}q\x01"), text("x"), opcodes("h\x01s")]),
    ],
    [
      "a number of sixteen bytes",
      Buffer.concat([bytes(0x8b, 16, 0, 0, 0), Buffer.alloc(16, 0x11)]),
    ],
    ["an optimizer's nonsense", call(global("torch._utils", "_rebuild_tensor_v2"), int(1))],
    ["a quantised tensor", call(global("torch._utils", "_rebuild_qtensor"), int(1))],
  ])("is read as what it is, without running: %s", async (_, code) => {
    const root = dict({ beside: code, model: dict(weights), epoch: int(2) });
    for (const write of [torchZip, torchLegacy]) {
      const began = performance.now();
      const checkpoint = await opened(root, write);
      await expectWeights(checkpoint);
      expect(checkpoint.config?.value).toMatchObject({ epoch: 2 });
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });

  it("is kept where it is plain, also inside an object", async () => {
    const { config } = await opened(
      dict({ model: dict(weights), run: built(object, dict({ heads: int(4), call: systemCall })) }),
    );
    expect(config?.value).toEqual({ run: { heads: 4, call: "touch /tmp/run" } });
  });

  it("is left out where it holds tensors, though the weights are in no dictionary of their own", async () => {
    const moments = dict({ "state.a.weight.exp_avg": weights["a.weight"] });
    const others = {
      optimizer: moments,
      lr_scheduler: dict({ last: weights["b.bias"] }),
      train_state: dict({ step: weights["b.bias"] }),
      rng_states: list(weights["b.bias"]),
      ema: dict(weights),
      "grad_scaler.0": dict({ scale: weights["b.bias"] }),
    };
    await expectWeights(await opened(dict({ ...weights, ...others })));
    await expectWeights(await opened(dict({ model: dict({ ...others, ...weights }) })));
    const nested = await opened(dict({ ...weights, inner: dict({ "c.bias": weights["b.bias"] }) }));
    expect([...nested.tensors.keys()]).toEqual(["a.weight", "b.bias", "inner.c.bias"]);
  });

  it("is left out where it is longer than its file would be without repeating itself", async () => {
    const said = async (times: number) => {
      const copies = Array<Code>(times).fill(recalled(7));
      const words = list(stored(text("x".repeat(1000)), 7), ...copies);
      return (await opened(dict({ model: dict(weights), words, short: text("x") }))).config?.value;
    };
    expect(await said(1000)).toEqual({ short: "x" });
    expect(await said(1)).toMatchObject({ words: ["x".repeat(1000), "x".repeat(1000)] });
  });

  it("is left out where it is longer than the limits", async () => {
    const long = text("x".repeat(limits.settingsText + 1));
    const { config } = await opened(dict({ model: dict(weights), long, short: text("x") }));
    expect(config?.value).toEqual({ short: "x" });
  });
});

describe("a pickle", () => {
  const model = dict(weights);
  /** The same value after opcodes that leave nothing. */
  const after = (code: Code): Code => Buffer.concat([code, model]);
  const nested = (levels: number): Code =>
    Array.from({ length: levels }).reduce<Code>((inner) => dict({ model: inner }), model);

  it.each<[string, Code, string, Code]>([
    ["takes from an empty stack", after(opcodes("0")), "where none is left", after(opcodes("N0"))],
    [
      "takes what lies below a mark",
      Buffer.concat([model, opcodes("((a11")]),
      "where none is left",
      Buffer.concat([model, opcodes("(1")]),
    ],
    ["goes back to no mark", after(opcodes("1")), "mark where none", after(opcodes("(1"))],
    [
      "recalls by a word",
      after(opcodes("Np5\ng__proto__\n00")),
      "stored value should be",
      after(opcodes("Np5\ng5\n00")),
    ],
    [
      "stores under a number below zero",
      after(opcodes("Np-1\n0")),
      "stored value should be",
      after(opcodes("Np1\n0")),
    ],
    [
      "recalls what it has not stored",
      after(opcodes("h\x050")),
      "value 5",
      after(opcodes("Nq\x05h\x0500")),
    ],
    ["has no opcode", after(opcodes("\xff")), "has 0xff at byte", after(Buffer.alloc(0))],
    ["uses an extension's code", after(opcodes("\x82\x01")), "0x82", after(Buffer.alloc(0))],
    ["is of a later protocol", after(bytes(0x80, 6)), "protocol 6", after(bytes(0x80, 5))],
    [
      "sets a key without a value",
      after(opcodes("}(Nu0")),
      "without a value",
      after(opcodes("}(NNu0")),
    ],
    ["appends to a number", after(opcodes("K\x01Na0")), "no list", after(opcodes("]Na0"))],
    ["sets a key of a list", after(opcodes("]NNs0")), "no dictionary", after(opcodes("}NNs0"))],
    [
      "calls without a list",
      after(opcodes("cos\nsystem\nNR0")),
      "without a list",
      after(opcodes("cos\nsystem\n)R0")),
    ],
    [
      "names a class by a number",
      after(opcodes("K\x01K\x02\x930")),
      "no text",
      after(opcodes("\x8c\x01a\x8c\x01b\x930")),
    ],
    [
      "has a text beyond its end",
      after(bytes(0x58, 255, 255, 255, 127)),
      "before it is complete",
      after(bytes(0x58, 1, 0, 0, 0, 65, 0x30)),
    ],
    [
      "has bytes beyond all files",
      after(bytes(0x8e, 255, 255, 255, 255, 255, 255, 255, 255)),
      "before it is complete",
      after(bytes(0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 65, 0x30)),
    ],
    [
      "has a number beyond its end",
      after(bytes(0x8b, 255, 255, 255, 127)),
      "2147483647 bytes; the limit",
      after(bytes(0x8b, 1, 0, 0, 0, 5, 0x30)),
    ],
    [
      "has a number that is long",
      after(Buffer.concat([bytes(0x8b, 1, 4, 0, 0), Buffer.alloc(1025), opcodes("0")])),
      "1025 bytes; the limit is 1024",
      after(Buffer.concat([bytes(0x8b, 0, 4, 0, 0), Buffer.alloc(1024), opcodes("0")])),
    ],
    [
      "has a number of many digits",
      after(opcodes(`I${"9".repeat(2000)}\n0`)),
      "whole number should be",
      after(opcodes(`I${"9".repeat(1000)}\n0`)),
    ],
    [
      "has a fraction that is none",
      after(opcodes("Fx\n0")),
      "number should be",
      after(opcodes("F-inf\n0")),
    ],
    ["lies too deep", nested(150), "100 deep", nested(50)],
  ])("is refused where it %s", async (_, wrong, words, right) => {
    for (const write of [torchZip, torchLegacy]) {
      expect(await failureOf(opened(wrong, write), CheckpointError)).toContain(words);
      await expectWeights(await opened(right, write));
    }
  });

  describe("that takes more memory than its file", () => {
    const words = (count: number): Code =>
      Buffer.concat([opcodes("("), repeated("N", count), opcodes("t")]);
    const many = 3000;
    const copied = (name: string, content: Code, copies: number): Code =>
      after(
        Buffer.concat([
          stored(content, 7),
          ...Array<Code>(copies).fill(
            Buffer.concat([call(global("builtins", name), recalled(7)), opcodes("0")]),
          ),
          opcodes("0"),
        ]),
      );
    const pairs = Buffer.concat([
      opcodes("}("),
      ...Array.from({ length: 1000 }, (_, at) => int(at)),
      opcodes("u"),
    ]);
    const long = text("x".repeat(4000));
    const over = (module: string, name: string, args: readonly Code[], calls: number): Code =>
      after(
        Buffer.concat([
          stored(long, 7),
          ...Array<Code>(calls).fill(
            Buffer.concat([call(global(module, name), ...args), opcodes("0")]),
          ),
          opcodes("0"),
        ]),
      );
    /** A name that is twice as long after each step. */
    const doubled = (steps: number): Code =>
      after(
        Buffer.concat([
          stored(text("x".repeat(1000)), 7),
          ...Array<Code>(steps).fill(
            Buffer.concat([
              stored(call(global("torch", "device"), recalled(7), recalled(7)), 7),
              opcodes("0"),
            ]),
          ),
          opcodes("0"),
        ]),
      );
    const args = (name: string): Code => call(global("app", name), int(1));
    const limit = "values, the limit for a file of its size";

    it.each<[string, Code, Code]>([
      ["copies a list", copied("list", words(many), 200), copied("list", words(many), 1)],
      ["copies a dictionary", copied("dict", pairs, 200), copied("dict", pairs, 5)],
      [
        "copies arguments",
        after(
          Buffer.concat([
            stored(words(many), 7),
            opcodes("0"),
            args("f"),
            Buffer.concat(Array<Code>(200).fill(Buffer.concat([recalled(7), opcodes("R")]))),
            opcodes("0"),
          ]),
        ),
        after(
          Buffer.concat([
            stored(words(many), 7),
            opcodes("0"),
            args("f"),
            recalled(7),
            opcodes("R0"),
          ]),
        ),
      ],
      [
        "copies a list by a call in a call",
        after(
          Buffer.concat([
            stored(words(many), 7),
            opcodes("0"),
            ...Array<Code>(200).fill(
              Buffer.concat([
                call(
                  global("torch._tensor", "_rebuild_from_type_v2"),
                  global("builtins", "list"),
                  int(0),
                  tuple(recalled(7)),
                ),
                opcodes("0"),
              ]),
            ),
          ]),
        ),

        after(
          Buffer.concat([
            stored(words(many), 7),
            opcodes("0"),
            call(
              global("torch._tensor", "_rebuild_from_type_v2"),
              global("builtins", "list"),
              int(0),
              tuple(recalled(7)),
            ),
            opcodes("0"),
          ]),
        ),
      ],
      [
        "makes bytes of a text",
        over("_codecs", "encode", [recalled(7)], 200),
        over("_codecs", "encode", [recalled(7)], 5),
      ],
      ["joins texts", doubled(40), doubled(3)],
      [
        "joins the names of classes",
        after(
          Buffer.concat([
            stored(long, 7),
            opcodes("0"),
            ...Array<Code>(200).fill(Buffer.concat([recalled(7), recalled(7), opcodes("\x930")])),
          ]),
        ),
        after(
          Buffer.concat([
            stored(long, 7),
            opcodes("0"),
            recalled(7),
            recalled(7),
            opcodes("\x930"),
          ]),
        ),
      ],
    ])("is refused where it %s", async (_, wrong, right) => {
      for (const write of [torchZip, torchLegacy]) {
        expect(await failureOf(opened(wrong, write), CheckpointError)).toContain(limit);
        await expectWeights(await opened(right, write));
      }
    });

    const room = { values: 500, objects: 100, largeObjects: 50 };
    it.each<[string, (count: number) => Code, string]>([
      ["puts too many values", (count) => opcodes(`(${"N".repeat(count)}1`), "500 values"],
      ["stores too many", (count) => opcodes(`N${"\x94".repeat(count)}0`), "500 values"],
      ["holds too many objects", (count) => repeated(")0", count / 5), "100 objects"],
      ...(["]0", "}0", "\x8f0", "(l0", "(d0", "ca\nb\n0", "(ia\nb\n0", "C\x000"] as const).map(
        (code): [string, (count: number) => Code, string] => [
          `holds too many of the large ones by ${JSON.stringify(code)}`,
          (count) => repeated(code, Math.ceil(count / 10)),
          "50 lists, dictionaries, arrays of bytes and classes",
        ],
      ),
    ])("is refused where it %s, however large its file is", (_, code, limit) => {
      const read = (count: number): unknown => {
        const large = { ...reading({ file: "model.pt", bytes: 1e12 }), most: room };
        return readPickle(pickled.whole(after(code(count))), 0, large).value;
      };
      expect(() => read(600)).toThrow(`more than ${limit}`);
      expect(read(300)).toBeInstanceOf(Map);
    });

    it("is limited by its file, and where that is large by what models have", () => {
      const least = { values: 2000, objects: 2_000_000, largeObjects: 2_000_000 };
      expect(reading({ file: "", bytes: 1000 }).most).toEqual(least);
      const most = { values: limits.pickleValues, objects: limits.pickleObjects };
      expect(reading({ file: "", bytes: 1e12 }).most).toMatchObject(most);
    });

    it("of a distributed checkpoint may hold an object for each four bytes", () => {
      const most = { values: limits.distributedValues, objects: limits.distributedObjects };
      const objects = (bytes: number): number => reading({ file: "", bytes }, most).most.objects;
      expect([1000, 13_900_000, 1e12].map(objects)).toEqual([
        2_000_000,
        3_475_000,
        limits.distributedObjects,
      ]);
    });

    it("is refused where it unpacks to too many sizes of its archive", async () => {
      const packed = (root: Code): Buffer =>
        zipFile([
          { name: "archive/data.pkl", data: pickled.whole(root), isDeflated: true },
          { name: "archive/data/0", data: storages[0] },
          { name: "archive/data/1", data: storages[1] },
        ]);
      // The archive takes about a thousand bytes.
      const zeros = (length: number): Code =>
        after(Buffer.concat([opcodes("B"), uint32(length), Buffer.alloc(length), opcodes("0")]));
      const wrong = opened(zeros(40_000), packed);
      expect(await failureOf(wrong, CheckpointError)).toMatch(
        /data.pkl" takes \d+ bytes; the limit is \d+/,
      );
      await expectWeights(await opened(zeros(8000), packed));
    });

    it("is read where it is as large as those of the largest models", async () => {
      const count = 91_000;
      const one = tensorCode("1", [2]);
      const root = dict(
        Object.fromEntries(
          Array.from({ length: count }, (_, at) => [`model.layers.${at}.weight`, one]),
        ),
      );
      expect((await opened(root)).tensors.size).toBe(count);
    });
  });

  it("is refused where its weights hold themselves, or can be met by too many ways", async () => {
    const circle = Buffer.concat([
      opcodes("}q\x01"),
      text("x"),
      opcodes("h\x01s"),
      text("w.w"),
      weights["b.bias"],
      opcodes("s"),
    ]);
    expect(await failureOf(opened(circle), CheckpointError)).toContain("deep in each other");
    const ways = (levels: number): Code =>
      Array.from({ length: levels }, (_, at) => at).reduce<Code>(
        (inner, at) => {
          const again = Object.fromEntries(
            Array.from({ length: 9 }, (_, way) => [`w${way}`, recalled(at)]),
          );
          return stored(dict({ w: inner, ...again }), at + 1);
        },
        stored(dict(weights), 0),
      );
    const whole = (levels: number): Code =>
      dict({ "c.bias": weights["b.bias"], inner: ways(levels) });
    expect(await failureOf(opened(whole(9)), CheckpointError)).toContain("ways, the limit");
    expect((await opened(whole(2))).tensors.size).toBe(201);
  });

  it("is refused where it holds no weights", async () => {
    const none: Code[] = [
      int(3),
      list(),
      dict({}),
      call(global("os", "system"), text("x")),
      tensorCode("0", [4]),
    ];
    for (const root of none) {
      expect(await failureOf(opened(root), CheckpointError)).toContain("no weights by name");
    }
    await expectWeights(await opened(list(int(3), model)));
  });

  it("is refused where a weight is of a kind without plain numbers", async () => {
    const root = dict({
      ...weights,
      "c.weight": call(global("torch._utils", "_rebuild_sparse_tensor"), int(1)),
    });
    expect(await failureOf(opened(root), CheckpointError)).toContain('"c.weight"');
  });

  const rebuild = (name: string, ...args: Code[]): Code =>
    call(global("torch._utils", `_rebuild_${name}`), ...args);
  const inStorage = persistent(
    tuple(text("storage"), global("torch", "QInt8Storage"), text("1"), text("cpu"), int(8)),
  );
  const metadata = (isNegative: boolean): Code =>
    rebuild(
      "tensor_v2",
      persistent(
        tuple(text("storage"), global("torch", "FloatStorage"), text("1"), text("cpu"), int(2)),
      ),
      int(0),
      tuple(int(2)),
      tuple(int(1)),
      bytes(0x89),
      pickled.none,
      dict({ conj: bytes(0x89), neg: bytes(isNegative ? 0x88 : 0x89) }),
    );
  const size = tuple(int(3), int(4));
  const values = tensorCode("1", [2]);
  const others: [string, Code, object][] = [
    [
      "quantised",
      rebuild("qtensor", inStorage, int(0), tuple(int(2), int(4)), tuple(int(4), int(1)), tuple()),
      { dataType: "I8", shape: [2, 4], byteLength: 8 },
    ],
    [
      "sparse",
      rebuild("sparse_tensor", global("torch", "sparse_coo"), tuple(values, values, size)),
      { dataType: "F32", shape: [3, 4], byteLength: 8 },
    ],
    [
      "sparse, compressed",
      rebuild("sparse_tensor", global("torch", "sparse_csr"), tuple(values, values, values, size)),
      { dataType: "F32", shape: [3, 4], byteLength: 8 },
    ],
    [
      "nested",
      rebuild("nested_tensor", values, values, values, values),
      { dataType: "F32", shape: [2], byteLength: 8 },
    ],
    [
      "on no device",
      rebuild("meta_tensor_no_storage", global("torch", "bfloat16"), size, size),
      { dataType: "BF16", shape: [3, 4], byteLength: 0 },
    ],
    [
      "of a class that wraps others",
      rebuild("wrapper_subclass", global("torchao", "Some"), global("torch", "float32"), size),
      { dataType: "F32", shape: [3, 4], byteLength: 0 },
    ],
    ["the negative of what is stored", metadata(true), { dataType: "F32", shape: [2] }],
  ];
  it.each(others)(
    "is listed, and refused where it is read, where it is %s",
    async (_, code, entry) => {
      const checkpoint = await opened(dict({ ...weights, "c.weight": code }));
      const { tensors } = checkpoint;
      expect([...tensors.keys()]).toEqual(["a.weight", "b.bias", "c.weight"]);
      expect(tensors.get("c.weight")).toMatchObject(entry);
      expect([...(await readTensor(tensors.get("b.bias")!))]).toEqual([5, 6]);
      const { unusable } = tensors.get("c.weight")!;
      expect(unusable).toContain("save");
      const failure = await failureOf(readTensor(tensors.get("c.weight")!), CheckpointError);
      expect(failure).toContain(`"c.weight": ${unusable!}`);
      expect(await failureOf(opened(dict({ "c.weight": code })), CheckpointError)).toContain(
        unusable,
      );
    },
  );

  it("is read where it states that it is not the negative of what is stored", async () => {
    const { tensors } = await opened(dict({ ...weights, "c.weight": metadata(false) }));
    expect([...(await readTensor(tensors.get("c.weight")!))]).toEqual([5, 6]);
  });

  it("is refused where it is on no device and larger than any", async () => {
    const meta = (length: number): Code =>
      rebuild(
        "meta_tensor_no_storage",
        global("torch", "float32"),
        tuple(int(length), int(length)),
        tuple(),
      );
    const root = (length: number): Code => dict({ ...weights, "c.weight": meta(length) });
    expect(await failureOf(opened(root(2 ** 40)), CheckpointError)).toContain(
      "its shape is [1099511627776,1099511627776]",
    );
    expect((await opened(root(2 ** 20))).tensors.size).toBe(3);
  });

  const subclass = (module: string, name: string): Code =>
    call(
      global("torch._tensor", "_rebuild_from_type_v2"),
      global("torch._utils", "_rebuild_wrapper_subclass"),
      global(module, name),
      tuple(global(module, name), global("torch", "float32"), tuple(int(4), int(2))),
      dict({ _local_tensor: weights["a.weight"] }),
    );
  const api = "torch.distributed._shard.sharded_tensor.api";
  const older = built(
    Buffer.concat([global(api, "ShardedTensor"), tuple(), bytes(0x81)]),
    dict({ _local_shards: list(weights["a.weight"]) }),
  );
  it.each<[string, Readonly<Record<string, Code>>, string]>([
    ["a DTensor", { "c.weight": subclass("torch.distributed.tensor", "DTensor") }, "one process"],
    ["a ShardedTensor", { "c.weight": subclass(api, "ShardedTensor") }, "one process"],
    ["a ShardedTensor of before", { "c.weight": older }, "one process"],
    ["flat parameters", { "b._flat_param": subclass(api, "ShardedTensor") }, "makes of several"],
    ["flat parameters of before", { "b.flat_param": weights["a.weight"] }, "makes of several"],
  ])("is refused where a weight is one process's part: %s", async (_, part, words) => {
    for (const beside of [weights, {}]) {
      const message = await failureOf(opened(dict({ ...beside, ...part })), CheckpointError);
      expect(message).toContain(Object.keys(part)[0]);
      expect(message).toContain(words);
      expect(message).toContain("full_state_dict=True");
    }
  });
});

describe("a tensor in a pickle", () => {
  const one = (code: Code): Code => dict({ ...weights, "c.weight": code });
  it.each<[string, Code, Code]>([
    ["is larger than its storage", tensorCode("1", [3], { elements: 3 }), tensorCode("1", [2])],
    [
      "is larger than its storage is said to be",
      tensorCode("1", [2], { elements: 1 }),
      tensorCode("1", [1], { elements: 1 }),
    ],
    [
      "begins behind it",
      tensorCode("1", [1], { offset: 2, elements: 2 }),
      tensorCode("1", [1], { offset: 1, elements: 2 }),
    ],
    [
      "steps out of it",
      tensorCode("1", [2], { strides: [2], elements: 2 }),
      tensorCode("1", [2], { strides: [1], elements: 2 }),
    ],
    [
      "steps back",
      tensorCode("1", [2], { strides: [-1], offset: 1, elements: 2 }),
      tensorCode("1", [2], { elements: 2 }),
    ],
    [
      "has a size below zero",
      tensorCode("1", [-1], { strides: [1], elements: 2 }),
      tensorCode("1", [0], { elements: 2 }),
    ],
    [
      "has more axes than any",
      tensorCode("1", Array<number>(9).fill(1), { elements: 2 }),
      tensorCode("1", Array<number>(8).fill(1), { elements: 2 }),
    ],
    [
      "repeats its numbers beyond measure",
      tensorCode("1", [2 ** 25], { strides: [0], elements: 2 }),
      tensorCode("1", [7], { strides: [0], elements: 2 }),
    ],
    [
      "has strides of another rank",
      tensorCode("1", [2], { strides: [1, 1] }),
      tensorCode("1", [2], { strides: [1] }),
    ],
    ["lies in a storage that is missing", tensorCode("7", [1]), tensorCode("1", [1])],
    [
      "lies in a storage of an unknown type",
      tensorCode("1", [1], { type: "Bits" }),
      tensorCode("1", [1]),
    ],
    [
      "overflows",
      tensorCode("1", [2 ** 30, 2 ** 30, 2 ** 30], { elements: 2 }),
      tensorCode("1", [2 ** 30, 0, 2 ** 30], { elements: 2 }),
    ],
  ])("is refused where it %s", async (_, wrong, right) => {
    expect(await failureOf(opened(one(wrong)), CheckpointError)).toContain("model.pt: ");
    const { tensors } = await opened(one(right));
    expect(tensors.size).toBe(3);
    await readTensor(tensors.get("c.weight")!);
  });

  const typed = (name: string, elementBytes: number): Code =>
    call(
      global("torch._utils", "_rebuild_tensor_v3"),
      persistent(
        tuple(
          text("storage"),
          global("torch.storage", "UntypedStorage"),
          text("1"),
          text("cpu"),
          int(8),
        ),
      ),
      int(0),
      tuple(int(8 / elementBytes)),
      tuple(int(1)),
      bytes(0x89),
      call(global("collections", "OrderedDict")),
      global("torch", name),
    );
  const narrow = ["int", "uint"].flatMap((kind) => [1, 2, 3, 4, 5, 6, 7].map((n) => `${kind}${n}`));
  it.each<[string, Code]>([
    ...[...narrow, "float4_e2m1fn_x2", "bits1x8", "bits2x4", "bits4x2", "bits8"].map(
      (name): [string, Code] => [name, typed(name, 1)],
    ),
    ["bits16", typed("bits16", 2)],
    ["QUInt4x2Storage", tensorCode("1", [4], { type: "QUInt4x2", elements: 8 })],
    ["QUInt2x4Storage", tensorCode("1", [4], { type: "QUInt2x4", elements: 8 })],
  ])("of %s is listed, but holds no weights that are read", async (_, code) => {
    const { tensors } = await opened(one(code));
    const tensor = tensors.get("c.weight")!;
    expect(dataTypeOf(tensor.dataType).weight).toBeUndefined();
    expect(await failureOf(readTensor(tensor), CheckpointError)).toContain("holds no weights");
  });
});

describe("the older format", () => {
  const root = dict(weights);

  it.each<[string, Code]>([
    ["a fraction", opcodes("F1.5\n")],
    ["less than none", int(-2)],
    ["beyond all numbers", Buffer.concat([bytes(0x8b, 9, 0, 0, 0), Buffer.alloc(9, 0x11)])],
    ["not a number", opcodes("Fnan\n")],
  ])("is refused where a storage has so many elements: %s", async (_, elements) => {
    const withElements = (count: Code): Code => {
      const storage = tuple(
        text("storage"),
        global("torch", "FloatStorage"),
        text("1"),
        text("cpu"),
        count,
      );
      const rebuilt = global("torch._utils", "_rebuild_tensor_v2");
      const tensor = call(rebuilt, persistent(storage), int(0), tuple(int(2)), tuple(int(1)));
      return dict({ "a.weight": weights["a.weight"], "b.bias": tensor });
    };
    for (const write of [torchZip, torchLegacy]) {
      const wrong = opened(withElements(elements), write);
      expect(await failureOf(wrong, CheckpointError)).toContain("model.pt: ");
      await expectWeights(await opened(withElements(int(2)), write));
    }
  });

  it.each<[string, Code, string]>([
    [
      "a number beyond 2^53",
      Buffer.concat([bytes(0x8b, 9, 0, 0, 0), Buffer.alloc(9, 0x11)]),
      "protocol 3",
    ],
    ["a list that holds itself", opcodes("]q\x01h\x01a"), "protocol [[["],
    ["a laugh a billion times over", laughs(30), "protocol [[[[[["],
    ["bytes", opcodes("C\x03abc"), "protocol 3 bytes"],
  ])("is refused in one line where its protocol is %s", async (_, protocol, words) => {
    const valid = torchLegacy(root, storages);
    const stated = pickled.whole(int(1001));
    const at = valid.indexOf(stated);
    const changed = (): Buffer =>
      Buffer.concat([
        valid.subarray(0, at),
        pickled.whole(protocol),
        valid.subarray(at + stated.length),
      ]);
    expect(await failureOf(opened(root, changed), CheckpointError)).toContain(words);
    await expectWeights(await opened(root, () => valid));
  });

  it("is refused where it was written on a big-endian machine", async () => {
    const written = (isLittle: boolean) => (code: Code) =>
      torchLegacy(code, storages, { isLittle });
    expect(await failureOf(opened(root, written(false)), CheckpointError)).toContain("byte order");
    await expectWeights(await opened(root, written(true)));
  });

  it("is refused where it is cut, of another protocol or its counts differ", async () => {
    const whole = torchLegacy(root, storages);
    for (const length of [whole.length - 1, whole.length - 20, 200, 40]) {
      const cut = (): Buffer => whole.subarray(0, length);
      expect(await failureOf(opened(root, cut), CheckpointError)).toContain("model.pt: ");
    }
    const later = (code: Code): Buffer => torchLegacy(code, storages, { protocol: 1002 });
    expect(await failureOf(opened(root, later), CheckpointError)).toContain("protocol 1002");
    const counts = (): Buffer => {
      const changed = Buffer.from(whole);
      changed.writeUInt8(3, whole.length - 16);
      return changed;
    };
    expect(await failureOf(opened(root, counts), CheckpointError)).toContain("states 3 elements");
  });

  it.each([
    ["a tar archive", Buffer.concat([Buffer.alloc(257), Buffer.from("ustar")]), "is a tar archive"],
    ["another pickle", pickled.whole(int(1)), "is a pickle, but not one that torch.save wrote"],
    ["text", Buffer.from("epoch 1"), "begins like no file of torch.save"],
    ["nothing", Buffer.alloc(0), "begins like no file of torch.save"],
  ])("is told from %s", async (_, content, words) => {
    expect(
      await failureOf(
        opened(root, () => content),
        CheckpointError,
      ),
    ).toContain(words);
  });
});
