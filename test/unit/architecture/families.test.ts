import { describe, expect, it } from "vitest";
import { alibiSlopes, mptSlopes } from "../../../src/architecture/alibi";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture, Embedding } from "../../../src/architecture/description";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { maskOf } from "../../../src/graph/attentionFeeds";
import { copyFixture, editConfig, editWeights } from "../support/checkpoints";
import { failureOf } from "../support/failures";
import type { StoredTensors } from "../support/safetensors";
import { float32Tensor, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("a family's own scheme", () => {
  it.each([
    ["gpt-neo", "pre-ln"],
    ["gpt-neox", "parallel"],
    ["gpt-neox-sequential", "pre-ln"],
    ["gpt-j", "parallel"],
    ["phi", "parallel"],
    ["phi3", "pre-ln"],
    ["stablelm", "pre-ln"],
    ["stablelm-parallel", "parallel"],
    ["falcon", "parallel"],
    ["falcon-new", "parallel"],
    ["falcon-alibi", "pre-ln"],
    ["opt", "pre-ln"],
    ["opt-projected", "post-ln"],
    ["mpt", "pre-ln"],
  ])("of %s is %s", async (name, scheme) => {
    expect((await changed(name, {})).scheme.name).toBe(scheme);
  });

  it("gives way to what the user says", async () => {
    const { scheme, layers } = await changed("gpt-neox", {}, undefined, "pre-ln");
    expect(scheme).toEqual({ name: "pre-ln", source: "as asked" });
    expect(layers[0]!.isParallel).toBe(false);
  });
});

describe("an option that cannot be computed exactly", () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ["gpt-bigcode", { add_cross_attention: true }, ['"add_cross_attention" is true']],
    ["gpt-neox", { rotary_pct: 0.2 }, ["0.2 of a head's 8 channels are 1", "even number"]],
    ["gpt-neo", { attention_types: null }, ["it tells of 24 layers", "num_layers is 3"]],
    ["gpt-neo", { attention_types: [[["global", "block"], 2]] }, ['"attention_types']],
    ["gpt-neox", { rope_theta: 500 }, ['"rope_theta" is 500', '"rotary_emb_base" is 10000']],
    ["gpt-neox", { partial_rotary_factor: 1 }, ['"rotary_pct" is 0.25']],
    [
      "llama-yarn",
      { original_max_position_embeddings: 32 },
      ['"rope_scaling.original_max_position_embeddings" is 64', "32 stands beside it"],
    ],
    ["olmo3", { layer_types: ["sliding_attention"] }, ['"layer_types" is', "each of 3 layers"]],
    [
      "qwen2-layer-types",
      { layer_types: ["full_attention", "chunked_attention"] },
      ['"layer_types.1" is "chunked_attention"'],
    ],
    ["gpt-neox", { num_attention_heads: 5 }, ['"num_attention_heads" is 5', "divide"]],
    ["gpt-j", { rotary_dim: 5 }, ['"rotary_dim" is 5', "up to a head's 8 channels"]],
    ["gpt-j", { rotary_dim: null }, ['"rotary_dim" is null']],
    ["phi", { num_key_value_heads: 2 }, ['"num_key_value_heads" is 2', "divide"]],
    ["phi", { partial_rotary_factor: 1.5 }, ['"partial_rotary_factor" is 1.5']],
    ["phi", { hidden_act: "mish" }, ['"hidden_act" is "mish"']],
    ["phi3-longrope", { rope_scaling: { type: "longrope", short_factor: [1, 2] } }, ["3 factors"]],
    ["phi3-longrope", { rope_scaling: { type: "su" } }, ["short_factor", "expected by su"]],
    ["phi3-longrope", { rope_scaling: { type: "yarn" } }, ['"yarn"', "supported are"]],
    [
      "bloom",
      { apply_residual_connection_post_layernorm: true },
      ['"apply_residual_connection_post_layernorm" is true'],
    ],
    [
      "bloom",
      { slow_but_exact: true, pretraining_tp: 2 },
      ['"slow_but_exact" is true', "leaves out biases"],
    ],
    ["mpt", { norm_type: "rmsnorm" }, ['"norm_type" is "rmsnorm"', "LayerNorm"]],
    ["llama", { norm_type: "layer_norm" }, ['"norm_type" is "layer_norm"', "RMSNorm"]],
    ["mpt", { ffn_config: { ffn_type: "mptglu" } }, ['"ffn_config.ffn_type" is "mptglu"']],
    [
      "mpt",
      { attn_config: { sliding_window_size: 8 } },
      ['"attn_config.sliding_window_size" is 8'],
    ],
    ["mpt", { attn_config: { qk_ln: true } }, ['"attn_config.qk_ln" is true', "only false"]],
    ["mpt", { attn_config: { alibi: false } }, ['"attn_config.alibi" is false', "only true"]],
    ["mpt", { attn_config: { alibi_bias_max: 4 } }, ['"attn_config.alibi_bias_max" is 4']],
    ["mpt", { logit_scale: "inv_sqrt_d_model" }, ['"logit_scale" is "inv_sqrt_d_model"']],
    ["falcon-new", { num_kv_heads: 4 }, ['"num_kv_heads" is 4', "divide"]],
    ["falcon-new", { num_ln_in_parallel_attn: 1 }, ['"transformer.h.0.input_layernorm.weight"']],
    ["qwen", { intermediate_size: 81 }, ['"intermediate_size" is 81', "even number"]],
    ["nanogpt", { model_args: { n_layer: 3, n_head: 5, n_embd: 24, block_size: 64 } }, ["n_head"]],
    ["mingpt", { n_layer: null }, ['"n_layer"']],
  ])("of %s is refused: %j", async (name, config, words) => {
    const message = await failureOf(changed(name, config), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });
});

