import { expect, it } from "vitest";
import { compareWithReference } from "../../oracle/tolerances.mjs";
import {
  copyFixture,
  evaluatedOn,
  editWeights,
  fixture,
  fixtureNames,
  referenceOf,
  tokensOf,
} from "../support/checkpoints";
import { diagnoseHere } from "../support/pipeline";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** Enough for a standard error of the Jacobian's distance below 3%, which the comparison demands. */
const probes = 384;

it.each(fixtureNames)("finds in %s what PyTorch finds", async (name) => {
  const report = await diagnoseHere(fixture(name), {
    documents: evaluatedOn(name),
    metrics: ["variance", "jacobian", "pruning", "sublayers"],
    probes,
  });
  const comparisons = compareWithReference(report, referenceOf(name));
  expect(comparisons.length).toBeGreaterThan(50);
  expect(comparisons.filter(({ ok }) => !ok)).toEqual([]);
});

it("finds the same in weights of double precision, which are converted", async () => {
  const folder = copyFixture("llama", scratch());
  editWeights(folder, (tensors) => {
    for (const [name, { shape, data }] of tensors) {
      const numbers = new Float32Array(data.slice().buffer);
      const doubles = new Uint8Array(Float64Array.from(numbers).buffer);
      tensors.set(name, { dtype: "F64", shape, data: doubles });
    }
  });
  const options = { documents: tokensOf("llama"), metrics: ["variance", "pruning"] as const };
  const expected = await diagnoseHere(fixture("llama"), options);
  const { baseline, layers } = await diagnoseHere(folder, options);
  expect(baseline).toEqual(expected.baseline);
  expect(layers).toEqual(expected.layers);
});
