import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { weightMapOf } from "../../../src/checkpoint/weightMap";

describe("an index's map of shards", () => {
  it("is what JSON has, however it is written", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.string()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, "\t"),
        (map, metadata, indent) => {
          for (const index of [
            { metadata, weight_map: map },
            { weight_map: map, metadata },
          ]) {
            const found = weightMapOf(JSON.stringify(index, null, indent));
            expect(found).toEqual(new Map(Object.entries(map)));
          }
        },
      ),
    );
  });

  it("is that of the index itself, not of something in it", () => {
    const inner = '{"weight_map": {"a": "inner"}}';
    expect(weightMapOf(`{"metadata": ${inner}}`)).toBeUndefined();
    const both = weightMapOf(`{"metadata": ${inner}, "weight_map": {"a": "outer"}}`);
    expect(both).toEqual(new Map([["a", "outer"]]));
    expect(weightMapOf(`{"metadata": ${inner}, "weight\\u005fmap": {}}`)).toEqual(new Map());
  });

  it.each([
    '{"weight_map": {"a": "b",}}',
    '{"weight_map": {"a": "b" "c": "d"}}',
    '{"weight_map": {"a": "b"}',
    '{"weight_map": {"a": "b"}} and more',
    '{"metadata": {, "weight_map": {"a": "b"}}',
  ])("may not be %s", (index) => {
    expect(() => weightMapOf(index)).toThrow(SyntaxError);
  });

  it.each(['{"weight_map": {"a": 1}}', '{"weight_map": ["a"]}', '{"weight_map": "a"}', "[]", "1"])(
    "is not in %s",
    (index) => {
      expect(weightMapOf(index)).toBeUndefined();
    },
  );
});
