/** Whom the comparison talks to. */
import type { ComparisonToHost, HostToComparison } from "../../src/protocol/comparison";
import { compareReports, type NamedReport } from "../../src/report/comparison";
import { comparisonCsv } from "../../src/report/comparisonCsv";
import {
  connectPage,
  embedded,
  saveText,
  saveUrl,
  type FileAnswers,
  type PageHost,
} from "../shared/pageHost";

export type ComparisonHost = PageHost<HostToComparison, ComparisonToHost>;

export function connectComparisonHost(): ComparisonHost {
  return connectPage(fileAnswers);
}

function fileAnswers(): FileAnswers<HostToComparison, ComparisonToHost> {
  const { reports, reference } = embedded("fathom-comparison") as {
    reports: NamedReport[];
    reference: number;
  };
  const exportAs = (message: ComparisonToHost & { type: "export" }): void => {
    switch (message.format) {
      case "json": {
        const comparison = compareReports(reports, message.reference);
        saveText(`${JSON.stringify(comparison, null, 2)}\n`, "comparison.json");
        break;
      }
      case "csv":
        saveText(comparisonCsv(compareReports(reports, message.reference)), "comparison.csv");
        break;
      case "png":
        if (message.png !== undefined) saveUrl(message.png, "comparison.png");
        break;
      case "html":
        break;
    }
  };
  return {
    answer: (message, tell) => {
      if (message.type === "ready") {
        const standings = reports.map(() => ({ kind: "ready" }) as const);
        const status = { phase: "done", fraction: 1, standings } as const;
        tell({ type: "reports", compared: reports, status, source: { targets: [] } });
      } else if (message.type === "export") exportAs(message);
    },
    navigation: { reference },
  };
}
