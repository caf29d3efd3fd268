import { describe, expect, it } from "vitest";
import { plannedShare } from "../../../webview/panel/plannedShare";
import { sampleReport } from "../report/sampleReport";

const { evaluation } = sampleReport({ layers: 2 });
const share = (change: Partial<typeof evaluation>) => plannedShare({ ...evaluation, ...change });

describe("how much of the planned text has been measured", () => {
  it("is told in documents", () => {
    expect(
      share({ documents: 2, plannedDocuments: 8, sequences: 4, plannedSequences: 16 }),
    ).toEqual({ isWhole: false, text: "2 of 8 documents" });
    expect(
      share({ documents: 8, plannedDocuments: 8, sequences: 16, plannedSequences: 16 }),
    ).toEqual({ isWhole: true, text: "8 of 8 documents" });
  });

  it("is told in sequences where every document was begun and not every one measured", () => {
    expect(share({ documents: 1, plannedDocuments: 1, sequences: 3, plannedSequences: 9 })).toEqual(
      {
        isWhole: false,
        text: "3 of 9 sequences",
      },
    );
  });

  it("is told in documents by reports that do not count sequences", () => {
    const { sequences, plannedSequences, ...older } = evaluation;
    expect([sequences, plannedSequences]).toBeDefined();
    expect(plannedShare({ ...older, documents: 1, plannedDocuments: 1 }).text).toBe(
      "1 of 1 document",
    );
  });
});
