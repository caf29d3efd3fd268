/** Whom the panel of a run talks to. */
import type { HostToRun, RunToHost } from "../../src/protocol/messages";
import { runCsv } from "../../src/trainingRun/runCsv";
import type { ExportedRun } from "../../src/trainingRun/runReport";
import {
  connectPage,
  embedded,
  saveText,
  saveUrl,
  type FileAnswers,
  type PageHost,
} from "../shared/pageHost";

export type RunHost = PageHost<HostToRun, RunToHost>;

export function connectRunHost(): RunHost {
  return connectPage(fileAnswers);
}

function fileAnswers(): FileAnswers<HostToRun, RunToHost> {
  const { name, run, other } = embedded("fathom-run") as ExportedRun;
  const finished = run.steps.filter(({ report }) => report).length;
  const status = {
    phase: "done",
    finished,
    planned: finished,
    missing: run.steps.length - finished,
    isWatching: false,
    notices: [],
  } as const;
  const exportAs = (message: RunToHost & { type: "export" }): void => {
    switch (message.format) {
      case "json":
        saveText(`${JSON.stringify(run, null, 2)}\n`, `${name}.json`);
        break;
      case "csv":
        saveText(runCsv(run), `${name}.csv`);
        break;
      case "png":
        if (message.png !== undefined) saveUrl(message.png, `${name}.png`);
        break;
      case "html":
        break;
    }
  };
  return {
    answer: (message, tell) => {
      if (message.type === "ready") {
        tell({ type: "run", name, run, status: { ...status, notices: [] } });
        if (other) tell({ type: "other", ...other });
      } else if (message.type === "export") exportAs(message);
    },
  };
}
