/** How a checkpoint is read is said in the editor's language. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { useTexts } from "../../../src/report/texts";
import { fixture } from "../support/checkpoints";
import { pseudo } from "../support/pseudoLocale";

beforeAll(() => {
  useTexts(pseudo);
});

afterAll(() => {
  useTexts(undefined);
});

it.each([
  ["llama", "⟦the default of the family; weights cannot tell LayerNorm Scaling⟧"],
  ["llama-lns", "⟦stated in config.json⟧"],
  ["olmo2", "⟦the default of the family⟧"],
  ["olmo-core-lns", "⟦the tensor ⟧blocks.0.ln_scale"],
  ["timm-vit-reordered", "⟦the architecture's name; weights cannot tell it⟧"],
])("where the scheme of %s comes from", async (name, source) => {
  const { scheme } = describeArchitecture(await openCheckpoint(fixture(name)));
  expect(scheme.source).toBe(source);
});

it("which of two stacks is measured, and why another has no head", async () => {
  const decoder = describeArchitecture(await openCheckpoint(fixture("t5-decoder")));
  expect(decoder.notices?.[0]).toMatch(/^⟦Measured are the ⟧3⟦ layers of the decoder/);
  const encoder = describeArchitecture(await openCheckpoint(fixture("t5-encoder")));
  expect(encoder.whyNoHead).toMatch(/^⟦the checkpoint is an encoder/);
});
