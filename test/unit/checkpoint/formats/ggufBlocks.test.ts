import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DataType } from "../../../../src/checkpoint/dataType";
import { stored } from "../../../../src/checkpoint/dataType";
import { decoders } from "../../../../src/checkpoint/decode";
import { fixture, readJson } from "../../support/checkpoints";

/** Random blocks and what ggml's own Python package reads from them: test/oracle/gguf_blocks.py. */
const cases = Object.entries(
  readJson(join(fixture("."), "gguf-blocks.json")) as Record<
    string,
    { blocks: string; numbers: string }
  >,
);

describe("blocks of ggml", () => {
  it.each(cases)("of %s are read to the last bit", (name, { blocks, numbers }) => {
    const dataType = name as DataType;
    const { bits, block = 1 } = stored(dataType);
    const bytes = Buffer.from(blocks, "base64");
    const expected = new Float32Array(new Uint8Array(Buffer.from(numbers, "base64")).buffer);
    expect(bytes.length * block * 8).toBe(expected.length * bits);
    const found = new Float32Array(expected.length);
    decoders[dataType]!(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), found);
    expect(found).toEqual(expected);
  });

  it("are all compared", () => {
    const names = cases.map(([name]) => name);
    expect(names).toHaveLength(11);
    for (const name of names) expect(stored(name as DataType).weight).toBe("converted");
  });
});
