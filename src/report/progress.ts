/** The words of a progress notification. */
import type { Progress } from "../protocol/messages";

/** For example `Layer 6 (7 of 32) · batch 1 of 2 · about 12 s left`. */
export function progressText(progress: Progress, waitingFor?: string): string {
  if (waitingFor !== undefined) return `Waiting for the diagnosis of ${waitingFor} to end`;
  const parts = [stageText(progress)];
  const { batch, batches, remainingSeconds } = progress;
  if (batch !== undefined && batches !== undefined && batches > 1) {
    parts.push(`batch ${batch} of ${batches}`);
  }
  if (remainingSeconds !== undefined) parts.push(`about ${durationText(remainingSeconds)} left`);
  return parts.join(" · ");
}

function stageText({ stage, layer, layers, reading, readings }: Progress): string {
  switch (stage) {
    case "opening":
      return "Opening the checkpoint";
    case "device":
      return "Checking the device";
    case "readings":
      return reading === undefined || readings === undefined
        ? "Trying readings"
        : `Trying readings (${reading} of ${readings})`;
    case "embedding":
      return "Embedding the text";
    case "layer":
      if (layer === undefined) return "Layers";
      return layers === undefined ? `Layer ${layer}` : `Layer ${layer} (${layer + 1} of ${layers})`;
    case "head":
      return "Final norm and head";
  }
}

/** Whole seconds below two minutes, then minutes, then hours: an estimate deserves no more. */
export function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.round(minutes / 60)} h`;
}
