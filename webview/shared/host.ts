/**
 * Whom the panel talks to: the editor, or, in an exported file, the page itself, which answers as
 * the editor would.
 */
import type { Report } from "../../src/diagnosis/report";
import type {
  ExportFormat,
  HostToPanel,
  PanelSource,
  PanelToHost,
} from "../../src/protocol/messages";
import { reportCsv } from "../../src/report/csv";
import { baseName } from "../../src/report/format";
import { element } from "./dom";

export interface PanelHost {
  /** An exported file can neither run nor stop anything. */
  kind: "editor" | "file";
  formats: readonly ExportFormat[];
  post(message: PanelToHost): void;
  onMessage(listener: (message: HostToPanel) => void): void;
  /** What `saveNavigation` last kept, from this page or the one it replaces. */
  savedNavigation(): unknown;
  saveNavigation(navigation: object): void;
  /** Keeps what the editor needs to fill the panel again after a reload. */
  saveSource(source: PanelSource): void;
}

export function connectHost(): PanelHost {
  return typeof acquireVsCodeApi === "function" ? editorHost(acquireVsCodeApi()) : fileHost();
}

interface VsCodeApi {
  postMessage(message: PanelToHost): void;
  getState(): unknown;
  setState(state: object): void;
}

declare const acquireVsCodeApi: undefined | (() => VsCodeApi);

function editorHost(api: VsCodeApi): PanelHost {
  const save = (changed: object): void => {
    const before = api.getState();
    api.setState({ ...(typeof before === "object" ? before : {}), ...changed });
  };
  return {
    kind: "editor",
    formats: ["json", "csv", "png", "html"],
    post: (message) => {
      api.postMessage(message);
    },
    onMessage: (listener) => {
      window.addEventListener("message", (event: MessageEvent<HostToPanel>) => {
        listener(event.data);
      });
    },
    savedNavigation: () => {
      const state = api.getState();
      return typeof state === "object" && state !== null && "navigation" in state
        ? state.navigation
        : undefined;
    },
    // A navigation without a layer means none is chosen, so that it replaces the whole of the last.
    saveNavigation: (navigation) => {
      save({ navigation });
    },
    saveSource: (source) => {
      save({ source });
    },
  };
}

function fileHost(): PanelHost {
  const embedded = document.getElementById("fathom-report")?.textContent ?? "";
  const report = JSON.parse(embedded) as Report;
  const name = baseName(report.checkpoint.path);
  let listener: ((message: HostToPanel) => void) | undefined;
  const save = (text: string, type: string, extension: string) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    download(url, `${name}.${extension}`);
    URL.revokeObjectURL(url);
  };
  const exportAs = (format: ExportFormat) => {
    switch (format) {
      case "json":
        save(`${JSON.stringify(report, null, 2)}\n`, "application/json", "fathom.json");
        break;
      case "csv":
        save(reportCsv(report), "text/csv", "csv");
        break;
      case "png":
        listener?.({ type: "renderPng", requestId: 0 });
        break;
      case "html":
        break; // This page is it.
    }
  };
  return {
    kind: "file",
    formats: ["json", "csv", "png"],
    post: (message) => {
      switch (message.type) {
        case "ready":
          listener?.({ type: "state", state: { phase: "done", name, report, notices: [] } });
          break;
        case "export":
          exportAs(message.format);
          break;
        case "png":
          if (message.dataUrl !== undefined) download(message.dataUrl, `${name}.png`);
          break;
        case "layer":
        case "cancel":
        case "finish":
        case "runAgain":
          break;
      }
    },
    onMessage: (next) => {
      listener = next;
    },
    savedNavigation: () => undefined,
    saveNavigation: () => undefined,
    saveSource: () => undefined,
  };
}

function download(url: string, fileName: string): void {
  element("a", { attributes: { href: url, download: fileName } }).click();
}
