import { t } from "@vscode/l10n";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { statementName } from "../checkpoint/checkpoint";
import { CheckpointError, written } from "../checkpoint/errors";
import { describeArchitecture, isOfKnownFamily } from "./describe";
import type { Architecture, Stack } from "./description";
import { inOwnWords } from "./dialects/dialect";
import { dialectOf } from "./dialects/translate";
import { inferArchitecture } from "./inference/infer";
import { asAsked } from "./inference/stated";
import type { Proposal, Settings, StatedSettings, Statements } from "./reading";
import type { SchemeName } from "./schemes";
import { schemeNames, schemeOf } from "./schemes";
import { byRoles } from "./statement/byRoles";
import type { Statement } from "./statement/statement";
import { readStatement } from "./statement/statement";

/** What the user says of a model, over what is found. */
export interface Stated {
  readonly scheme?: SchemeName | undefined;
  /** Which stack is measured, of a model that has two. */
  readonly stack?: Stack | undefined;
  readonly settings?: Settings;
  /** The reading that was chosen when the evidence told none, as far as nothing else tells by now. */
  readonly chosen?: Settings;
}

/**
 * Finds out what a checkpoint computes: by the roles that fathom.json beside it states of its tensors;
 * else by its family, under Hugging Face's names or in another dialect; else from the names and shapes
 * of its tensors. What those cannot tell stays open.
 *
 * @throws CheckpointError when it is of no kind that can be described whole, or has not the stack that
 *   is asked for
 */
export async function readArchitecture(
  checkpoint: Checkpoint,
  stated: Stated = {},
): Promise<Proposal> {
  const proposal = await read(checkpoint, stated, await readStatement(checkpoint));
  const { stack } = stated;
  if (stack === undefined || proposal.architecture({}).stack === stack) return proposal;
  throw new CheckpointError(
    "config",
    `${checkpoint.directoryFile}: the stack "${stack}" was asked for, which is for models of an encoder and a decoder that are read as such; this one is read as ${proposal.architecture({}).family}.`,
  );
}

/** The same by what is found alone: without what fathom.json or anybody states. */
export function readFoundArchitecture(checkpoint: Checkpoint): Promise<Proposal> {
  return read(checkpoint, {}, undefined);
}

async function read(
  checkpoint: Checkpoint,
  { scheme, stack, settings = {}, chosen = {} }: Stated,
  statement: Statement | undefined,
): Promise<Proposal> {
  const asked: StatedSettings = {
    settings: scheme === undefined ? settings : { norm: scheme, ...settings },
    by: asAsked,
  };
  const ofFile = statement && { settings: statement.reading, by: statementName };
  const statements: Statements = {
    stated: [
      asked,
      ...(ofFile ? [ofFile] : []),
      { settings: chosen, by: "chosen by you", isRemembered: true },
    ],
    guess: statement?.guess ?? {},
    ignoredConfigKeys: statement?.ignoredConfigKeys ?? [],
  };
  const infer = async (): Promise<Proposal> =>
    withIgnoredKeys(await inferArchitecture(checkpoint, statements), statements);
  if (statement?.roles) {
    const translated = byRoles(checkpoint, statement.path, statement.roles);
    return inferByRoles(translated, statements);
  }
  const dialect = dialectOf(checkpoint);
  if (dialect) {
    const { checkpoint: translated, differences } = await dialect.translate(checkpoint);
    const described = describeArchitecture(translated, schemeIn(checkpoint, statements), stack);
    const architecture = inOwnWords(described, differences);
    return settledProposal("family", architecture, checkpoint, statements);
  }
  const { config } = checkpoint;
  const describe = (): Architecture =>
    describeArchitecture(checkpoint, schemeIn(checkpoint, statements), stack);
  // A config of Hugging Face's says of itself what it is; names that fit by chance would not do.
  const modelType = config?.value["model_type"];
  if (typeof modelType === "string") {
    if (isOfKnownFamily(checkpoint)) {
      return settledProposal("config", describe(), checkpoint, statements);
    }
    const notice = `"model_type" is ${written(modelType)}, which is not known: the model is read from the names and shapes of its tensors.`;
    return withNotice(await inferUnknown(checkpoint, infer), notice);
  }
  let refusal: CheckpointError | undefined;
  if (config !== undefined) {
    const described = attempt(describe);
    if (!(described instanceof CheckpointError)) {
      return settledProposal("family", described, checkpoint, statements);
    }
    refusal = described;
  }
  try {
    return await infer();
  } catch (error) {
    // A family that knew the config says more precisely what is amiss.
    throw refusal && refusal.problem !== "unsupported" ? refusal : error;
  }
}

