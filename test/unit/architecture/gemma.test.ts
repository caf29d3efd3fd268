import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture } from "../../../src/architecture/description";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, editConfig, editWeights, fixture, readJson } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { byRules, float32Tensor, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("a Gemma", () => {
  it("scales its embedding, and stores norms as their distance from 1", async () => {
    const { embedding, finalNorm, head } = await described(fixture("gemma"));
    expect(embedding).toMatchObject({ scale: expect.closeTo(Math.sqrt(24), 12) as number });
    expect(finalNorm?.weightOffset).toBe(1);
    expect(head?.tied).toBe(true);
  });

  it("of the second generation alternates local and global layers under sandwich norms", async () => {
    const { layers, scheme, head } = await described(fixture("gemma2"));
    expect(layers.map(({ attention }) => attention.module.window)).toEqual([5, undefined, 5]);
    expect(layers[0]!.attention.module).toMatchObject({ softcap: 2, scale: 7 ** -0.5 });
    expect(scheme.name).toBe("sandwich");
    expect(head?.softcap).toBe(3);
  });

  it("without keys for caps has the caps of its config class, and with null none", async () => {
    const folder = copyFixture("gemma2", scratch());
    editConfig(folder, { attn_logit_softcapping: undefined, final_logit_softcapping: null });
    const { layers, head } = await described(folder);
    expect(layers[0]!.attention.module.softcap).toBe(50);
    expect(head?.softcap).toBeUndefined();
  });

  it("of the third generation gives local layers a rotary base of their own", async () => {
    const { layers } = await described(fixture("gemma3"));
    const second = layers.map(({ attention }) => attention.module.rotary!.inverseFrequencies[1]);
    expect(second).toEqual([100 ** -0.2, 5000 ** -0.2 / 8, 100 ** -0.2]);
  });

  it.each(["language_model.model.", "model.language_model."])(
    "that also sees images is read from %s, and says what it leaves out",
    async (prefix) => {
      const folder = copyFixture("gemma3", scratch());
      const text = readJson(join(folder, "config.json"));
      editConfig(folder, { model_type: "gemma3", text_config: text, vision_config: {} });
      editWeights(folder, (tensors) => {
        renameTensors(tensors, byRules([/^model\./, prefix]));
        tensors.set("vision_tower.vision_model.head.weight", float32Tensor([1, 2], [2]));
        tensors.set("multi_modal_projector.mm_soft_emb_norm.weight", float32Tensor([1], [1]));
      });
      const { layers, notices } = await described(folder);
      expect(layers.map(({ path }) => path)).toEqual([0, 1, 2].map((n) => `${prefix}layers.${n}`));
      expect(notices?.join()).toContain("image encoder");
    },
  );

  it.each<[string, Record<string, unknown>, string[]]>([
    ["gemma3", { attn_logit_softcapping: 20 }, ['"attn_logit_softcapping" is 20', "only null"]],
    [
      "gemma3",
      { use_bidirectional_attention: true },
      ["use_bidirectional_attention", "only false"],
    ],
    [
      "gemma3",
      { rope_parameters: { rope_type: "default", rope_theta: 5 }, rope_scaling: undefined },
      ['"rope_parameters" is', "expected full_attention and sliding_attention"],
    ],
    [
      "gemma3-rope-parameters",
      { rope_parameters: { full_attention: { rope_type: "longrope" } } },
      ['"rope_parameters.rope_type" is "longrope"'],
    ],
    ["gemma2", { query_pre_attn_scalar: 0 }, ['"query_pre_attn_scalar" is 0']],
  ])("of %s with %j is refused", async (name, changes, words) => {
    const folder = copyFixture(name, scratch());
    editConfig(folder, changes);
    const message = await failureOf(described(folder), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });
});

async function described(folder: string): Promise<Architecture> {
  return describeArchitecture(await openCheckpoint(folder));
}
