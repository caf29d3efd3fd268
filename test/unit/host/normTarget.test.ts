import { expect, it } from "vitest";
import { normOf, readTarget, targetOf } from "../../../src/host/python/normTarget";

it("a norm's path and what it feeds come through a command link as they were", () => {
  const norm = { path: "model.layers.*.input_layernorm", feeds: "attention" } as const;
  const target = readTarget(JSON.parse(JSON.stringify(targetOf({ key: "k", norm }))));
  expect(target).toEqual({ key: "k", ...norm });
  expect(normOf(target!)).toEqual(norm);
});

it.each([undefined, "k", {}, { key: "k" }, { key: "k", path: "p", feeds: "tail" }, { key: 1 }])(
  "%j is no target",
  (given) => {
    expect(readTarget(given)).toBeUndefined();
  },
);
