import { expect, it } from "vitest";
import { bucketOf } from "../../../src/graph/attentionFeeds";
import type { RelativeBias } from "../../../src/architecture/description";

const released = { table: { shape: [32, 8] }, maximumDistance: 128 } as unknown as RelativeBias;

it("counts distances as T5's released models do, also where a bucket begins", () => {
  // _relative_position_bucket of modeling_t5.py, in PyTorch's single precision.
  const distances = [
    0, 1, 7, 8, 9, 11, 12, 15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 400,
  ];
  const before = [0, 1, 7, 8, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 15, 15];
  expect(distances.map((distance) => bucketOf(-distance, released, true))).toEqual(before);
  expect(distances.slice(1).map((distance) => bucketOf(distance, released, true))).toEqual(
    before.slice(1).map((bucket) => bucket + 16),
  );
});
