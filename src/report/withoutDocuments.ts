import type { Report } from "../diagnosis/report";

/** What the views of one report show: everything but the figures of single documents. */
export function withoutDocuments(report: Report): Report {
  const slim = { ...report };
  delete slim.documents;
  return slim;
}
