/** How much of the planned text has been measured. */
import type { EvaluationSummary } from "../../src/diagnosis/report";
import { countedOf, type Noun } from "../../src/report/format";

export interface PlannedShare {
  isWhole: boolean;
  /** `2 of 8 documents` */
  text: string;
}

/**
 * In documents, over which the errors are; in sequences where every document has been begun but not
 * every one measured to its end, as in a single long one.
 */
export function plannedShare({
  documents,
  plannedDocuments,
  sequences,
  plannedSequences,
}: EvaluationSummary): PlannedShare {
  const tellsSequences =
    documents >= plannedDocuments &&
    sequences !== undefined &&
    plannedSequences !== undefined &&
    sequences < plannedSequences;
  return tellsSequences
    ? shareOf(sequences, plannedSequences, "sequence")
    : shareOf(documents, plannedDocuments, "document");
}

function shareOf(some: number, all: number, noun: Noun): PlannedShare {
  return { isWhole: some >= all, text: countedOf(some, all, noun) };
}
