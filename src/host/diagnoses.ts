/** All diagnoses of this window: one for each checkpoint, and which of them is meant by default. */
import * as vscode from "vscode";
import type { NormSummary, Report } from "../diagnosis/report";
import type { ExportFormat, PanelSource } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { namedCheckpoint } from "./checkpointPicker";
import { Diagnosis, type DiagnosisServices, type StartOptions } from "./diagnosis";
import { contextKeys } from "./ids";
import type { StoredReport } from "./reports/reportMemory";
import type { ReportStore } from "./reports/reportStore";

/** A report on show, in whatever kind of panel. */
export interface CurrentReport {
  readonly name: string;
  readonly report: Report | undefined;
  /** Of the stored report that it is, where it is one. */
  readonly reportKey?: string | undefined;
  /** More figures will come. */
  readonly isMeasuring?: boolean;
  show(): void;
  /** Highlights a layer by its index; undefined lets go. */
  highlight(layer: number | undefined): void;
  export(format?: ExportFormat): Promise<void>;
}

export class Diagnoses implements vscode.Disposable {
  private readonly byKey = new Map<string, Diagnosis>();
  private current: CurrentReport | undefined;
  private offersReport = false;
  private readonly didShow = new vscode.EventEmitter<CurrentReport>();
  /** A person turned to a report, or figures of one came. */
  readonly onDidShow = this.didShow.event;
  private readonly didChooseLayer = new vscode.EventEmitter<number | undefined>();
  /** A person chose a layer in a panel, or let go of it. */
  readonly onDidChooseLayer = this.didChooseLayer.event;

  constructor(
    private readonly services: Omit<
      DiagnosisServices,
      "panelColumn" | "becameCurrent" | "choseLayer"
    >,
    private readonly store: ReportStore,
  ) {}

  /**
   * Shows the stored report of an unchanged checkpoint, or measures. Settles when the diagnosis has
   * ended, with its report if there is one.
   *
   * @param options its signal cancels the run that this call began, and no later one of the checkpoint
   */
  start(
    checkpoint: Checkpoint,
    options: Pick<StartOptions, "isBackground" | "signal"> = {},
  ): Promise<Report | undefined> {
    const diagnosis = this.byKey.get(checkpoint.key) ?? this.create(checkpoint, checkpoint.key);
    return diagnosis.start({ ...options, checkpoint });
  }

  /**
   * Opens a stored report; false where it is gone. A run of the same checkpoint goes on in its own
   * panel.
   *
   * @param norm where to open it, with `*` for the layer index
   */
  async openStored(key: string, norm?: NormSummary): Promise<boolean> {
    const stored = await this.stored(key);
    if (stored === undefined) return false;
    const diagnosis = this.idle(namedCheckpoint(stored.report.checkpoint.path), key);
    diagnosis.showStored(stored);
    if (norm === undefined) diagnosis.show();
    else diagnosis.showAt(norm);
    return true;
  }

  /** Fills a panel of the last window with what it showed then. */
  async restore(panel: vscode.WebviewPanel, { checkpoint, reportKey }: PanelSource): Promise<void> {
    const stored = reportKey === undefined ? undefined : await this.stored(reportKey);
    const diagnosis = this.idle(namedCheckpoint(checkpoint), reportKey ?? "");
    diagnosis.adopt(panel);
    diagnosis.showStored(stored);
  }

  /** Exports the report of the panel that was used last. */
  async exportCurrent(format?: ExportFormat): Promise<void> {
    await this.currentOrFail().export(format);
  }

  /** Shows the panel that was used last, also when it has been closed since. */
  showCurrent(): void {
    this.currentOrFail().show();
  }

  /** The report that commands without an argument speak of is now this one. */
  becameCurrent(shown: CurrentReport): void {
    this.current = shown;
    this.didShow.fire(shown);
    if (!this.offersReport && shown.report !== undefined) {
      this.offersReport = true;
      void vscode.commands.executeCommand("setContext", contextKeys.hasReport, true);
    }
  }

  /** A person chose a layer in a panel, or let go of it. */
  choseLayer(layer: number | undefined): void {
    this.didChooseLayer.fire(layer);
  }

  /** Highlights a layer in the panel that was used last, by its index; undefined lets go. */
  highlight(layer: number | undefined): void {
    this.current?.highlight(layer);
  }

  dispose(): void {
    this.didShow.dispose();
    this.didChooseLayer.dispose();
    for (const diagnosis of this.byKey.values()) diagnosis.dispose();
  }

  private async stored(key: string): Promise<StoredReport | undefined> {
    const [headline, report] = await Promise.all([this.store.find(key), this.store.read(key)]);
    return headline && report && { key, savedAt: headline.savedAt, report };
  }

  /** The diagnosis of a checkpoint, or one beside it for a single report while that is taken. */
  private idle(checkpoint: Checkpoint, reportKey: string): Diagnosis {
    const main = this.byKey.get(checkpoint.key);
    if (main === undefined) return this.create(checkpoint, checkpoint.key);
    if (!main.isRunning) return main;
    const key = `${checkpoint.key}\0${reportKey}`;
    return this.byKey.get(key) ?? this.create(checkpoint, key);
  }

  private create(checkpoint: Checkpoint, key: string): Diagnosis {
    const diagnosis: Diagnosis = new Diagnosis(checkpoint, {
      ...this.services,
      panelColumn: () => this.panelColumn(),
      becameCurrent: (shown) => {
        this.becameCurrent(shown);
      },
      choseLayer: (layer) => {
        this.choseLayer(layer);
      },
    });
    this.byKey.set(key, diagnosis);
    return diagnosis;
  }

  /** Where a panel can already be seen, else beside the code. */
  private panelColumn(): vscode.ViewColumn {
    for (const { visibleColumn } of this.byKey.values()) {
      if (visibleColumn !== undefined) return visibleColumn;
    }
    return vscode.ViewColumn.Beside;
  }

  private currentOrFail(): CurrentReport {
    if (this.current === undefined) throw new Error(vscode.l10n.t("no report has been shown yet."));
    return this.current;
  }
}
