/**
 * Whom the comparison talks to: the editor, or, in an exported file, the page itself, which answers
 * as the editor would.
 */
import type { ComparisonToHost, HostToComparison } from "../../src/protocol/comparison";
import type { ExportFormat } from "../../src/protocol/messages";
import { compareReports, type NamedReport } from "../../src/report/comparison";
import { comparisonCsv } from "../../src/report/comparisonCsv";
import { element } from "../shared/dom";

export interface ComparisonHost {
  kind: "editor" | "file";
  formats: readonly ExportFormat[];
  post(message: ComparisonToHost): void;
  onMessage(listener: (message: HostToComparison) => void): void;
  savedNavigation(): unknown;
  saveNavigation(navigation: object): void;
}

export function connectComparisonHost(): ComparisonHost {
  return typeof acquireVsCodeApi === "function" ? editorHost(acquireVsCodeApi()) : fileHost();
}

interface VsCodeApi {
  postMessage(message: ComparisonToHost): void;
  getState(): unknown;
  setState(state: object): void;
}

declare const acquireVsCodeApi: undefined | (() => VsCodeApi);

function editorHost(api: VsCodeApi): ComparisonHost {
  return {
    kind: "editor",
    formats: ["json", "csv", "png", "html"],
    post: (message) => {
      api.postMessage(message);
    },
    onMessage: (listener) => {
      window.addEventListener("message", (event: MessageEvent<HostToComparison>) => {
        listener(event.data);
      });
    },
    savedNavigation: () => api.getState(),
    saveNavigation: (navigation) => {
      api.setState(navigation);
    },
  };
}

function fileHost(): ComparisonHost {
  const embedded = document.getElementById("fathom-comparison")?.textContent ?? "";
  const { reports, reference } = JSON.parse(embedded) as {
    reports: NamedReport[];
    reference: number;
  };
  let listener: ((message: HostToComparison) => void) | undefined;
  const exportAs = (message: ComparisonToHost & { type: "export" }) => {
    switch (message.format) {
      case "json":
        save(`${JSON.stringify(compareReports(reports, message.reference), null, 2)}\n`, "json");
        break;
      case "csv":
        save(comparisonCsv(compareReports(reports, message.reference)), "csv");
        break;
      case "png":
        if (message.png !== undefined) download(message.png, "png");
        break;
      case "html":
        break; // This page is it.
    }
  };
  return {
    kind: "file",
    formats: ["json", "csv", "png"],
    post: (message) => {
      if (message.type === "ready") listener?.({ type: "reports", reports, targets: [] });
      if (message.type === "export") exportAs(message);
    },
    onMessage: (next) => {
      listener = next;
    },
    savedNavigation: () => ({ reference }),
    saveNavigation: () => undefined,
  };
}

function save(text: string, extension: "json" | "csv"): void {
  const type = extension === "json" ? "application/json" : "text/csv";
  const url = URL.createObjectURL(new Blob([text], { type }));
  download(url, extension);
  URL.revokeObjectURL(url);
}

function download(url: string, extension: string): void {
  element("a", { attributes: { href: url, download: `comparison.${extension}` } }).click();
}
