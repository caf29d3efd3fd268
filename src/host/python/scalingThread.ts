/** The thread of one question of `askScalingThread`, which it answers and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { useTexts } from "../../report/texts";
import type { ScalingQuestion } from "./askScalingThread";
import { scaleModel } from "./scaleModel";

void answer(workerData as ScalingQuestion);

/** An error is the thread's, and reaches whoever asked. */
async function answer({ folder, texts, request }: ScalingQuestion): Promise<void> {
  useTexts(texts);
  const { PythonReader } = await import("../../python/reader");
  const reader = await PythonReader.load(folder, texts);
  parentPort?.postMessage(await scaleModel(reader, request));
}
