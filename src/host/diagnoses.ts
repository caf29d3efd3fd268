/** All diagnoses of this window: one for each checkpoint, and which of them is meant by default. */
import * as vscode from "vscode";
import type { Report } from "../diagnosis/report";
import type { ExportFormat } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { Diagnosis, type DiagnosisServices } from "./diagnosis";
import { contextKeys } from "./ids";

export class Diagnoses implements vscode.Disposable {
  private readonly byKey = new Map<string, Diagnosis>();
  private current: Diagnosis | undefined;
  private offersReport = false;

  constructor(
    private readonly services: Omit<DiagnosisServices, "panelColumn" | "becameCurrent">,
  ) {}

  /** Settles when the diagnosis has ended, with its report if there is one. */
  start(checkpoint: Checkpoint): Promise<Report | undefined> {
    const diagnosis = this.byKey.get(checkpoint.key) ?? this.create(checkpoint);
    return diagnosis.start(checkpoint);
  }

  /** Exports the report of the panel that was used last. */
  async exportCurrent(format?: ExportFormat): Promise<void> {
    await this.currentOrFail().export(format);
  }

  /** Shows the panel that was used last, also when it has been closed since. */
  showCurrent(): void {
    this.currentOrFail().show();
  }

  dispose(): void {
    for (const diagnosis of this.byKey.values()) diagnosis.dispose();
  }

  private create(checkpoint: Checkpoint): Diagnosis {
    const diagnosis: Diagnosis = new Diagnosis(checkpoint, {
      ...this.services,
      panelColumn: () => this.panelColumn(),
      becameCurrent: (shown) => {
        this.becameCurrent(shown);
      },
    });
    this.byKey.set(checkpoint.key, diagnosis);
    return diagnosis;
  }

  /** Where a panel can already be seen, else beside the code. */
  private panelColumn(): vscode.ViewColumn {
    for (const { visibleColumn } of this.byKey.values()) {
      if (visibleColumn !== undefined) return visibleColumn;
    }
    return vscode.ViewColumn.Beside;
  }

  private becameCurrent(diagnosis: Diagnosis): void {
    this.current = diagnosis;
    if (!this.offersReport && diagnosis.report !== undefined) {
      this.offersReport = true;
      void vscode.commands.executeCommand("setContext", contextKeys.hasReport, true);
    }
  }

  private currentOrFail(): Diagnosis {
    if (this.current === undefined) throw new Error("no checkpoint has been diagnosed yet.");
    return this.current;
  }
}