describe("another way of writing a checkpoint", () => {
  it.each([
    ["gpt-bigcode", "transformer."],
    ["gpt-neo", "transformer."],
    ["gpt-neox", "gpt_neox."],
    ["phi3", "model."],
    ["falcon", "transformer."],
    ["bloom", "transformer."],
    ["mpt", "transformer."],
    ["qwen", "transformer."],
    ["opt-projected", "model."],
    ["opt", "model.decoder."],
  ])("of %s is the stack alone, without a prefix or a head", async (name, prefix) => {
    const whole = await changed(name, {});
    const bare = await changed(name, {}, (tensors) => {
      tensors.delete("lm_head.weight");
      renameTensors(tensors, (found) => found.replace(prefix, ""));
    });
    expect(bare.layers[2]!.path).toBe(whole.layers[2]!.path.replace(prefix, ""));
    const isTied = whole.head?.tied === true;
    const tokens = (bare.embedding as Embedding).tokens;
    expect(bare.head?.weight).toBe(isTied ? tokens : undefined);
  });

  it.each([
    ["gpt-neox", "score.weight"],
    ["llama-tied", "score.weight"],
    ["bloom", "classifier.weight"],
    ["opt", "qa_outputs.weight"],
  ])("of %s has a head of another task, %s, and none that tells tokens", async (name, other) => {
    const { head, whyNoHead } = await changed(name, {}, (tensors) => {
      tensors.delete("lm_head.weight");
      tensors.set(other, float32Tensor(Array<number>(48).fill(0), [2, 24]));
    });
    expect(head).toBeUndefined();
    expect(whyNoHead).toContain("of another task");
  });

  it("keeps its head beside one of values", async () => {
    const { head, whyNoHead } = await changed("llama", {}, (tensors) => {
      tensors.set("v_head.summary.weight", float32Tensor(Array<number>(24).fill(0), [1, 24]));
    });
    expect(head?.weight.name).toBe("lm_head.weight");
    expect(whyNoHead).toBeUndefined();
  });

  it("names GPT-NeoX's head as it was before transformers 5", async () => {
    const { head } = await changed("gpt-neox", {}, (tensors) => {
      renameTensors(tensors, (name) => name.replace("lm_head", "embed_out"));
    });
    expect(head?.weight.name).toBe("embed_out.weight");
  });

  it.each<[string, Record<string, unknown>]>([
    ["bloom", { n_head: undefined, num_attention_heads: 4, hidden_size: undefined, n_embed: 24 }],
    [
      "falcon-new",
      {
        model_type: "RefinedWeb",
        num_attention_heads: undefined,
        n_head: 6,
        num_hidden_layers: undefined,
        n_layer: 3,
        num_kv_heads: undefined,
        n_head_kv: 2,
      },
    ],
    ["gpt-neox", { rope_theta: 10_000, partial_rotary_factor: 0.25 }],
    ["gpt-neox", { hidden_act: "gelu_python" }],
    ["phi3", { head_dim: 8 }],
    [
      "llama-yarn",
      {
        original_max_position_embeddings: 64,
        rope_scaling: { rope_type: "yarn", factor: 8, beta_fast: 4, beta_slow: 0.5 },
      },
    ],
    ["gpt-neox", { rotary_pct: undefined, rope_parameters: { partial_rotary_factor: 0.25 } }],
    ["bloom", { slow_but_exact: true, pretraining_tp: 1 }],
    ["gpt-neo", { num_heads: undefined, num_attention_heads: 4 }],
    ["mpt", { no_bias: false }],
    ["mpt", { norm_type: "layernorm", ffn_config: { ffn_type: "mptmlp" } }],
    ["qwen3-moe", { num_experts: undefined, num_local_experts: 6 }],
    ["qwen2-moe", { use_sliding_window: false, sliding_window: 0 }],
    ["mixtral", { num_local_experts: undefined, num_experts: 5 }],
    ["deepseek-v3", { n_routed_experts: undefined, num_local_experts: 6 }],
    [
      "nanogpt",
      {
        model_args: {
          n_layer: 3,
          n_head: 4,
          n_embd: 24,
          block_size: 64,
          vocab_size: 72,
          bias: false,
          norm: "?",
        },
      },
    ],
    [
      "mingpt",
      {
        n_layer: null,
        model: {
          model_type: null,
          n_layer: 3,
          n_head: 4,
          n_embd: 24,
          block_size: 64,
          vocab_size: 72,
        },
      },
    ],
  ])("of %s has other keys: %j", async (name, config) => {
    const layersOf = async (keys: Readonly<Record<string, unknown>>): Promise<string> =>
      JSON.stringify((await changed(name, keys)).layers, (key, value: unknown) =>
        // Every copy of a fixture lies in a folder of its own.
        key === "file" ? undefined : value,
      );
    expect(await layersOf(config)).toBe(await layersOf({}));
  });

  it("stores causal masks and rotary frequencies", async () => {
    const { layers } = await changed("gpt-neox", {}, (tensors) => {
      for (const buffer of ["bias", "masked_bias", "rotary_emb.inv_freq"]) {
        tensors.set(`gpt_neox.layers.0.attention.${buffer}`, float32Tensor([1], [1]));
      }
    });
    expect(layers).toHaveLength(3);
  });

  it("is minGPT's later one, with GPT-2's names, untied and by a preset", async () => {
    const options = { model_type: "gpt-nano", block_size: 64, vocab_size: 72 };
    const message = await failureOf(
      changed("nanogpt", { model_args: undefined, model: options }),
      CheckpointError,
    );
    // The preset's 48 channels, where the tensors have 24.
    expect(message).toContain("expected [72, 48]");
    const { family, layers } = await changed(
      "nanogpt",
      { model_args: undefined, model: { ...options, n_layer: 3, n_head: 4, n_embd: 24 } },
      (tensors) => {
        for (const [name, tensor] of [...tensors]) {
          const path = name.replace(/\.weight$/, "");
          const rows = tensor.shape[0]!;
          if (!/wte|wpe/.test(name)) {
            tensors.set(`${path}.bias`, float32Tensor(Array<number>(rows).fill(0), [rows]));
          }
        }
        tensors.set("lm_head.weight", tensors.get("transformer.wte.weight")!);
      },
    );
    expect(family).toBe("mingpt");
    expect(layers[0]!.feedForward.module).toMatchObject({ activation: "gelu_tanh" });
  });
});

