/** What a person can point at to have it compared, from whatever the editor passes. */
import path from "node:path";
import { t } from "@vscode/l10n";
import { isCheckpointFile } from "../checkpoint";

/** A checkpoint or a report file by its path, or a kept report by its key. */
export type ComparisonTarget =
  | { kind: "checkpoint"; path: string }
  | { kind: "reportFile"; path: string }
  | { kind: "keptReport"; key: string };

/** What the tree of checkpoints and reports passes for each of its rows. */
export type TreeTarget = { checkpointPath: string } | { reportKey: string };

export class TargetError extends Error {
  override readonly name = "TargetError";
}

/**
 * @param targets paths, or what the tree passes; each once
 * @throws {TargetError} for anything else, and unless there are two to `most`
 */
export function comparisonTargets(targets: readonly unknown[], most: number): ComparisonTarget[] {
  const read = targets.map(targetOf);
  const unique = [...new Map(read.map((target) => [targetText(target), target])).values()];
  if (unique.length < 2) {
    throw new TargetError(
      t("a comparison takes at least two checkpoints or reports, not {0}.", unique.length),
    );
  }
  if (unique.length > most) {
    throw new TargetError(
      t("a comparison takes at most {0} checkpoints or reports, not {1}.", most, unique.length),
    );
  }
  return unique;
}

/** One text for each target, from which `targetOf` makes it again. */
export function targetText(target: ComparisonTarget): string {
  return target.kind === "keptReport" ? `${keyPrefix}${target.key}` : target.path;
}

/** True for a file that holds a report. */
export function isReportFile(file: string): boolean {
  return file.endsWith(".json") && !isCheckpointFile(file);
}

const keyPrefix = "report:";

/** @throws {TargetError} for what is neither a path nor what the tree passes */
export function targetOf(target: unknown): ComparisonTarget {
  if (typeof target === "string" && target.startsWith(keyPrefix)) {
    return { kind: "keptReport", key: target.slice(keyPrefix.length) };
  }
  if (typeof target === "string" && path.isAbsolute(target)) {
    return {
      kind: isReportFile(target) ? "reportFile" : "checkpoint",
      path: path.normalize(target),
    };
  }
  if (typeof target === "object" && target !== null) {
    if ("reportKey" in target && typeof target.reportKey === "string") {
      return { kind: "keptReport", key: target.reportKey };
    }
    if ("checkpointPath" in target && typeof target.checkpointPath === "string") {
      return { kind: "checkpoint", path: target.checkpointPath };
    }
  }
  throw new TargetError(
    t("expected the path of a checkpoint or report, not {0}.", JSON.stringify(target)),
  );
}

/** Names that tell the reports apart: equal ones are counted. */
export function distinctNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}
