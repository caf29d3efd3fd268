import { describeStack } from "./stack";
import type { Activation, Architecture } from "./description";
import { plainEmbedding } from "./description";
import type { FamilyReader, Sizes } from "./familyReader";
import { fromFused, plainAttention } from "./familyReader";
import { everywhere } from "./sublayers";

/** In what the models that name their tensors as GPT-2 does differ. */
export interface Gpt2Settings {
  readonly scheme: Architecture["scheme"];
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Runs of query, key and value that the fused projection is made of (see `fromFused`). */
  readonly fusedGroups: number;
  readonly layerNumber: number;
  readonly feedForwardSize: number;
  /** Rows of the table of positions, under the name the config has for them. */
  readonly positions: Sizes;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Whether linears and norms have biases. */
  readonly hasBias: boolean;
  /** Whether linears are stored [input, output]. */
  readonly isTransposed: boolean;
  readonly isTied: boolean;
  /** Whether scores are divided by √headSize. */
  readonly isScaled: boolean;
  /** Whether they are divided by the layer's index + 1 too. */
  readonly isScaledByDepth?: boolean;
}

/**
 * Describes a checkpoint with GPT-2's tensor names: learned positions, and a fused projection for
 * query, key and value.
 *
 * @throws CheckpointError when the config and the tensors contradict each other
 */
export function describeGpt2(reader: FamilyReader, settings: Gpt2Settings): Architecture {
  const { tensors } = reader;
  const { heads, keyValueHeads, hiddenSize, hasBias, isTransposed } = settings;
  const headSize = reader.headSize("n_head", heads, hiddenSize);
  // A checkpoint of the stack alone (GPT2Model) lacks the prefix that the model with a head has.
  const prefix = tensors.has("wte.weight") ? "" : "transformer.";
  const hidden = { n_embd: hiddenSize };
  const inner = { n_inner: settings.feedForwardSize };
  const layout = { hasBias, isTransposed };
  const vocabulary = { vocab_size: settings.vocabularySize, ...hidden };
  const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
  const table = tensors.take(`${prefix}wpe.weight`, settings.positions, hidden);
  // Causal masks that old versions stored.
  tensors.ignore(/\.attn\.(bias|masked_bias)$/);
  return describeStack(reader, {
    ...settings,
    hidden,
    contextLength: Object.values(settings.positions)[0]!,
    layers: `${prefix}h`,
    norm: { kind: "layer", epsilon: settings.epsilon, hasBias },
    norms: everywhere("ln_1", "ln_2"),
    attention: (path, index) => {
      const fusedSize = {
        "n_embd + 2 × key and value size": (heads + 2 * keyValueHeads) * headSize,
      };
      const fused = reader.linear(`${path}.attn.c_attn`, fusedSize, hidden, layout);
      const attention = plainAttention(heads, headSize, {
        ...fromFused(fused, headSize, { heads, keyValueHeads, groups: settings.fusedGroups }),
        output: reader.linear(`${path}.attn.c_proj`, hidden, hidden, layout),
      });
      const scale = settings.isScaled ? attention.scale : 1;
      return {
        ...attention,
        keyValueHeads,
        scale: settings.isScaledByDepth ? scale / (index + 1) : scale,
      };
    },
    feedForward: (path) =>
      reader.feedForward(
        { up: `${path}.mlp.c_fc`, down: `${path}.mlp.c_proj` },
        inner,
        hidden,
        settings.activation,
        layout,
      ),
    embedding: { ...plainEmbedding(tokens), positions: { table, offset: 0 } },
    finalNorm: `${prefix}ln_f`,
    head: reader.head("lm_head.weight", tokens, vocabulary, {
      isTied: settings.isTied,
      isExpected: prefix !== "",
    }),
  });
}
