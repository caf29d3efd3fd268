import type { Checkpoint } from "../../../checkpoint/checkpoint";
import { configError } from "../../config";

/** The metadata of one of llama.cpp's architectures, whose keys begin with its name. */
export class Keys {
  private readonly read = new Set<string>();

  /** @param architecture what `general.architecture` says */
  constructor(
    readonly architecture: string,
    private readonly checkpoint: Checkpoint,
  ) {}

  get(key: string): unknown {
    this.read.add(key);
    return this.checkpoint.config!.value[`${this.architecture}.${key}`];
  }

  need(key: string): unknown {
    const value = this.get(key);
    if (value === undefined) throw this.refusal(key, "this architecture needs it");
    return value;
  }

  /** A number, which must be there. */
  number(key: string): number {
    const value = this.need(key);
    if (typeof value !== "number") throw this.refusal(key, "expected a number");
    return value;
  }

  /** The first of these keys that is stated; the last where none is. */
  firstOf(...keys: [string, ...string[]]): string {
    return keys.find((key) => this.get(key) !== undefined) ?? keys.at(-1)!;
  }

  /** A key of no architecture, such as a token's id. */
  whole(key: string): unknown {
    return this.checkpoint.config!.value[key];
  }

  /** Whether there is a tensor of this name. */
  has(tensor: string): boolean {
    return this.checkpoint.tensors.has(tensor);
  }

  /** The sizes of a tensor, outermost first; none where it is not there. */
  shapeOf(tensor: string): readonly number[] {
    return this.checkpoint.tensors.get(tensor)?.shape ?? [];
  }

  /** @throws CheckpointError when a key that changes what a model computes is stated and was not read */
  requireAllRead(): void {
    for (const [key, without] of changing) {
      if (this.read.has(key)) continue;
      const value = this.get(key);
      if (value === undefined || without.includes(value)) continue;
      throw this.refusal(key, "this architecture is not known to heed it");
    }
  }

  refusal(key: string, expectation: string): Error {
    return configError(
      this.checkpoint.config!,
      `${this.architecture}.${key}`,
      this.get(key),
      expectation,
    );
  }
}

/** Keys that change what a model computes (gguf-py/gguf/constants.py), with the values that do not. */
const changing: readonly (readonly [key: string, without: readonly unknown[]])[] = [
  ["activation_sparsity_scale", []],
  ["attention.causal", [true]],
  ["attention.clamp_kqv", [0]],
  ["attention.max_alibi_bias", [0]],
  ["attention.output_scale", [0, 1]],
  ["attention.q_lora_rank", [0]],
  ["attention.kv_lora_rank", [0]],
  ["attention.scale", [0]],
  ["attention.shared_kv_layers", [0]],
  ["attention.sliding_window", [0]],
  ["attention.temperature_length", [0]],
  ["attention.temperature_scale", [0]],
  ["attn_logit_softcapping", [0]],
  ["embedding_length_per_layer_input", [0]],
  ["embedding_scale", [0, 1]],
  ["expert_count", [0]],
  ["expert_gating_func", [0, 1]],
  ["expert_group_count", [0, 1]],
  ["expert_shared_count", [0]],
  ["expert_weights_scale", [0, 1]],
  ["final_logit_softcapping", [0]],
  ["full_attention_interval", []],
  ["interleave_moe_layer_step", [1]],
  ["leading_dense_block_count", [0]],
  ["logit_scale", [0, 1]],
  ["nextn_predict_layers", [0]],
  ["residual_scale", [0, 1]],
  ["rope.dimension_sections", []],
  ["rope.freq_base_swa", []],
  ["rope.scaling.alpha", [0]],
  ["rope.scaling.attn_factor", [0, 1]],
  ["rope.scaling.yarn_attn_factor", [0, 1]],
  ["rope.scaling.yarn_ext_factor", [-1, 1]],
  ["router_logit_softcapping", [0]],
  ["swiglu_clamp_exp", [0]],
  ["swiglu_clamp_shexp", [0]],
];
