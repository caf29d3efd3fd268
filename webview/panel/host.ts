/** Whom the panel talks to. */
import type { Report } from "../../src/diagnosis/report";
import type { HostToPanel, PanelToHost } from "../../src/protocol/messages";
import { reportCsv } from "../../src/report/csv";
import { baseName } from "../../src/report/format";
import {
  connectPage,
  embedded,
  saveText,
  saveUrl,
  type FileAnswers,
  type PageHost,
} from "../shared/pageHost";

export type PanelHost = PageHost<HostToPanel, PanelToHost>;

export function connectHost(): PanelHost {
  return connectPage(fileAnswers);
}

function fileAnswers(): FileAnswers<HostToPanel, PanelToHost> {
  const report = embedded("fathom-report") as Report;
  const name = baseName(report.checkpoint.path);
  return {
    answer: (message, tell) => {
      if (message.type === "ready") {
        tell({ type: "state", state: { phase: "done", name, report, notices: [] } });
      } else if (message.type === "png") {
        if (message.dataUrl !== undefined) saveUrl(message.dataUrl, `${name}.png`);
      } else if (message.type === "export") {
        switch (message.format) {
          case "json":
            saveText(`${JSON.stringify(report, null, 2)}\n`, `${name}.fathom.json`);
            break;
          case "csv":
            saveText(reportCsv(report), `${name}.csv`);
            break;
          case "png":
            tell({ type: "renderPng", requestId: 0 });
            break;
          case "html":
            break;
        }
      }
    },
  };
}
