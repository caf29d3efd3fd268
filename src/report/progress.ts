/** The words of a progress notification. */
import { t } from "@vscode/l10n";
import type { Progress } from "../protocol/messages";

/** For example `Layer 6 (7 of 32) · batch 1 of 2 · about 12 s left`. */
export function progressText(progress: Progress, waitingFor?: string): string {
  if (waitingFor !== undefined) return t("Waiting for the diagnosis of {0} to end", waitingFor);
  const parts = [stageText(progress)];
  const { batch, batches, remainingSeconds } = progress;
  if (batch !== undefined && batches !== undefined && batches > 1) {
    parts.push(t("batch {0} of {1}", batch, batches));
  }
  if (remainingSeconds !== undefined)
    parts.push(t("about {0} left", durationText(remainingSeconds)));
  return parts.join(" · ");
}

function stageText({ stage, layer, layers, reading, readings }: Progress): string {
  switch (stage) {
    case "opening":
      return t("Opening the checkpoint");
    case "device":
      return t("Checking the device");
    case "encoder":
      return t("Running the encoder");
    case "readings":
      return reading === undefined || readings === undefined
        ? t("Trying readings")
        : t("Trying readings ({0} of {1})", reading, readings);
    case "embedding":
      return t("Embedding the input");
    case "layer":
      if (layer === undefined) return t("Layers");
      return layers === undefined
        ? t("Layer {0}", layer)
        : t("Layer {0} ({1} of {2})", layer, layer + 1, layers);
    case "head":
      return t("Final norm and head");
  }
}

/** Whole seconds below two minutes, then minutes, then hours: an estimate deserves no more. */
export function durationText(seconds: number): string {
  if (seconds < 120) return t("{0} s", Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return t("{0} min", minutes);
  return t("{0} h", Math.round(minutes / 60));
}
