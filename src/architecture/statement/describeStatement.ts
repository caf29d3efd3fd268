import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { CheckpointError } from "../../checkpoint/errors";
import type { Architecture } from "../description";
import { isPatchEmbedding } from "../description";
import { rotaryKindOf } from "../inference/ends";
import { firstTokenOf } from "../inference/imageEnds";
import { modulePathOf } from "../inference/parts";
import { readFoundArchitecture } from "../readArchitecture";
import type { Proposal, SettingName } from "../reading";
import { likeliest, settingNames } from "../reading";
import { settingValue } from "../settingValues";
import type { Role } from "./roles";
import { partNames, partOf, unknownRole } from "./roles";
import { headNumber, partIn, rolesIn } from "./rolesIn";

/** A fathom.json for a checkpoint, with what is known of it filled in. */
export interface DescribedStatement {
  /** The file, as JSON. */
  readonly text: string;
  /** Settings that nothing settles: the file has their likeliest values under `guess`. */
  readonly guessed: readonly SettingName[];
  /** Patterns whose tensors nothing is known of: their roles have to be filled in. */
  readonly unknown: number;
  /** Why nothing is known of the tensors, where that is so. */
  readonly refusal?: string;
}

type Values = Partial<Record<SettingName, string | number>>;

/**
 * Writes what fathom.json would state of a checkpoint: a role for every tensor, what is settled under
 * `reading`, the likeliest of what is not under `guess`. Of a known family only the norm scheme can be
 * stated. Of a model that is not understood it lists the tensors, for a person to say what they do. What
 * a fathom.json beside the checkpoint states by now is not looked at.
 *
 * @throws CheckpointError when a tensor's name cannot be written as a pattern
 */
export async function describeStatement(checkpoint: Checkpoint): Promise<DescribedStatement> {
  let proposal: Proposal;
  try {
    proposal = await readFoundArchitecture(checkpoint);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return skeleton(checkpoint, error.message);
  }
  const architecture = proposal.architecture({});
  if (proposal.source !== "inference") {
    const text = written({ reading: { norm: architecture.scheme.name } });
    return { text, guessed: [], unknown: 0 };
  }
  const roles = rolesOf(checkpoint, architecture);
  const stated = new Set(Object.values(roles).map(partOf));
  const settled = new Map(proposal.settled.map(({ name, value }) => [name, value]));
  const open = new Map(Object.entries(likeliest(proposal)) as [SettingName, string][]);
  // The tensors that are stated tell these.
  if (stated.has("rotary frequencies") || stated.has("rotary cosines"))
    settled.delete("rotary-base");
  for (const known of [settled, open]) known.delete("norm-order");
  if (stated.has("feed-forward up")) for (const known of [settled, open]) known.delete("gate");
  const reading = valuesOf(settled);
  const guess = valuesOf(open);
  return {
    text: written({
      ...(Object.keys(reading).length > 0 && { reading }),
      ...(Object.keys(guess).length > 0 && { guess }),
      roles,
    }),
    guessed: [...open.keys()],
    unknown: 0,
  };
}

function written(statement: object): string {
  return `${JSON.stringify(statement, undefined, 2)}\n`;
}

/** In the order of the settings, numbers as numbers. */
function valuesOf(settings: ReadonlyMap<SettingName, string>): Values {
  return Object.fromEntries(
    settingNames.flatMap((name) => {
      const value = settings.get(name);
      return value === undefined ? [] : [[name, settingValue(value)]];
    }),
  );
}

/** Every tensor's role by its pattern, in the order in which a model computes. */
function rolesOf(checkpoint: Checkpoint, architecture: Architecture): Record<string, Role> {
  const found = rolesIn(architecture);
  const prefix = architecture.layers[0]!.path.replace(/\d+$/, "");
  const biases = biasesIn(architecture);
  const readsImages = isPatchEmbedding(architecture.embedding);
  const roles = new Map<string, Role>();
  for (const [name, tensor] of checkpoint.tensors) {
    const part = partIn(found, name);
    const role: Role =
      part && isBias(biases, name) ? `${part} bias` : (part ?? idleRole(name, tensor, readsImages));
    roles.set(patternOf(name, prefix), role);
  }
  const rank = (role: Role): number => partNames.indexOf(partOf(role));
  return Object.fromEntries([...roles].toSorted(([, one], [, other]) => rank(one) - rank(other)));
}

/** What a tensor is that is in no module: tokens before patches, what rotary tables are computed from. */
function idleRole(name: string, tensor: TensorEntry, readsImages: boolean): Role {
  const token = readsImages ? firstTokenOf(modulePathOf(name)) : undefined;
  if (token !== undefined) return token;
  const kind = rotaryKindOf(name, tensor);
  return kind === undefined ? "unused" : `rotary ${kind}`;
}

/** The names of all biases, as `rolesIn` has them. */
function biasesIn(architecture: Architecture): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || "byteLength" in value) return;
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      const isNamed = key === "bias" && typeof inner === "object" && inner !== null;
      if (isNamed && "name" in inner) names.add(inner.name as string);
      visit(inner);
    }
  };
  visit(architecture);
  return names;
}

function isBias(biases: ReadonlySet<string>, name: string): boolean {
  return biases.has(name) || biases.has(name.replace(headNumber, "*"));
}

/** A name with the numbers of its layer, which stands after `start`, and its head as placeholders. */
function patternOf(name: string, start: string): string {
  const rest = name.slice(start.length);
  const index = /^\d+(?=\.)/.exec(rest)?.[0];
  if (!name.startsWith(start) || index === undefined) return name;
  return `${start}{layer}${rest.slice(index.length).replace(headNumber, "{head}")}`;
}

/** Every pattern of names with nothing said of it. */
function skeleton(checkpoint: Checkpoint, refusal: string): DescribedStatement {
  const names = [...checkpoint.tensors.keys()];
  const numbersAfter = new Map<string, Set<string>>();
  for (const name of names) {
    const match = numbered.exec(name);
    if (match === null) continue;
    const numbers = numbersAfter.get(match[1]!) ?? new Set();
    numbersAfter.set(match[1]!, numbers.add(match[2]!));
  }
  const patterns = names.map((name) => {
    const prefix = numbered.exec(name)?.[1];
    // One number alone may as well be a place in an nn.Sequential.
    const isStack = prefix !== undefined && numbersAfter.get(prefix)!.size > 1;
    return isStack ? patternOf(name, prefix) : name;
  });
  const roles = Object.fromEntries([...new Set(patterns)].map((pattern) => [pattern, unknownRole]));
  return {
    text: written({ $comment: refusal.replace(`${checkpoint.directoryFile}: `, ""), roles }),
    guessed: [],
    unknown: Object.keys(roles).length,
    refusal,
  };
}

/** What stands before a number that is a step of a name's path, its dot too, and the number. */
const numbered = /^(.*?\.)(\d+)\./;
