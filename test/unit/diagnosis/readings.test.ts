import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Architecture, Attention } from "../../../src/architecture/description";
import type { Proposal, Settings } from "../../../src/architecture/reading";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { commonFolder } from "../../../src/checkpoint/commonFolder";
import { openCheckpoint } from "../../../src/checkpoint/open";
import type { Candidate } from "../../../src/diagnosis/readings/undecided";
import { leastMargin } from "../../../src/diagnosis/readings/margin";
import type { Settlement } from "../../../src/diagnosis/readings/settleReading";
import { settleReading } from "../../../src/diagnosis/readings/settleReading";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import { readTokenizer } from "../../../src/text/tokenizer";
import { editWeights } from "../support/checkpoints";
import { byRules, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function settled(
  path: string,
  text: string,
  sequenceLength = 128,
  settings = {},
  change: (proposal: Proposal) => Proposal = (proposal) => proposal,
): Promise<Settlement> {
  const checkpoint = await openCheckpoint(path);
  const proposal = change(await readArchitecture(checkpoint, { settings }));
  const { encode, prefix } = await readTokenizer(checkpoint.tokenizer!);
  const tokens = encode(text);
  const sequences = Array.from({ length: Math.ceil(tokens.length / sequenceLength) }, (_, at) => ({
    document: at,
    tokens: [...prefix, ...tokens.slice(at * sequenceLength, (at + 1) * sequenceLength)],
  }));
  const executor = onnxRuntimeExecutor({
    provider: "cpu",
    threads: 1,
    weightsFolder: commonFolder(checkpoint.tensors.values()),
    rewritesGraphs: false,
  });
  return settleReading(path, proposal, sequences, executor, { runBytes: 2 ** 28 });
}

function ofAttentions(
  change: (module: Attention) => Attention,
): (architecture: Architecture) => Architecture {
  return (architecture) => ({
    ...architecture,
    layers: architecture.layers.map((layer) => ({
      ...layer,
      attention: { ...layer.attention, module: change(layer.attention.module) },
    })),
  });
}

/** A checkpoint of the sample under names of its own, without a config. */
function underOwnNames(sample: string): string {
  const folder = scratch();
  cpSync(here(`../../../media/sample/${sample}`), folder, { recursive: true });
  rmSync(join(folder, "config.json"));
  editWeights(folder, (tensors) => {
    renameTensors(
      tensors,
      byRules(
        [/model\.embed_tokens/, "token_table"],
        [/model\.layers/, "stack"],
        [/self_attn\.(.)_proj/, "attention.w_$1"],
        [/input_layernorm/, "norm_attention"],
        [/post_attention_layernorm/, "norm_mlp"],
        [/model\.norm/, "last_norm"],
        [/lm_head/, "to_logits"],
      ),
    );
  });
  return folder;
}

describe("a reading that weights leave open", () => {
  // What it was not trained on, of the kind it was: as much as is compared.
  const text = readFileSync(here("../../../media/sample/held-out.txt"), "utf8").slice(0, 12_000);

  it.each<[string, string, Settings]>([
    ["pre-ln/step-2600", "pre-ln", {}],
    // What does not bear on the norms is the same in both.
    ["lns/step-2600", "lns", { heads: "2", activation: "silu", positions: "rotary" }],
  ])(
    "of the sample %s is told by what it predicts: %s",
    async (sample, scheme, stated) => {
      const own = underOwnNames(sample);
      const { architecture, candidates, margin } = await settled(own, text, 128, stated);
      expect(architecture.scheme.name).toBe(scheme);
      expect(candidates[0]!.settings).toMatchObject({ norm: scheme, rotary: "halves" });
      expect(margin).toBeGreaterThan(leastMargin.nats);
      // Approximations that cannot be told apart may be better by chance; nothing else is.
      const { tokens } = candidates[0]!;
      const compared = candidates.filter((candidate) => candidate.tokens === tokens);
      const [taken, ...others] = compared.map(({ nll }) => nll ?? Infinity);
      expect(others).toEqual(others.toSorted((a, b) => a - b));
      const isFiner = ({ settings }: Candidate): boolean =>
        !["10000", "500000", "1000000"].includes(settings["rotary-base"] ?? "10000");
      const [, nearest] = compared.filter((candidate) => !isFiner(candidate));
      expect(taken! - nearest!.nll!).toBeLessThan(1e-3);
      // Bases between the round ones are looked at too, and taken only where they are clearly better.
      expect(taken! - others[0]!).toBeLessThan(leastMargin.nats);
      expect(candidates[0]!.settings["rotary-base"]).toBe("10000");
      // What a short trial left behind is told too.
      expect(candidates.at(-1)!.tokens).toBeLessThan(tokens);
    },
    180_000,
  );

  /** The sample as its family reads it, with something that is changed in the code. */
  const ofChangedCode =
    (change: (architecture: Architecture) => Architecture) =>
    ({ architecture, ...proposal }: Proposal): Proposal => ({
      ...proposal,
      architecture: (settings) => change(architecture(settings)),
    });
  const known = {
    norm: "pre-ln",
    "norm-kind": "rms",
    epsilon: "1e-5",
    "rotary-span": "head",
    activation: "silu",
  };

  it("looks for a rotary base among round numbers", async () => {
    const farOff = (proposal: Proposal): Proposal => ({
      ...proposal,
      open: proposal.open.map((one) =>
        one.name === "rotary-base" ? { ...one, values: ["1000000"] } : one,
      ),
    });
    const sample = underOwnNames("pre-ln/step-2600");
    const all = { ...known, heads: "2", rotary: "halves", scale: "head", "embedding-scale": "1" };
    const { candidates } = await settled(sample, text.slice(0, 4000), 128, all, farOff);
    expect(candidates[0]!.settings["rotary-base"]).toBe("10000");
  }, 180_000);

  it.each<[string, RegExp, Settings, (architecture: Architecture) => Architecture]>([
    [
      "another scale of the attention",
      /attention scores multiplied by 0.5/,
      { heads: "2", "embedding-scale": "1", rotary: "halves", "rotary-base": "10000" },
      ofAttentions((module) => ({ ...module, scale: module.scale / 3 })),
    ],
    [
      "rotary positions that turn the other way",
      /rotary positions that turn the other way and heads=2, rotary=halves/,
      { "embedding-scale": "1", scale: "head", "rotary-base": "10000" },
      ofAttentions(({ rotary, ...module }) => ({
        ...module,
        rotary: rotary && {
          ...rotary,
          inverseFrequencies: rotary.inverseFrequencies.map((frequency) => -frequency),
        },
      })),
    ],
    [
      "another scale of the logits",
      /logits multiplied by 2/,
      { heads: "2", rotary: "halves", scale: "head", "rotary-base": "10000" },
      ({ head, ...rest }) => ({ ...rest, head: head && { ...head, scale: head.scale / 2 } }),
    ],
  ])(
    "is not taken where the code has %s than is read",
    async (_, told, stated, change) => {
      const sample = underOwnNames("pre-ln/step-2600");
      const all = { ...known, ...stated };
      const reading = settled(sample, text.slice(0, 4000), 128, all, ofChangedCode(change));
      await expect(reading).rejects.toThrow(told);
    },
    180_000,
  );

  it("says where zeros are the best memory that other memories cannot be excluded", async () => {
    const values = ["causal", "zeros", "whole"];
    /** A model that is whole under one memory, and lacks layers under the others. */
    const wholeUnder = (memory: string) => (proposal: Proposal) => {
      const whole = proposal.architecture({});
      const lacking = { ...whole, layers: whole.layers.slice(0, 1) };
      return {
        ...proposal,
        open: [{ name: "memory" as const, values }],
        architecture: (settings: Settings) => (settings.memory === memory ? whole : lacking),
      };
    };
    const noticesOf = async (memory: string) => {
      const sample = here("../../../media/sample/pre-ln/step-2600");
      const { architecture } = await settled(sample, text, 128, {}, wholeUnder(memory));
      return (architecture.notices ?? []).join(" ");
    };
    expect(await noticesOf("zeros")).toMatch(/memory that the checkpoint does not hold.*excluded/);
    expect(await noticesOf("causal")).toBe("");
  }, 60_000);
});

const shared = here("../../../../shared/checkpoints/");

const soliloquy = `To be, or not to be, that is the question:
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune,
Or to take arms against a sea of troubles,
And by opposing end them. To die: to sleep;
No more; and by a sleep to say we end
The heart-ache and the thousand natural shocks
That flesh is heir to, 'tis a consummation
Devoutly to be wish'd. To die, to sleep;
To sleep: perchance to dream: ay, there's the rub;
For in that sleep of death what dreams may come
When we have shuffled off this mortal coil,
Must give us pause: there's the respect
That makes calamity of so long life;
For who would bear the whips and scorns of time,
The oppressor's wrong, the proud man's contumely,
The pangs of despised love, the law's delay,
The insolence of office and the spurns
That patient merit of the unworthy takes,
When he himself might his quietus make
With a bare bodkin? who would fardels bear,
To grunt and sweat under a weary life,
But that the dread of something after death,
The undiscover'd country from whose bourn
No traveller returns, puzzles the will
`;

describe.skipIf(!existsSync(shared))("of a real checkpoint", () => {
  it("tensorforge-gpt is Post-LN with four heads and ReLU, as its code is", async () => {
    const { architecture, candidates } = await settled(
      join(shared, "tensorforge-gpt/gpt.pt"),
      soliloquy,
    );
    expect(architecture.scheme.name).toBe("post-ln");
    expect(candidates[0]!.settings).toMatchObject({
      heads: "4",
      activation: "relu",
      scale: "head",
    });
    const preNorm = candidates.filter(({ settings }) => settings.norm === "pre-ln");
    expect(Math.min(...preNorm.map(({ nll }) => nll!)) - candidates[0]!.nll!).toBeGreaterThan(0.5);
  }, 180_000);

  it("tensorforge-gpt with rotary positions turns the channels of all heads as one row, as its code does", async () => {
    const { candidates } = await settled(
      join(shared, "tensorforge-gpt/gpt_rope_gqa.pt"),
      soliloquy,
    );
    expect(candidates[0]!.settings).toMatchObject({
      heads: "4",
      norm: "post-ln",
      rotary: "halves",
      activation: "relu",
    });
    // What its own code says of these tokens.
    expect(candidates[0]!.nll).toBeCloseTo(1.502631, 5);
  }, 180_000);
});
