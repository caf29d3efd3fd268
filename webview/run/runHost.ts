/** Whom the panel of a run talks to. */
import type { HostToRun, RunStatus, RunToHost } from "../../src/protocol/messages";
import { runCsv } from "../../src/trainingRun/runCsv";
import { runJson } from "../../src/trainingRun/runJson";
import type { ExportedRun, NamedRun } from "../../src/trainingRun/runReport";
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
  const exported = embedded("fathom-run") as ExportedRun;
  const { name, run, other } = exported;
  const runs = [{ name, run }, ...(other ? [other] : [])];
  const exportAs = (message: RunToHost & { type: "export" }): void => {
    switch (message.format) {
      case "json":
        saveText(runJson(exported), `${name}.json`);
        break;
      case "csv":
        saveText(runCsv(exported), `${name}.csv`);
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
        tell({ type: "runs", runs, statuses: runs.map(finishedStatus) });
      } else if (message.type === "export") exportAs(message);
    },
  };
}

/** Of a run that is not measured any more. */
function finishedStatus({ run: { steps } }: NamedRun): RunStatus {
  const finished = steps.filter(({ report }) => report).length;
  return {
    phase: "done",
    finished,
    planned: finished,
    missing: steps.length - finished,
    isWatching: false,
    notices: [],
  };
}
