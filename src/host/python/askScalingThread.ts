/**
 * Has a model's code read and edited in a thread of its own: to follow what its layers do takes
 * hundreds of milliseconds, and the extension host is one thread for all extensions.
 */
import path from "node:path";
import { Worker } from "node:worker_threads";
import { t } from "@vscode/l10n";
import type { Texts } from "../../protocol/texts";
import { textsInUse } from "../../report/texts";
import type { ScaledModel, ScalingRequest } from "./scaleModel";

export interface ScalingQuestion {
  /** Where the WebAssembly of the parser lies. */
  readonly folder: string;
  readonly texts: Texts | undefined;
  readonly request: ScalingRequest;
}

/** @param folder where the bundles lie */
export async function askScalingThread(
  folder: string,
  request: ScalingRequest,
): Promise<ScaledModel> {
  const question: ScalingQuestion = { folder, texts: textsInUse(), request };
  // The thread is none of the editor's: what the editor was started with is not for it.
  const thread = new Worker(path.join(folder, "scaling.js"), {
    execArgv: [],
    env: {},
    workerData: question,
  });
  thread.unref();
  try {
    return await new Promise((resolve, reject) => {
      thread.on("message", resolve);
      thread.on("error", reject);
      thread.on("exit", (code) => {
        reject(new Error(t("The reading thread ended with code {0}.", code)));
      });
    });
  } finally {
    void thread.terminate();
  }
}
