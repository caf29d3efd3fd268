/**
 * Whom a page talks to: the editor, or, in an exported file, the page itself, which answers as the
 * editor would.
 */
import type { ExportFormat } from "../../src/protocol/messages";
import { element } from "./dom";

export interface PageHost<FromHost, ToHost> {
  /** An exported file can neither run nor stop anything. */
  kind: "editor" | "file";
  formats: readonly ExportFormat[];
  post: (message: ToHost) => void;
  onMessage: (listener: (message: FromHost) => void) => void;
  /** What `saveNavigation` last kept, from this page or the one it replaces. */
  savedNavigation: () => unknown;
  /** Takes the place of the whole of what was kept before. */
  saveNavigation: (navigation: object) => void;
  /** Keeps what the editor needs to fill the page again after a reload. */
  saveSource: (source: object) => void;
}

/** What an exported page answers itself with. */
export interface FileAnswers<FromHost, ToHost> {
  /** @param tell what the editor would have sent */
  answer: (message: ToHost, tell: (message: FromHost) => void) => void;
  /** Where the page begins. */
  navigation?: unknown;
}

/** @param fileAnswers made only in an exported file */
export function connectPage<FromHost, ToHost>(
  fileAnswers: () => FileAnswers<FromHost, ToHost>,
): PageHost<FromHost, ToHost> {
  return typeof acquireVsCodeApi === "function"
    ? editorHost(acquireVsCodeApi())
    : fileHost(fileAnswers());
}

/** What an exported file holds, as its JSON was written. */
export function embedded(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null") as unknown;
}

/** Hands a text to the browser as a file. */
export function saveText(text: string, fileName: string): void {
  const type = fileName.endsWith(".json") ? "application/json" : "text/csv";
  const url = URL.createObjectURL(new Blob([text], { type }));
  saveUrl(url, fileName);
  URL.revokeObjectURL(url);
}

export function saveUrl(url: string, fileName: string): void {
  element("a", { attributes: { href: url, download: fileName } }).click();
}

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: object): void;
}

declare const acquireVsCodeApi: undefined | (() => VsCodeApi);

function editorHost<FromHost, ToHost>(api: VsCodeApi): PageHost<FromHost, ToHost> {
  const saved = (): object => {
    const state = api.getState();
    return typeof state === "object" && state !== null ? state : {};
  };
  return {
    kind: "editor",
    formats: ["json", "csv", "png", "html"],
    post: (message) => {
      api.postMessage(message);
    },
    onMessage: (listener) => {
      window.addEventListener("message", (event: MessageEvent<FromHost>) => {
        listener(event.data);
      });
    },
    savedNavigation: () => {
      const state = saved();
      return "navigation" in state ? state.navigation : undefined;
    },
    saveNavigation: (navigation) => {
      api.setState({ ...saved(), navigation });
    },
    saveSource: (source) => {
      api.setState({ ...saved(), source });
    },
  };
}

function fileHost<FromHost, ToHost>({
  answer,
  navigation,
}: FileAnswers<FromHost, ToHost>): PageHost<FromHost, ToHost> {
  let listener: ((message: FromHost) => void) | undefined;
  return {
    kind: "file",
    // This page is the HTML.
    formats: ["json", "csv", "png"],
    post: (message) => {
      answer(message, (told) => listener?.(told));
    },
    onMessage: (next) => {
      listener = next;
    },
    savedNavigation: () => navigation,
    saveNavigation: () => undefined,
    saveSource: () => undefined,
  };
}
