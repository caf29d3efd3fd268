import { expect, it } from "vitest";
import { compareWithReference } from "../../oracle/tolerances.mjs";
import { fixture, fixtureNames, referenceOf, tokensOf } from "../support/checkpoints";
import { diagnoseHere } from "../support/pipeline";

/** Enough for a standard error of the Jacobian's distance below 3%, which the comparison demands. */
const probes = 384;

it.each(fixtureNames)("finds in %s what PyTorch finds", async (name) => {
  const report = await diagnoseHere(fixture(name), {
    documents: tokensOf(name),
    metrics: ["variance", "jacobian", "pruning", "sublayers"],
    probes,
  });
  const comparisons = compareWithReference(report, referenceOf(name));
  expect(comparisons.length).toBeGreaterThan(50);
  expect(comparisons.filter(({ ok }) => !ok)).toEqual([]);
});
