/** From settings, as a user may have written them, to the request that the engine is sent. */
import path from "node:path";
import { t } from "@vscode/l10n";
import { stacks } from "../architecture/description";
import { schemeNames } from "../architecture/schemes";
import { metrics, type Metric } from "../diagnosis/report";
import { devices } from "../engine/device";
import type { DiagnosisRequest } from "../protocol/messages";
import type { TextSource } from "../text/source";
import type { settings, watchSettings } from "./ids";

export type SettingName = keyof typeof settings;
export type WatchSettingName = (typeof watchSettings)[keyof typeof watchSettings];

/** What the editor knows of the settings; it does not hold their values to the schema. */
export interface SettingsReader {
  value(name: SettingName): unknown;
  /** True when the user, the workspace or the folder set it; false for the default. */
  isExplicit(name: SettingName): boolean;
}

export interface RequestPlaces {
  checkpoint: string;
  /** Relative text and token files are found from here: the workspace folder of the checkpoint. */
  textFolder: string;
  /** The text that ships with the extension. */
  defaultText: string;
}

/** @throws {SettingError} naming the setting, its value and what was expected */
export function requestOf(reader: SettingsReader, places: RequestPlaces): DiagnosisRequest {
  const scheme = oneOf(reader, "scheme", schemes);
  const stack = oneOf(reader, "stack", stackChoices);
  const threads = optionalNumber(reader, "threads", { atLeast: 1, integer: true });
  const memoryGib = optionalNumber(reader, "memoryGib", { atLeast: 0.25 });
  return {
    checkpoint: places.checkpoint,
    texts: textsOf(reader, places),
    sequenceLength: number(reader, "sequenceLength", { atLeast: 2, integer: true }),
    sequenceLengthIsExplicit: reader.isExplicit("sequenceLength"),
    maxTokens: number(reader, "maxTokens", { atLeast: 2, integer: true }),
    maxTokensIsExplicit: reader.isExplicit("maxTokens"),
    metrics: metricsOf(reader),
    probes: number(reader, "probes", { atLeast: 1, integer: true }),
    ...(scheme === "auto" ? {} : { scheme }),
    ...(stack === "auto" ? {} : { stack }),
    device: oneOf(reader, "device", devices),
    ...(threads === undefined ? {} : { threads }),
    ...(memoryGib === undefined ? {} : { memoryBytes: Math.round(memoryGib * 2 ** 30) }),
    seed: number(reader, "seed", { atLeast: 0, integer: true }),
  };
}

export class SettingError extends Error {
  constructor(
    readonly setting: SettingName | WatchSettingName,
    value: unknown,
    expected: string,
  ) {
    super(
      t("The setting fathom.{0} is {1}; expected {2}.", setting, JSON.stringify(value), expected),
    );
    this.name = "SettingError";
  }
}

export const schemes = ["auto", ...schemeNames] as const;
export const stackChoices = ["auto", ...stacks] as const;

function textsOf(reader: SettingsReader, places: RequestPlaces): TextSource {
  const files = reader.value("textFiles");
  if (!isStringArray(files)) {
    throw new SettingError("textFiles", files, t("a list of paths of text files"));
  }
  const tokens = reader.value("tokensFile");
  if (typeof tokens !== "string") {
    throw new SettingError("tokensFile", tokens, t("the path of a JSON file, or an empty text"));
  }
  if (tokens !== "" && files.length > 0) {
    throw new SettingError("tokensFile", tokens, t("none while fathom.textFiles names files"));
  }
  if (tokens !== "") return { kind: "tokens", file: path.resolve(places.textFolder, tokens) };
  if (files.length === 0) return { kind: "default", file: places.defaultText };
  return { kind: "text", files: files.map((file) => path.resolve(places.textFolder, file)) };
}

function metricsOf(reader: SettingsReader): Metric[] {
  const chosen = reader.value("metrics");
  if (Array.isArray(chosen) && chosen.length > 0 && chosen.every(isMetric)) {
    // In the order of the definitions, each once, however the user wrote them.
    return metrics.filter((metric) => chosen.includes(metric));
  }
  throw new SettingError("metrics", chosen, t("a list of some of {0}", metrics.join(", ")));
}

interface Range {
  atLeast: number;
  integer?: boolean;
}

function number(reader: SettingsReader, name: SettingName, range: Range): number {
  const value = reader.value(name);
  const fits =
    typeof value === "number" &&
    value >= range.atLeast &&
    (range.integer === true ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (fits) return value;
  const expected =
    range.integer === true
      ? t("a whole number of at least {0}", range.atLeast)
      : t("a number of at least {0}", range.atLeast);
  throw new SettingError(name, value, expected);
}

function optionalNumber(
  reader: SettingsReader,
  name: SettingName,
  range: Range,
): number | undefined {
  const value = reader.value(name);
  return value === null || value === undefined ? undefined : number(reader, name, range);
}

function oneOf<Choice extends string>(
  reader: SettingsReader,
  name: SettingName,
  choices: readonly Choice[],
): Choice {
  const value = reader.value(name);
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new SettingError(name, value, t("one of {0}", choices.join(", ")));
  return choice;
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
}

function isMetric(value: unknown): value is Metric {
  return metrics.some((metric) => metric === value);
}
