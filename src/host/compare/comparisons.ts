/** The command "Compare Depth": from what was selected to the panel that compares the reports. */
import { stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import type { Report } from "../../diagnosis/report";
import type { ComparisonToHost } from "../../protocol/comparison";
import type { ExportFormat } from "../../protocol/messages";
import { mostReports, type NamedReport } from "../../report/comparison";
import { packReport } from "../../report/packedReport";
import { progressText } from "../../report/progress";
import type { CheckpointFolders } from "../checkpointFolders";
import { namedCheckpoint } from "../checkpointPicker";
import { exportName, type FileSaver } from "../fileSaver";
import type { Guard } from "../guard";
import type { Reader } from "../reading/reader";
import { ReportFailure, type ReportSource } from "../reportSource";
import { ComparisonPanel } from "./comparisonPanel";
import { pickTargets } from "./pickTargets";
import { comparisonTargets, distinctNames, targetText, type ComparisonTarget } from "./target";

/** Reports that were kept from earlier diagnoses. */
export interface KeptReports {
  list(): Promise<readonly KeptReport[]>;
  read(key: string): Promise<Report | undefined>;
}

export interface KeptReport {
  key: string;
  name: string;
  /** ISO 8601 */
  savedAt: string;
}

export interface ComparisonServices {
  extensionUri: vscode.Uri;
  log: vscode.LogOutputChannel;
  guard: Guard;
  folders: CheckpointFolders;
  /** Diagnoses what has no report yet. */
  reports: ReportSource;
  reader: Pick<Reader, "readReport" | "comparisonContent">;
  /** Offered beside the checkpoints, where there is such a store. */
  kept?: KeptReports;
  saver: FileSaver;
}

export class Comparisons implements vscode.Disposable {
  private readonly panels = new Set<ComparisonPanel>();

  constructor(private readonly services: ComparisonServices) {}

  /**
   * @param target a URI, or a list of paths or of what the tree passes; nothing: the user is asked
   * @param selection all that was selected in the explorer, `target` included
   * @returns how many reports are compared; undefined when the user let it be
   */
  async run(target?: unknown, selection?: unknown): Promise<number | undefined> {
    const given = givenTargets(target, selection);
    const targets = given.length > 0 ? given : await pickTargets(this.services);
    if (targets === undefined) return undefined;
    return this.compare(comparisonTargets(targets, mostReports));
  }

  /** Fills a panel of an earlier window again, with what its page remembers. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const targets =
      typeof state === "object" && state !== null && "targets" in state ? state.targets : undefined;
    try {
      await this.compare(
        comparisonTargets(Array.isArray(targets) ? targets : [], mostReports),
        panel,
      );
    } catch (error) {
      panel.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const panel of this.panels) panel.dispose();
  }

  private async compare(
    targets: readonly ComparisonTarget[],
    panel?: vscode.WebviewPanel,
  ): Promise<number | undefined> {
    const reports = await this.reportsOf(targets);
    if (reports === undefined) {
      panel?.dispose();
      return undefined;
    }
    this.open(reports, targets.map(targetText), panel);
    return reports.length;
  }

  /** One after the other, with one notification that says which and can be cancelled. */
  private async reportsOf(
    targets: readonly ComparisonTarget[],
  ): Promise<NamedReport[] | undefined> {
    const cancelled = new AbortController();
    const named = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t("Comparing depth"),
        cancellable: true,
      },
      async (progress, token) => {
        token.onCancellationRequested(() => {
          cancelled.abort();
        });
        const found: NamedReport[] = [];
        for (const [at, target] of targets.entries()) {
          const tell = (doing: string): void => {
            progress.report({
              message: vscode.l10n.t("{0} of {1}: {2}", at + 1, targets.length, doing),
            });
          };
          try {
            found.push(await this.reportOf(target, cancelled.signal, tell));
          } catch (error) {
            if (error instanceof ReportFailure && error.failure.reason === "interrupted") {
              this.services.log.info("The comparison was cancelled.");
              return undefined;
            }
            throw error;
          }
          if (cancelled.signal.aborted) return undefined;
          progress.report({ increment: 100 / targets.length });
        }
        return found;
      },
    );
    if (named === undefined) return undefined;
    const names = distinctNames(named.map(({ name }) => name));
    return named.map(({ report }, n) => ({ name: names[n]!, report }));
  }

  private async reportOf(
    target: ComparisonTarget,
    signal: AbortSignal,
    tell: (doing: string) => void,
  ): Promise<NamedReport> {
    switch (target.kind) {
      case "checkpoint": {
        if ((await stat(target.path).catch(() => undefined)) === undefined) {
          throw new Error(vscode.l10n.t("{0} does not exist.", target.path));
        }
        const checkpoint = namedCheckpoint(target.path);
        tell(checkpoint.name);
        const report = await this.services.reports.reportOf(checkpoint, signal, {
          progress: (progress, waitingFor) => {
            tell(`${checkpoint.name} · ${progressText(progress, waitingFor)}`);
          },
          notice: (text) => {
            this.services.log.warn(text);
          },
        });
        return { name: checkpoint.name, report };
      }
      case "reportFile":
        return {
          name: reportName(target.path),
          report: await readReportFile(this.services.reader, target.path),
        };
      case "keptReport": {
        const { kept } = this.services;
        const report = await kept?.read(target.key);
        if (report === undefined) throw new Error(vscode.l10n.t("the report is no longer kept."));
        const entry = (await kept?.list())?.find(({ key }) => key === target.key);
        return { name: entry?.name ?? path.basename(report.checkpoint.path), report };
      }
    }
  }

  private open(reports: NamedReport[], targets: string[], earlier?: vscode.WebviewPanel): void {
    const { extensionUri, guard } = this.services;
    const title = vscode.l10n.t("Compare {0}", reports.map(({ name }) => name).join(", "));
    const owner = {
      received: (message: Exclude<ComparisonToHost, { type: "ready" }>): unknown => {
        if (message.type === "failed") throw new Error(message.message);
        return this.export(reports, message);
      },
      closed: (): void => {
        this.panels.delete(panel);
      },
    };
    const panel: ComparisonPanel = new ComparisonPanel(title, extensionUri, guard, owner, earlier);
    this.panels.add(panel);
    const packed = reports.map(({ name, report }) => ({ name, report: packReport(report) }));
    panel.show({ type: "reports", reports: packed, targets });
  }

  private async export(
    reports: readonly NamedReport[],
    message: ComparisonToHost & { type: "export" },
  ): Promise<void> {
    const { format } = message;
    const label = format.toUpperCase();
    const target = await this.services.saver.save({
      title: vscode.l10n.t("Export Comparison as {0}", label),
      label,
      extension: format,
      fileName: exportName(`comparison-${reports.map(({ name }) => name).join("-")}`, format),
      folder: path.dirname(reports[0]!.report.checkpoint.path),
      content: await this.contentOf(reports, message),
      opensOutside: format === "html",
    });
    if (target) this.services.log.info(`Exported a comparison to ${target.fsPath}.`);
  }

  private async contentOf(
    reports: readonly NamedReport[],
    { format, reference, png }: { format: ExportFormat; reference: number; png?: string },
  ): Promise<Uint8Array> {
    if (format !== "png") {
      const webview = vscode.Uri.joinPath(this.services.extensionUri, "dist", "webview").fsPath;
      return this.services.reader.comparisonContent(reports, reference, format, webview);
    }
    const prefix = "data:image/png;base64,";
    if (png?.startsWith(prefix) !== true)
      throw new Error(vscode.l10n.t("the page drew no PNG image."));
    return Buffer.from(png.slice(prefix.length), "base64");
  }
}

/** What the explorer, the tree or a caller passed; the title of a panel passes nothing to compare. */
function givenTargets(target: unknown, selection: unknown): unknown[] {
  const some = Array.isArray(selection) && selection.length > 1 ? selection : target;
  const all: unknown[] = Array.isArray(some) ? some : some === undefined ? [] : [some];
  return all
    .filter((one) => !isOfPanel(one))
    .map((one) => (one instanceof vscode.Uri ? one.fsPath : one));
}

function isOfPanel(argument: unknown): boolean {
  return argument instanceof vscode.Uri
    ? argument.scheme !== "file"
    : typeof argument === "object" && argument !== null && "groupId" in argument;
}

async function readReportFile(reader: ComparisonServices["reader"], file: string): Promise<Report> {
  try {
    return await reader.readReport(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(vscode.l10n.t("{0} could not be read as a report. {1}", file, reason), {
      cause: error,
    });
  }
}

/** `pre-ln-step-2600` of `fathom-pre-ln-step-2600.json` or of `pre-ln-step-2600.fathom.json` */
function reportName(file: string): string {
  return path
    .basename(file)
    .replace(/(\.fathom)?\.json$/, "")
    .replace(/^fathom-(?=.)/, "");
}
