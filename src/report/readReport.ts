/** Reads a report from a file that anyone may have written: every field is checked, or it is refused. */
import { t } from "@vscode/l10n";
import * as z from "zod";
import { lineOf, quote } from "../checkpoint/errors";
import { metrics, normOwners, normPlaces, type Report } from "../diagnosis/report";

export const reportLimits = {
  /** 1000 documents of a 126-layer model, each figure on a line of its own, take about 15 MB. */
  bytes: 100_000_000,
  /** The deepest transformer that was ever trained (DeepNet, arXiv 2203.00555) has 1000. */
  layers: 10_000,
} as const;

/** Why a text is not a report. */
export type ReportProblem = "tooLarge" | "notJson" | "notAReport" | "newerVersion" | "field";

/** A text that is no report; the message is one sentence that names the first wrong field. */
export class ReportFileError extends Error {
  override readonly name = "ReportFileError";

  constructor(
    readonly problem: ReportProblem,
    message: string,
    /** For example `layers[3].outputVariance.mean`. */
    readonly field?: string,
  ) {
    super(message);
  }
}

/**
 * Reads a report as an export or the editor's store wrote it. Fields that this version does not know
 * are kept: a later version of Fathom may have added them.
 *
 * @throws ReportFileError
 */
export function parseReport(text: string): Report {
  checkSize(text.length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ReportFileError("notJson", t("It is not JSON: {0}.", lineOf(error)));
  }
  checkKind(value);
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success) throw fieldError(parsed.error, value);
  return value as Report;
}

/** To be asked before a file is read into memory. @throws ReportFileError */
export function checkSize(bytes: number): void {
  if (bytes <= reportLimits.bytes) return;
  throw new ReportFileError(
    "tooLarge",
    t("It is {0} bytes long; the limit is {1}.", bytes, reportLimits.bytes),
  );
}

/** JSON of another kind is told so, not which of a report's fields it happens to lack first. */
function checkKind(value: unknown): void {
  const fields: Readonly<Record<string, unknown>> =
    typeof value === "object" && value !== null ? { ...value } : {};
  const { schemaVersion } = fields;
  if (typeof schemaVersion === "number" && schemaVersion > 1) {
    throw new ReportFileError(
      "newerVersion",
      t(
        "It has version {0} of the report's form; this version of Fathom reads version 1.",
        schemaVersion,
      ),
      "schemaVersion",
    );
  }
  if (schemaVersion !== 1 || !("checkpoint" in fields)) {
    throw new ReportFileError(
      "notAReport",
      t('It is JSON, but not a report of Fathom: that has "schemaVersion": 1 and "checkpoint".'),
    );
  }
}

function fieldError(error: z.ZodError, value: unknown): ReportFileError {
  const issue = error.issues[0];
  const path = issue?.path ?? [];
  const field = fieldName(path);
  const expected = issue?.message ?? "something else";
  const found = path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
  return new ReportFileError("field", `${field}: ${expected}; found ${shown(found)}.`, field);
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}

