import { expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture } from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

async function described(folder: string) {
  return describeArchitecture(await openCheckpoint(folder));
}

it("reads images as patches after the first tokens", async () => {
  const { embedding, objective, vocabularySize } = await described(fixture("deit"));
  expect(embedding).toMatchObject({
    image: { channels: 1, height: 12, width: 12 },
    patch: [3, 4],
    patches: { weight: { shape: [24, 12] } },
    positions: { shape: [14, 24] },
  });
  expect(objective).toEqual({ kind: "class" });
  expect(vocabularySize).toBe(7);
});

it("says that DeiT's mean of two heads gives no loss", async () => {
  const folder = copyFixture("deit", scratch());
  editWeights(folder, (tensors) => {
    for (const part of ["weight", "bias"]) {
      const tensor = tensors.get(`classifier.${part}`)!;
      tensors.delete(`classifier.${part}`);
      tensors.set(`cls_classifier.${part}`, tensor);
      tensors.set(`distillation_classifier.${part}`, tensor);
    }
  });
  const { head, whyNoHead } = await described(folder);
  expect(head).toBeUndefined();
  expect(whyNoHead).toContain("the mean of two heads");
});

it("is refused where patches do not divide the image", async () => {
  const folder = copyFixture("vit", scratch());
  editConfig(folder, { patch_size: 5 });
  expect(await failureOf(described(folder), CheckpointError)).toContain(
    '"patch_size" is 5; it must divide image_size, 12 × 16',
  );
});
