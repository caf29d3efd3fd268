import { t } from "@vscode/l10n";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError, quote } from "../checkpoint/errors";
import { configError } from "./config";
import type { Architecture } from "./description";
import type { SchemeName } from "./schemes";
import { schemeNamed, schemeNames } from "./schemes";

type Config = NonNullable<Checkpoint["config"]>;

/** A scheme, and how it was settled. */
export type SettledScheme = Pick<Architecture["scheme"], "name" | "source">;

const preNorm: SettledScheme = {
  name: "pre-ln",
  get source() {
    return t("the default of the family; weights cannot tell LayerNorm Scaling");
  },
};

/**
 * The norm scheme a checkpoint uses: the user's word, the config's, the tensors', or the family's own.
 *
 * @param fallback the family's own
 * @throws CheckpointError when the config states several, or one that is not known
 */
export function settleScheme(
  checkpoint: Checkpoint,
  config: Config,
  asked: SchemeName | undefined,
  byDefault: SettledScheme = preNorm,
): Architecture["scheme"] {
  const stated = statedSchemes(config);
  if (asked !== undefined) {
    const overruled = stated.find((name) => name !== asked);
    return overruled === undefined
      ? { name: asked, source: t("as asked") }
      : { name: asked, source: t("as asked; config.json states {0}", overruled), overruled };
  }
  if (stated.length > 1) {
    throw new CheckpointError(
      "config",
      `${config.path}: states more than one norm scheme (${stated.join(", ")}); choose one with the scheme option.`,
    );
  }
  if (stated[0] !== undefined) return { name: stated[0], source: t("stated in config.json") };
  const unclaimed = namesIn(config.value)[0];
  if (unclaimed !== undefined) {
    throw new CheckpointError(
      "unsupported",
      `${config.path}: states the norm scheme ${quote(unclaimed)}, which is not supported; supported are ${schemeNames.join(", ")}.`,
    );
  }
  for (const name of schemeNames) {
    const { tensors } = schemeNamed(name);
    const tensor = tensors && [...checkpoint.tensors.keys()].find((found) => tensors.test(found));
    if (tensor !== undefined) return { name, source: t("the tensor {0}", tensor) };
  }
  return byDefault;
}

/** The norm schemes that a config states; none, one or, where it contradicts itself, several. */
export function statedSchemes(config: Config): SchemeName[] {
  return schemeNames.filter((name) => isStated(name, config));
}

/** Parallel sublayers where a family has them by default or, by a key of its own, does; else Pre-LN. */
export function parallelUnless(isSequential: boolean): SettledScheme {
  return isSequential
    ? preNorm
    : { name: "parallel", source: t("the default of the family; weights cannot tell it") };
}

function isStated(name: SchemeName, config: Config): boolean {
  const { names, flags = [], counts = [] } = schemeNamed(name);
  return (
    flags.some((key) => isTrue(config, key)) ||
    counts.some((key) => Number(config.value[key]) > 1) ||
    namesIn(config.value).some((value) => names.test(value))
  );
}

/** @throws CheckpointError when the key has a value that says neither yes nor no */
function isTrue(config: Config, key: string): boolean {
  const value = config.value[key] ?? false;
  if ([true, 1, "true"].some((yes) => yes === value)) return true;
  if ([false, 0, "false"].some((no) => no === value)) return false;
  throw configError(config, key, value, "expected true or false");
}

/** Keys that state a norm scheme, or a kind of norm. */
const normKeys = ["norm_scheme", "norm_type", "norm_placement", "norm_position"];

/** What is a kind of norm and no scheme, in lower case with hyphens; the group tells RMS norms. */
const kindOfNorm = /^(?:low-precision-)?(?:(rms-?norm|rms)|layer-?norm|ln)$/;

/** The kind of norm that config.json states, if it does. */
export function statedNormKind(
  config: Config["value"],
): { key: string; value: unknown; kind: "layer" | "rms" } | undefined {
  for (const key of normKeys) {
    const match = kindOfNorm.exec(hyphenated(config[key]) ?? "");
    if (match) return { key, value: config[key], kind: match[1] === undefined ? "layer" : "rms" };
  }
  return undefined;
}

/** What config.json calls its norm scheme; kinds of norm are not schemes. */
function namesIn(config: Config["value"]): string[] {
  return normKeys
    .map((key) => hyphenated(config[key]))
    .filter((value) => value !== undefined)
    .filter((value) => !kindOfNorm.test(value));
}

/** In lower case with hyphens; undefined where it is no text. */
function hyphenated(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase().replaceAll(/[_\s]+/g, "-") : undefined;
}
