/** What a stored report is found by: the content that was measured, and how. */
import { createHash } from "node:crypto";
import type { DiagnosisRequest } from "../../protocol/messages";

/**
 * Raised with each change of the engine that changes the figures of an unchanged checkpoint: stored
 * reports of an older revision are then measured anew.
 */
const figuresRevision = 1;

export interface MeasuredContent {
  /** Of the checkpoint's content. */
  fingerprint: string;
  /** SHA-256 of each text or token file, in the order of the request. */
  texts: readonly string[];
}

/**
 * Equal for two requests whose figures are the same: wherever the files lie, on whatever device, with
 * however many threads and however much memory.
 *
 * @returns SHA-256 in hexadecimal
 */
export function reportKey(request: DiagnosisRequest, content: MeasuredContent): string {
  const measured = {
    figuresRevision,
    fingerprint: content.fingerprint,
    tokens: request.texts.kind === "tokens",
    texts: content.texts,
    sequenceLength: request.sequenceLength,
    sequenceLengthIsExplicit: request.sequenceLengthIsExplicit,
    maxTokens: request.maxTokens,
    maxTokensIsExplicit: request.maxTokensIsExplicit,
    metrics: [...request.metrics].sort(),
    probes: request.probes,
    scheme: request.scheme ?? "auto",
    stack: request.stack ?? "auto",
    // Left out where there is none: keys of reports that are stored already have no such part.
    reading: sorted(request.reading),
    chosenReading: sorted(request.chosenReading),
    seed: request.seed,
  };
  return createHash("sha256").update(JSON.stringify(measured)).digest("hex");
}

function sorted(settings: Readonly<Record<string, string>> | undefined): unknown {
  return settings && Object.entries(settings).sort();
}
