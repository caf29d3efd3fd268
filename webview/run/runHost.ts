/** The editor, as the panel of a run speaks with it. */
import type { HostToRun, RunToHost } from "../../src/protocol/messages";

export interface RunHost {
  post: (message: RunToHost) => void;
  onMessage: (listener: (message: HostToRun) => void) => void;
  savedNavigation: () => unknown;
  saveNavigation: (navigation: object) => void;
}

declare const acquireVsCodeApi: () => {
  postMessage(message: RunToHost): void;
  getState(): unknown;
  setState(state: object): void;
};

export function connectRunHost(): RunHost {
  const api = acquireVsCodeApi();
  return {
    post: (message) => {
      api.postMessage(message);
    },
    onMessage: (listener) => {
      window.addEventListener("message", (event: MessageEvent<HostToRun>) => {
        listener(event.data);
      });
    },
    savedNavigation: () => api.getState(),
    saveNavigation: (navigation) => {
      api.setState(navigation);
    },
  };
}