/** Infers a model of a kind that is not known; where that fails, what is known of kinds is told too. */
async function inferUnknown(
  checkpoint: Checkpoint,
  infer: () => Promise<Proposal>,
): Promise<Proposal> {
  const { config } = checkpoint;
  try {
    return await infer();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.problem !== "unsupported") throw error;
    throw new CheckpointError(
      error.problem,
      `${config!.path}: "model_type" is ${written(config!.value["model_type"])}, which is not supported, and it cannot be told from its tensors either: ${error.message}`,
    );
  }
}

async function inferByRoles(
  { checkpoint, inOwnWords: own, ownMessage }: ReturnType<typeof byRoles>,
  statements: Statements,
): Promise<Proposal> {
  try {
    const proposal = await inferArchitecture(checkpoint, statements);
    own(proposal.architecture({}));
    return withIgnoredKeys(
      {
        ...proposal,
        source: "statement",
        ...(proposal.doubt !== undefined && { doubt: ownMessage(proposal.doubt) }),
        architecture: (settings) => own(proposal.architecture(settings)),
      },
      statements,
    );
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.problem, ownMessage(error.message));
  }
}

/** That the user overruled a refusal is never left unsaid. */
function withIgnoredKeys(proposal: Proposal, { ignoredConfigKeys }: Statements): Proposal {
  return ignoredConfigKeys.length === 0
    ? proposal
    : withNotice(
        proposal,
        t(
          "{0} says that these keys of the config change nothing of what the model computes: {1}.",
          statementName,
          ignoredConfigKeys.join(", "),
        ),
      );
}

function withNotice(proposal: Proposal, notice: string): Proposal {
  return {
    ...proposal,
    architecture: (settings) => {
      const architecture = proposal.architecture(settings);
      return { ...architecture, notices: [...(architecture.notices ?? []), notice] };
    },
  };
}

/** The norm scheme that is stated of a model of a known family. */
function schemeIn({ directoryFile }: Checkpoint, { stated }: Statements): SchemeName | undefined {
  const name = normIn(stated)?.settings.norm;
  const scheme = name === undefined ? undefined : schemeOf(name);
  if (name !== undefined && scheme === undefined) {
    throw new CheckpointError(
      "config",
      `${directoryFile}: the reading norm=${name} is unknown; expected one of ${schemeNames.join(", ")}.`,
    );
  }
  return scheme;
}

function normIn(stated: Statements["stated"]): StatedSettings | undefined {
  return stated.find(({ settings, isRemembered }) => settings.norm !== undefined && !isRemembered);
}

/** A family settles everything but the norm scheme, which weights cannot tell. */
function settledProposal(
  source: Proposal["source"],
  architecture: Architecture,
  { directoryFile }: Checkpoint,
  { stated, ignoredConfigKeys }: Statements,
): Proposal {
  const refuse = (what: string): never => {
    throw new CheckpointError(
      "config",
      `${directoryFile}: is read as the family ${architecture.family}, which ${what}.`,
    );
  };
  for (const { settings, by, isRemembered } of stated) {
    const other = Object.keys(settings).find((name) => name !== "norm");
    if (other === undefined || isRemembered) continue;
    refuse(
      by === asAsked
        ? `settles "${other}"; nothing of its reading can be stated but the norm scheme`
        : `settles "${other}"; ${by} can state nothing of its reading but "norm", unless it states roles, by which it is read instead`,
    );
  }
  const [ignored] = ignoredConfigKeys;
  if (ignored !== undefined) {
    refuse(`reads its config by itself; ${statementName} cannot have it ignore "${ignored}"`);
  }
  const norm = normIn(stated);
  if (norm?.by !== statementName) {
    return { source, settled: [], open: [], architecture: () => architecture };
  }
  const { scheme } = architecture;
  const told = {
    ...architecture,
    scheme: { ...scheme, source: scheme.source.replace(/^as asked/, `stated in ${statementName}`) },
  };
  return {
    source,
    settled: [{ name: "norm", value: scheme.name, by: statementName }],
    open: [],
    architecture: () => told,
  };
}

/** What an attempt gives, or why it is refused. */
function attempt<Value>(make: () => Value): Value | CheckpointError {
  try {
    return make();
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
}
