/** What is known of a diagnosis before it runs: whether it can, how the checkpoint is read, what it takes. */
export type Outlook =
  | {
      readonly kind: "readable";
      readonly architecture: ArchitectureFacts;
      /** What will not be measured and why, as a clause; absent where everything is. */
      readonly lacksLoss?: string;
      readonly estimate: Estimate | { /** One line. */ readonly refusal: string };
    }
  /** `reason` is one line. */
  | { readonly kind: "unreadable"; readonly reason: string };

export interface ArchitectureFacts {
  readonly family: string;
  readonly scheme: string;
  /** How the scheme was settled, in words. */
  readonly schemeSource: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly feedForwardSize: number;
  readonly vocabularySize: number;
  readonly contextLength?: number;
  /** What a person should know of how the checkpoint was read, in sentences. */
  readonly notices: readonly string[];
}

export interface Estimate {
  readonly sequences: number;
  /** Tokens of each. */
  readonly sequenceLength: number;
  readonly memory: {
    /** All of the below together. */
    readonly bytes: number;
    /** The weights of the largest layer in float32. */
    readonly layer: number;
    /** The residual streams of a batch's sequences, those of the removals among them. */
    readonly streams: number;
    /** What one run of a layer computes on the way. */
    readonly run: number;
    /** The engine process before it has loaded anything. */
    readonly engine: number;
  };
  readonly time: {
    readonly seconds: number;
    /** Of the matrix products, over the whole sweep. */
    readonly multiplyAdds: number;
    /** The assumption: multiply–adds a second of each thread, and how many there are. */
    readonly rate: number;
    readonly threads: number;
  };
}
