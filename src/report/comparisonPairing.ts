/** What two reports were measured on: the same documents, the same tokens, or neither. */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";

export type Pairing = { isPaired: true; documents: number } | { isPaired: false; reason: string };

/** Whether the two are compared document by document, or why they cannot be. */
export function pairingOf(reference: Report, other: Report): Pairing {
  const unpaired = (reason: string): Pairing => ({ isPaired: false, reason });
  const [a, b] = [reference.evaluation, other.evaluation];
  if (a.fingerprint === undefined || b.fingerprint === undefined) {
    return unpaired(t("a report does not say which tokens it was measured on"));
  }
  if (a.fingerprint !== b.fingerprint) return unpaired(t("they were measured on different tokens"));
  if (reference.documents === undefined || other.documents === undefined) {
    return unpaired(t("a report does not state the figures of each document"));
  }
  const documents = reference.documents.tokens.length;
  if (documents !== other.documents.tokens.length) {
    return unpaired(t("they state different numbers of documents"));
  }
  if (documents < 2) return unpaired(t("there is only one document"));
  return { isPaired: true, documents };
}

/** Why figures in nats per token are not of the same tokens, if they are not. */
export function tokensDiffer(reference: Report, other: Report): string | undefined {
  if (areSameTokens(reference, other)) return undefined;
  const [a, b] = [reference.architecture.vocabularySize, other.architecture.vocabularySize];
  return a === b
    ? undefined
    : t("nats per token of different vocabularies ({0} and {1} tokens) cannot be compared", a, b);
}

/** The texts that losses are of, if they are different ones. */
export function differentTexts(
  reference: Report,
  other: Report,
  pairing: Pairing,
): readonly [reference: string, other: string] | undefined {
  if (pairing.isPaired || areSameTokens(reference, other)) return undefined;
  const [a, b] = [reference.evaluation.source, other.evaluation.source];
  return a === b ? undefined : [a, b];
}

/** @param otherTexts what `differentTexts` found */
export function caveatsOf(
  reference: Report,
  other: Report,
  otherTexts: readonly [string, string] | undefined,
): string[] {
  const [a, b] = [reference, other];
  const isSame =
    a.checkpoint.fingerprint === b.checkpoint.fingerprint && a.checkpoint.fingerprint !== undefined;
  const [fewer, more] = [a.architecture.layers, b.architecture.layers].sort((x, y) => x - y);
  return [
    ...(isSame ? [t("Both are reports of the same weights.")] : []),
    ...(otherTexts === undefined
      ? []
      : [
          t(
            "A difference may be one of the texts: the reports were measured on different text: {0} and {1}.",
            ...otherTexts,
          ),
        ]),
    ...(fewer === more
      ? []
      : [
          t(
            "Layers are matched by index; layers {0} to {1} of the deeper model have no counterpart.",
            fewer!,
            more! - 1,
          ),
        ]),
  ];
}

function areSameTokens(reference: Report, other: Report): boolean {
  const { fingerprint } = reference.evaluation;
  return fingerprint !== undefined && fingerprint === other.evaluation.fingerprint;
}
