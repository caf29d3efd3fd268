import { expect, test } from "vitest";
import { mapInBatches } from "../../../src/host/inBatches";

test("maps all in their order, and begins few of many at once", async () => {
  let [underWay, most] = [0, 0];
  const items = Array.from({ length: 1000 }, (_, n) => n);
  const mapped = await mapInBatches(items, async (n) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    return 2 * n;
  });
  expect(mapped).toEqual(items.map((n) => 2 * n));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(100);
});
