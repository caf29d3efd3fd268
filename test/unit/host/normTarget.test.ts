import { expect, it } from "vitest";
import type { NormSummary } from "../../../src/diagnosis/report";
import { normOf, readTarget, targetOf } from "../../../src/host/python/normTarget";

it.each<NormSummary>([
  { path: "model.layers.*.input_layernorm", feeds: "attention" },
  { path: "layers.*.norm", feeds: "feedForward", place: "sum", layers: [0, 1] },
])("what a report says of the norm %o comes through a command link", (norm) => {
  const target = readTarget(JSON.parse(JSON.stringify(targetOf({ key: "k", norm }))));
  expect(target).toEqual({ key: "k", ...norm });
  expect(normOf(target!)).toEqual(norm);
});

const norm = { key: "k", path: "p", feeds: "head" };

it.each([
  ...[undefined, "k", {}, { key: "k" }, { key: 1 }],
  ...[{ feeds: "tail" }, { place: "above" }, { layers: 1 }, { layers: ["0"] }].map((wrong) => ({
    ...norm,
    ...wrong,
  })),
])("%j is no target", (given) => {
  expect(readTarget(given)).toBeUndefined();
});