describe("code that is like minGPT's or nanoGPT's", () => {
  it("is not taken for it", async () => {
    const renamed = changed("mingpt", {}, (tensors) => {
      renameTensors(tensors, (name) => name.replace("attn.key", "attn.k"));
    });
    expect(await failureOf(renamed, CheckpointError)).toContain("not supported");
    const options = {
      n_layer: 3,
      n_head: 4,
      n_embd: 24,
      block_size: 64,
      vocab_size: 72,
      bias: true,
    };
    const elsewhere = changed("nanogpt", { model_args: undefined, model: options });
    expect(await failureOf(elsewhere, CheckpointError)).toContain("not supported");
  });
});

describe("GPT-Neo's windows", () => {
  it("are in the layers whose turn is local", async () => {
    const windows = async (attention_types: unknown): Promise<(number | undefined)[]> =>
      (await changed("gpt-neo", { attention_types })).layers.map(
        ({ attention }) => attention.module.window,
      );
    expect(
      await windows([
        [["local", "global"], 1],
        [["local"], 1],
      ]),
    ).toEqual([5, undefined, 5]);
    expect(await windows([[["global"], 3]])).toEqual([undefined, undefined, undefined]);
  });
});

describe("positions", () => {
  it("of LongRoPE hold within the original context, with the magnitude of the stretch", async () => {
    const { contextLength, layers } = await changed("phi3-longrope", {});
    expect(contextLength).toBe(64);
    const { rotary } = layers[0]!.attention.module;
    // The context is stretched from 64 to 128.
    expect(rotary!.magnitude).toBeCloseTo(Math.sqrt(1 + Math.log(2) / Math.log(64)), 12);
    expect(rotary!.inverseFrequencies[0]).toBeCloseTo(1 / 1.05, 12);
  });

  it("of ALiBi have the slopes of the powers of two around the number of heads", () => {
    expect(alibiSlopes(4)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
    expect(alibiSlopes(6)).toEqual([...alibiSlopes(4), 2 ** -1, 2 ** -3]);
    expect(mptSlopes(4)).toEqual(alibiSlopes(4));
    expect(mptSlopes(6)).toEqual([2, 4, 6, 8, 1, 3].map((power) => 2 ** -power));
  });

  it("of Falcon's ALiBi are rounded to bfloat16", () => {
    const slope = 2 ** -0.5;
    const options = { isBidirectional: false, window: undefined, slopes: [slope] };
    const exact = maskOf({ ...options, roundedSlopeFactor: undefined }, 4);
    const rounded = maskOf({ ...options, roundedSlopeFactor: 0.5 }, 4);
    expect(exact[12]).toBeCloseTo(-3 * slope, 6);
    // The nearest bfloat16 of 0.70711 is 0.70703125, and of 3 times that 2.125.
    expect(rounded[12]).toBe(-0.5 * 2.125);
    expect(rounded[13]).toBe(0.5 * (0.70703125 - 2.125));
    expect(rounded[1]).toBeLessThan(-1e29);
  });
});

/** What is described of a fixture whose config and tensors were changed. */
async function changed(
  name: string,
  config: Readonly<Record<string, unknown>>,
  change?: (tensors: StoredTensors) => void,
  scheme?: "pre-ln",
): Promise<Architecture> {
  const folder = copyFixture(name, scratch());
  editConfig(folder, config);
  if (change) editWeights(folder, change);
  return describeArchitecture(await openCheckpoint(folder), scheme);
}