/** What JSON.parse made of the place; quoted where it is a text. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "string") return quote(value);
  // JSON has no infinity, but 1e999 is read as one.
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

// ---- The form of a report, as diagnosis/report.ts documents it ----

const text = z.string("expected a text");
const number = z.number("expected a number");
const numbers = z.array(number, "expected a list of numbers");
const truth = z.boolean("expected true or false");
const size = number.min(0, "expected a number of at least 0");
const count = z.int("expected a whole number").min(0, "expected a number of at least 0");
const fingerprint = text.regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");
const metric = z.enum(metrics, `expected one of ${metrics.join(", ")}`);
const list = <Item extends z.ZodType>(item: Item) => z.array(item, "expected a list");
const object = <Shape extends z.core.$ZodShape>(shape: Shape) =>
  z.object(shape, "expected an object");

const fit = { intercept: number, r2: number, standardError: size.exactOptional() };

const tokenStatistics = object({
  mean: size,
  standardError: size.exactOptional(),
  median: size,
  medianStandardError: size.exactOptional(),
  meanWithoutFirstToken: size.exactOptional(),
  standardErrorWithoutFirstToken: size.exactOptional(),
});
const contribution = object({
  variance: tokenStatistics,
  normRatio: size,
  normRatioStandardError: size.exactOptional(),
  cosine: number,
  cosineStandardError: size.exactOptional(),
});
const removalCost = object({ deltaNll: number, standardError: size.exactOptional() });

const layerSchema = object({
  index: count,
  path: text,
  outputVariance: tokenStatistics.exactOptional(),
  attentionVariance: size.exactOptional(),
  crossAttentionVariance: size.exactOptional(),
  feedForwardVariance: size.exactOptional(),
  contribution: object({
    attention: contribution,
    crossAttention: contribution.exactOptional(),
    feedForward: contribution,
  }).exactOptional(),
  jacobian: object({
    identityDistance: size,
    standardError: size.exactOptional(),
    identityCosine: number,
    identityCosineStandardError: size.exactOptional(),
  }).exactOptional(),
  pruning: removalCost
    .extend({
      deltaPerplexity: number.exactOptional(),
      attention: removalCost.exactOptional(),
      crossAttention: removalCost.exactOptional(),
      feedForward: removalCost.exactOptional(),
    })
    .exactOptional(),
  blockInfluence: number.exactOptional(),
  blockInfluenceStandardError: size.exactOptional(),
  unmeasured: list(object({ metric, reason: text })).exactOptional(),
});

const documentsSchema = object({
  tokens: list(count),
  predictions: list(count).exactOptional(),
  nll: numbers.exactOptional(),
  layers: list(
    object({
      outputVariance: numbers.exactOptional(),
      squaredIdentityDistance: numbers.exactOptional(),
      deltaNll: numbers.exactOptional(),
    }),
  ),
}).check((context) => {
  const { tokens, predictions, nll, layers } = context.value;
  const perDocument: [PropertyKey[], number[] | undefined][] = [
    [["predictions"], predictions],
    [["nll"], nll],
    ...layers.flatMap((layer, index) =>
      Object.entries(layer).map(([name, values]): [PropertyKey[], number[] | undefined] => [
        ["layers", index, name],
        values,
      ]),
    ),
  ];
  for (const [path, values] of perDocument) {
    if (values === undefined || values.length === tokens.length) continue;
    const message = `expected one number for each of ${tokens.length} documents`;
    context.issues.push({ code: "custom", input: values, path, message });
  }
});

const reportSchema = object({
  schemaVersion: z.literal(1, "expected 1"),
  language: text.exactOptional(),
  checkpoint: object({
    path: text,
    format: text,
    bytes: count,
    parameters: count,
    fingerprint: fingerprint.exactOptional(),
  }),
  architecture: object({
    family: text,
    layers: count.max(reportLimits.layers, `expected at most ${reportLimits.layers}`),
    hiddenSize: count,
    heads: count,
    keyValueHeads: count,
    feedForwardSize: count,
    vocabularySize: count,
    contextLength: count.exactOptional(),
    tiedHead: truth,
    stack: z.enum(["encoder", "decoder"], "expected encoder or decoder").exactOptional(),
    normScheme: text,
    normSchemeSource: text,
    norms: list(
      object({
        path: text,
        feeds: z.enum(normOwners, `expected ${normOwners.join(" or ")}`),
        place: z.enum(normPlaces, `expected ${normPlaces.join(" or ")}`).exactOptional(),
        layers: list(count).exactOptional(),
      }),
    ).exactOptional(),
    reading: object({
      source: z.enum(
        ["config", "family", "inference", "statement"],
        "expected config, family, inference or statement",
      ),
      settled: list(object({ name: text, value: text, by: text })).exactOptional(),
      candidates: list(
        object({
          settings: z.record(text, text),
          nll: number.exactOptional(),
          tokens: count.exactOptional(),
          further: list(object({ nll: number.exactOptional(), tokens: count })).exactOptional(),
        }),
      ).exactOptional(),
      margin: number.exactOptional(),
      tokens: number.exactOptional(),
      untold: list(text).exactOptional(),
    }).exactOptional(),
  }),
  evaluation: object({
    source: text,
    documents: count,
    input: z.literal("images", 'expected "images"').exactOptional(),
    sequences: count.exactOptional(),
    tokens: count,
    sequenceLength: count,
    plannedDocuments: count,
    plannedSequences: count.exactOptional(),
    metrics: list(metric),
    probes: count,
    seed: z.int("expected a whole number"),
    objective: z.enum(["next-token", "masked-token", "span-corruption", "class"]).exactOptional(),
    fingerprint: fingerprint.exactOptional(),
  }),
  runtime: object({ device: text, threads: count, seconds: size, peakMemoryBytes: count }),
  baseline: object({
    nll: number,
    standardError: size.exactOptional(),
    perplexity: number.positive("expected a number above 0").exactOptional(),
  }).exactOptional(),
  documents: documentsSchema.exactOptional(),
  growth: object({
    exponential: object({ rate: number, ...fit }),
    power: object({ exponent: number, ...fit }),
  }).exactOptional(),
  layers: list(layerSchema),
  findings: list(
    object({
      kind: z.enum(
        ["chance", "growth", "identity", "removal", "notice"],
        "expected chance, growth, identity, removal or notice",
      ),
      layers: list(count),
      text,
    }),
  ),
}).check((context) => {
  // Views find a layer by its place, and draw as many as the architecture says.
  const { architecture, layers } = context.value;
  for (const [place, { index }] of layers.entries()) {
    if (index === place && index < architecture.layers) continue;
    const message =
      index === place
        ? `expected no more than the ${architecture.layers} layers of the architecture`
        : `expected ${place}, the layer's place in the list`;
    context.issues.push({
      code: "custom",
      input: index,
      path: ["layers", place, "index"],
      message,
    });
    return;
  }
}) satisfies z.ZodType<Report>;
