import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError } from "../checkpoint/errors";
import { describeArchitecture } from "./describe";
import type { Architecture, Stack } from "./description";
import { inOwnWords } from "./dialects/dialect";
import { dialectOf } from "./dialects/translate";
import { inferArchitecture } from "./inference/infer";
import type { Proposal, Settings } from "./reading";
import type { SchemeName } from "./schemes";

/** What the user says of a model, over what is found. */
export interface Stated {
  readonly scheme?: SchemeName | undefined;
  /** Which stack is measured, of a model that has two. */
  readonly stack?: Stack | undefined;
  readonly settings?: Settings;
}

/**
 * Finds out what a checkpoint computes: by its family, under Hugging Face's names or in another
 * dialect, else from the names and shapes of its tensors. What those cannot tell stays open.
 *
 * @throws CheckpointError when it is of no kind that can be described whole, or has not the stack that
 *   is asked for
 */
export async function readArchitecture(
  checkpoint: Checkpoint,
  stated: Stated = {},
): Promise<Proposal> {
  const proposal = await proposalOf(checkpoint, stated);
  const { stack } = stated;
  if (stack === undefined || proposal.architecture({}).stack === stack) return proposal;
  throw new CheckpointError(
    "config",
    `${checkpoint.directoryFile}: the stack "${stack}" was asked for, which is for models of an encoder and a decoder that are read as such; this one is read as ${proposal.architecture({}).family}.`,
  );
}

async function proposalOf(
  checkpoint: Checkpoint,
  { scheme, stack, settings = {} }: Stated,
): Promise<Proposal> {
  const dialect = dialectOf(checkpoint);
  if (dialect) {
    const { checkpoint: translated, differences } = await dialect.translate(checkpoint);
    const architecture = inOwnWords(describeArchitecture(translated, scheme, stack), differences);
    return settledProposal("family", architecture, checkpoint, settings);
  }
  const { config } = checkpoint;
  // A config of Hugging Face's says of itself what it is; names that fit by chance would not do.
  if (typeof config?.value["model_type"] === "string") {
    return settledProposal(
      "config",
      describeArchitecture(checkpoint, scheme, stack),
      checkpoint,
      settings,
    );
  }
  let refusal: unknown;
  if (config !== undefined) {
    try {
      const architecture = describeArchitecture(checkpoint, scheme, stack);
      return settledProposal("family", architecture, checkpoint, settings);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      refusal = error;
    }
  }
  try {
    return await inferArchitecture(checkpoint, { scheme, settings });
  } catch (error) {
    // A family that knew the config says more precisely what is amiss.
    const isKnown = refusal instanceof CheckpointError && refusal.problem !== "unsupported";
    throw isKnown ? refusal : error;
  }
}

function settledProposal(
  source: Proposal["source"],
  architecture: Architecture,
  { directoryFile }: Checkpoint,
  settings: Settings,
): Proposal {
  const [asked] = Object.keys(settings);
  if (asked !== undefined) {
    throw new CheckpointError(
      "config",
      `${directoryFile}: is read as the family ${architecture.family}, which settles "${asked}"; nothing of its reading can be stated but the norm scheme.`,
    );
  }
  return { source, settled: [], open: [], architecture: () => architecture };
}
