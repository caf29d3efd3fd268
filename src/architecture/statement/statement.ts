import * as z from "zod";
import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError, lineOf, quote, written } from "../../checkpoint/errors";
import { expectationOf } from "../../checkpoint/expectation";
import { limits } from "../../checkpoint/limits";
import { readSmallFile } from "../../checkpoint/smallFile";
import type { Settings } from "../reading";
import { isSettingName, settingNames } from "../reading";
import { settingsOf, settingValues, valuesText } from "../settingValues";
import type { Role } from "./roles";
import { roleDescriptions, roleNames, unknownRole } from "./roles";

/** What fathom.json states. */
export interface Statement {
  readonly path: string;
  readonly reading: Settings;
  readonly guess: Settings;
  /** By patterns of tensor names; undefined where none are stated. */
  readonly roles: ReadonlyMap<string, Role> | undefined;
  readonly ignoredConfigKeys: readonly string[];
}

const values = z.strictObject(settingValues).partial();

/** fathom.json. The words of each key are shown in the editor. */
export const statementSchema = z
  .strictObject({
    $schema: z.string().describe("The schema of this file, for other editors.").optional(),
    $comment: z.string().describe("A note to people; it is not read.").optional(),
    reading: values
      .describe("What is known of the model that its tensors do not tell. It is taken as stated.")
      .optional(),
    guess: values
      .describe(
        "Values to try first of what nothing settles. The reading that predicts the evaluated tokens best is taken; move what you know into reading.",
      )
      .optional(),
    roles: z
      .record(z.string(), z.enum(roleNames).meta({ enumDescriptions: roleDescriptions }))
      .describe(
        "What each tensor does, by its name. {layer} in a name stands for the number of a layer, {head} for that of a head with modules of its own. Every tensor needs a role; those that compute nothing are unused.",
      )
      .optional(),
    ignoredConfigKeys: z
      .array(z.string())
      .describe(
        "Keys of config.json that change nothing of what the model computes, although they look so.",
      )
      .optional(),
  })
  .describe("How Fathom reads the checkpoint that lies beside this file.");

/**
 * Reads what fathom.json beside a checkpoint states; undefined where there is none.
 *
 * @throws CheckpointError naming the file, the key, the value and what was expected
 */
export async function readStatement(checkpoint: Checkpoint): Promise<Statement | undefined> {
  const { statement: path } = checkpoint;
  if (path === undefined) return undefined;
  const fail = (what: string): never => {
    throw new CheckpointError("config", `${path}: ${what}.`);
  };
  const text = await readSmallFile(path, limits.statementBytes).catch((error: unknown) =>
    fail(`cannot be read: ${lineOf(error)}`),
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON: ${lineOf(error)}`);
  }
  const parsed = statementSchema.safeParse(value);
  if (!parsed.success) return fail(whatIsWrong(value, parsed.error.issues[0]!));
  const { reading = {}, guess = {}, roles, ignoredConfigKeys = [] } = parsed.data;
  return {
    path,
    reading: settingsOf(reading),
    guess: settingsOf(guess),
    roles: roles && new Map(Object.entries(roles)),
    ignoredConfigKeys,
  };
}

function whatIsWrong(value: unknown, issue: z.core.$ZodIssue): string {
  const [section, key] = issue.path;
  const at = issue.path.join(".");
  const found = issue.path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  );
  if (issue.code === "unrecognized_keys") {
    const known =
      section === undefined ? Object.keys(statementSchema.shape).filter(isPlain) : settingNames;
    const where = at === "" ? "" : `in "${at}" `;
    return `${where}${quote(issue.keys[0]!)} is not known; expected ${known.join(", ")}`;
  }
  if (section === undefined) return "is not a JSON object";
  if (section === "roles" && key !== undefined) {
    const what = `"roles" states ${written(found)} of ${quote(String(key))}`;
    return found === unknownRole
      ? `${what}; say what it does, or that it is unused`
      : `${what}; expected one of ${roleNames.join(", ")}`;
  }
  if (typeof key === "string" && isSettingName(key)) {
    return `"${at}" is ${written(found)}; expected ${valuesText(key)}`;
  }
  return `"${at}" is ${written(found)}; ${expectationOf(issue)}`;
}

function isPlain(key: string): boolean {
  return !key.startsWith("$");
}
