/**
 * The report: everything a diagnosis found, in the form that every view, file and test reads.
 *
 * It is plain JSON (`media/report.schema.json` describes it to other tools). A figure that could
 * not be measured is absent, and the reason stands in `unmeasured`; no field is ever a guess.
 * NLL and its differences are in nats per token; variances are in squared units of the residual
 * stream; standard errors are over documents (over tokens when there is one document) and absent
 * where there is only one of either.
 */
export interface Report {
  schemaVersion: 1;
  /** Language of the sentences in it, as the editor names it; English where absent. */
  language?: string;
  checkpoint: CheckpointSummary;
  architecture: ArchitectureSummary;
  evaluation: EvaluationSummary;
  runtime: RuntimeSummary;
  /** Absent when the checkpoint has no language-model head or the logits are not finite. */
  baseline?: Baseline;
  /**
   * What pairs this report with another of the same documents. Absent in a report of more than 1000,
   * and where a run ended within them.
   */
  documents?: DocumentFigures;
  /** Absent when fewer than two layers have a finite, positive output variance. */
  growth?: GrowthLaw;
  layers: LayerReport[];
  findings: Finding[];
}

export interface CheckpointSummary {
  path: string;
  /** For example `safetensors`. */
  format: string;
  /** Size on disk of all weight files together. */
  bytes: number;
  /** Number of scalars in all tensors; a tied head counts once. */
  parameters: number;
  /** SHA-256 over weights, config and tokenizer; the same for a copy elsewhere. */
  fingerprint?: string;
}

export interface ArchitectureSummary {
  family: string;
  layers: number;
  hiddenSize: number;
  heads: number;
  keyValueHeads: number;
  feedForwardSize: number;
  vocabularySize: number;
  /** Longest sequence the model was built for, in tokens; absent where it states none. */
  contextLength?: number;
  tiedHead: boolean;
  /** Which stack the layers are, of a model that has an encoder and a decoder. */
  stack?: "encoder" | "decoder";
  /** For example `pre-ln` or `lns`. */
  normScheme: string;
  /** How the norm scheme was settled: the flag, the config key, or the default of the family. */
  normSchemeSource: string;
  /** The norms of the residual stream and those inside its layers, by the module paths of their weights. */
  norms?: NormSummary[];
  /** How the checkpoint was read. */
  reading?: ReadingSummary;
}

/** What a checkpoint was taken for, and on what evidence. */
export interface ReadingSummary {
  /**
   * config.json and a family; a family told by what the file states itself; the names and shapes of its
   * tensors; or the roles that fathom.json states of them.
   */
  source: "config" | "family" | "inference" | "statement";
  /** What was settled before anything was evaluated, and by what. */
  settled?: { name: string; value: string; by: string }[];
  /**
   * Every reading that was tried on the evaluated tokens: the one that was taken, those that were compared
   * with it, the best first, then those that a shorter trial left behind.
   */
  candidates?: ReadingCandidate[];
  /** By how many nats a token the reading is better than the best that computes another thing. */
  margin?: number;
  /** Tokens that the margin was taken on: more than the first candidate's where those left it open. */
  tokens?: number;
  /** Settings whose values predicted alike, so that the usual one was taken. */
  untold?: string[];
}

export interface ReadingCandidate {
  /** By name: `{ "heads": "4", "norm": "post-ln" }`. */
  settings: Record<string, string>;
  /** In nats a token; absent where it is not finite. */
  nll?: number;
  /** Tokens that it was tried on; fewer than the first's where a short trial left it behind. */
  tokens?: number;
  /** The same of trials on fewer or more tokens. */
  further?: { nll?: number; tokens: number }[];
}

/** What a norm belongs to: `sublayers` where attention and feed-forward read the same, `stream` before all layers. */
export const normOwners = [
  "stream",
  "attention",
  "crossAttention",
  "feedForward",
  "sublayers",
  "head",
] as const;

/**
 * Where a norm stands by what it belongs to: of what that reads; of something in it; of its output alone;
 * or of the sum of this and the stream.
 */
export const normPlaces = ["before", "inside", "output", "sum"] as const;

export interface NormSummary {
  /** `*` stands for the index of a layer, or of a head: `model.layers.*.input_layernorm`. */
  path: string;
  /** What reads its output; of a norm in or behind a part of the model, that part. */
  feeds: (typeof normOwners)[number];
  /** Absent in reports that did not tell. */
  place?: (typeof normPlaces)[number];
  /** Indices of the layers that have it there; absent where all do. */
  layers?: number[];
}

