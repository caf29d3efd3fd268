import { expect, it } from "vitest";
import { describeArchitecture } from "../../../../src/architecture/describe";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture } from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import { float32Tensor } from "../../support/safetensors";
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

it("reads a head for each of DeiT's two tokens", async () => {
  const { head } = await described(fixture("deit-distilled"));
  expect(head!.weight.name).toBe("cls_classifier.weight");
  expect(head!.besides!.weight.name).toBe("distillation_classifier.weight");
});

it("is refused where its positions are of the patches alone", async () => {
  const folder = copyFixture("vit", scratch());
  editWeights(folder, (tensors) => {
    const zeros = Array<number>(12 * 24).fill(0);
    tensors.set("vit.embeddings.position_embeddings", float32Tensor(zeros, [1, 12, 24]));
  });
  expect(await failureOf(described(folder), CheckpointError)).toContain("expected [1, 13, 24]");
});

it("is refused where patches do not divide the image", async () => {
  const folder = copyFixture("vit", scratch());
  editConfig(folder, { patch_size: 5 });
  expect(await failureOf(described(folder), CheckpointError)).toContain(
    '"patch_size" is 5; it must divide image_size, 12 × 16',
  );
});
