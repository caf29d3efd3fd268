import type { Architecture, Stack } from "../architecture/description";
import { readArchitecture } from "../architecture/readArchitecture";
import type { Settings } from "../architecture/reading";
import type { SchemeName } from "../architecture/schemes";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError } from "../checkpoint/errors";
import { estimateDiagnosis, type EstimateInput } from "./estimate";
import { whyNoLoss } from "./objective";
import type { ArchitectureFacts, Estimate, Outlook } from "./outlook";
import { MemoryError } from "./plan";

export interface OutlookInput extends Omit<EstimateInput, "checkpoint" | "architecture"> {
  readonly scheme: SchemeName | undefined;
  readonly stack?: Stack | undefined;
  /** The reading that was chosen when the evidence told none. */
  readonly chosen?: Settings;
}

/** Settles what can be said of a checkpoint from its directory, before any weight is read. */
export async function outlookOf(checkpoint: Checkpoint, input: OutlookInput): Promise<Outlook> {
  let architecture: Architecture;
  try {
    const proposal = await readArchitecture(checkpoint, {
      scheme: input.scheme,
      stack: input.stack,
      ...(input.chosen && { chosen: input.chosen }),
    });
    // What only evidence settles is the likeliest here: it changes neither memory nor time by much.
    architecture = proposal.architecture({});
  } catch (error) {
    if (error instanceof CheckpointError) return { kind: "unreadable", reason: error.message };
    throw error;
  }
  const lacksLoss = whyNoLoss(architecture);
  return {
    kind: "readable",
    architecture: factsOf(architecture),
    ...(lacksLoss === undefined ? {} : { lacksLoss }),
    estimate: estimateOrRefusal({ ...input, checkpoint, architecture }),
  };
}

function factsOf({ family, scheme, layers, contextLength, notices, ...sizes }: Architecture) {
  const { hiddenSize, heads, keyValueHeads, feedForwardSize, vocabularySize } = sizes;
  return {
    family,
    scheme: scheme.name,
    schemeSource: scheme.source,
    layers: layers.length,
    hiddenSize,
    heads,
    keyValueHeads,
    feedForwardSize,
    vocabularySize,
    notices: notices ?? [],
    ...(contextLength === undefined ? {} : { contextLength }),
  } satisfies ArchitectureFacts;
}

function estimateOrRefusal(input: EstimateInput): Estimate | { refusal: string } {
  try {
    return estimateDiagnosis(input);
  } catch (error) {
    if (error instanceof MemoryError) return { refusal: error.message };
    throw error;
  }
}