export interface EvaluationSummary {
  /** Where the tokens came from: the text or token files, or `default text`. */
  source: string;
  documents: number;
  /** What the documents are where they are not texts: images, whose patches are the tokens. */
  input?: "images";
  /** Sequences evaluated: a document that is longer than one is cut into several. */
  sequences?: number;
  /** Tokens evaluated, padding not counted. */
  tokens: number;
  /** Longest sequence that was allowed, in tokens. */
  sequenceLength: number;
  /** Documents that were planned; more than `documents` when the run was stopped early. */
  plannedDocuments: number;
  /** The same in sequences. */
  plannedSequences?: number;
  metrics: Metric[];
  /** Rademacher probes per document of the Jacobian estimate. */
  probes: number;
  seed: number;
  /**
   * What the loss is of: the next token everywhere, tokens that a mask hid, spans that were hidden from
   * an encoder, or the class of an image. Absent without a loss.
   */
  objective?: "next-token" | "masked-token" | "span-corruption" | "class";
  /** SHA-256 over the token ids of the evaluated documents, those that an encoder read among them: equal ones were measured on the same. */
  fingerprint?: string;
}

/** The share of tokens that are masked for the objective `masked-token` (BERT, arXiv 1810.04805). */
export const maskedShare = 0.15;

/** The share of tokens in hidden spans for the objective `span-corruption` (T5, arXiv 1910.10683). */
export const corruptedShare = 0.15;

export interface RuntimeSummary {
  /** The execution provider that ran, for example `cpu` or `webgpu`. */
  device: string;
  threads: number;
  seconds: number;
  /** Largest resident set of the engine process. */
  peakMemoryBytes: number;
}

export interface Baseline {
  nll: number;
  standardError?: number;
  /** Absent where exp(NLL) is beyond the largest number. */
  perplexity?: number;
}

/** The means of each document, in the order of evaluation. */
export interface DocumentFigures {
  /** Tokens of each document. */
  tokens: number[];
  /** Tokens whose NLL was taken: all but the first of each sequence. */
  predictions?: number[];
  /** Mean NLL over each document's predicted tokens; 0 for a document that has none. */
  nll?: number[];
  /** One a layer, by its index. */
  layers: LayerDocuments[];
}

/** The means whose errors over documents a layer states, of each document; absent where not measured. */
export interface LayerDocuments {
  outputVariance?: number[];
  /** ‖(J − I)v‖² / ‖v‖², the mean over probes. */
  squaredIdentityDistance?: number[];
  deltaNll?: number[];
}

/** Least squares of log σ² on the layer index (exponential) and on log ℓ (power). */
export interface GrowthLaw {
  exponential: Fit & { rate: number };
  power: Fit & { exponent: number };
}

export interface Fit {
  intercept: number;
  r2: number;
  /** Of the rate or the exponent, from how the layers scatter around the line. */
  standardError?: number;
}

export interface LayerReport {
  index: number;
  /** Module path, for example `model.layers.7`. */
  path: string;
  outputVariance?: TokenStatistics;
  /** Mean variance of the attention output before it is added; `contribution` has the rest. */
  attentionVariance?: number;
  /** Mean variance of the cross-attention output before it is added; only of layers that have it. */
  crossAttentionVariance?: number;
  /** Mean variance of the feed-forward output before it is added. */
  feedForwardVariance?: number;
  contribution?: {
    attention: Contribution;
    crossAttention?: Contribution;
    feedForward: Contribution;
  };
  jacobian?: JacobianEstimate;
  pruning?: PruningSensitivity;
  /** 1 − E cos(x_i, x_{i+1}) per token (ShortGPT, arXiv 2403.03853). */
  blockInfluence?: number;
  blockInfluenceStandardError?: number;
  /** What was asked for but is absent above, and why. */
  unmeasured?: { metric: Metric; reason: string }[];
}

export interface TokenStatistics {
  mean: number;
  standardError?: number;
  median: number;
  medianStandardError?: number;
  /** Mean without each document's first token (attention sinks, arXiv 2402.17762). */
  meanWithoutFirstToken?: number;
  standardErrorWithoutFirstToken?: number;
}

/** What a sublayer adds to the residual stream (arXiv 2505.13898). */
export interface Contribution {
  variance: TokenStatistics;
  /** Mean over tokens of ‖sublayer output‖ / ‖stream it is added to‖. */
  normRatio: number;
  normRatioStandardError?: number;
  /** Mean over tokens of the cosine between the sublayer output and the stream. */
  cosine: number;
  cosineStandardError?: number;
}

export interface JacobianEstimate {
  /** ‖J − I‖_F / ‖I‖_F. */
  identityDistance: number;
  standardError?: number;
  /** E ⟨v, Jv⟩ / (‖v‖ ‖Jv‖). */
  identityCosine: number;
  identityCosineStandardError?: number;
}

export interface RemovalCost {
  /** Mean token NLL without the part − baseline, in nats. */
  deltaNll: number;
  /** From the paired differences. */
  standardError?: number;
}

export interface PruningSensitivity extends RemovalCost {
  deltaPerplexity?: number;
  attention?: RemovalCost;
  crossAttention?: RemovalCost;
  feedForward?: RemovalCost;
}

export const metrics = ["variance", "jacobian", "pruning", "sublayers"] as const;
export type Metric = (typeof metrics)[number];

/** A sentence the numbers carry, and the layers it speaks of. `notice` findings are not verdicts. */
export interface Finding {
  kind: "chance" | "growth" | "identity" | "removal" | "notice";
  layers: number[];
  text: string;
}
