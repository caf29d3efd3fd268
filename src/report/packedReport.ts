/**
 * A report whose figures of single documents are typed arrays on one buffer: so they pass between
 * threads, processes and pages as bytes, where plain arrays would be walked number by number.
 */
import type { DocumentFigures, LayerDocuments, Report } from "../diagnosis/report";

export interface PackedReport extends Omit<Report, "documents"> {
  documents?: PackedDocuments;
}

type Packed<Figures> = { [Name in keyof Figures]: Float64Array<ArrayBuffer> };

interface PackedDocuments extends Packed<Omit<DocumentFigures, "layers">> {
  layers: Packed<LayerDocuments>[];
}

/** The report is left as it is; of its fields none changes its place. */
export function packReport(report: Report): PackedReport {
  const { documents, ...bare } = report;
  if (documents === undefined) return bare;
  let length = 0;
  mapped(documents, (numbers) => (length += numbers.length));
  const buffer = new ArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT);
  let at = 0;
  const pack = (numbers: ArrayLike<number>): Float64Array => {
    const packed = new Float64Array(buffer, at, numbers.length);
    packed.set(numbers);
    at += packed.byteLength;
    return packed;
  };
  return { ...report, documents: mapped(documents, pack) as PackedDocuments };
}

/** The report that was packed; one that never was is as good. */
export function unpackReport(packed: PackedReport | Report): Report {
  const { documents, ...bare } = packed;
  if (documents === undefined) return bare;
  return { ...packed, documents: mapped(documents, plain) as DocumentFigures };
}

/** Twenty times as fast as Array.from, which asks an iterator for each number. */
function plain(packed: ArrayLike<number>): number[] {
  const numbers = new Array<number>(packed.length);
  for (let i = 0; i < packed.length; i++) numbers[i] = packed[i]!;
  return numbers;
}

/** Maps all numbers of the documents, those of the layers among them. */
function mapped(
  documents: DocumentFigures | PackedDocuments,
  map: (numbers: ArrayLike<number>) => unknown,
): unknown {
  const { layers } = documents;
  const figuresOf = (figures: object): object => {
    const entries = Object.entries(figures) as [string, ArrayLike<number>][];
    return Object.fromEntries(
      entries.map(([name, numbers]) => [
        name,
        // The list of layers is the only field that is not of numbers.
        (numbers as unknown) === layers ? layers.map(figuresOf) : map(numbers),
      ]),
    );
  };
  return figuresOf(documents);
}
