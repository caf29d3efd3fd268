/** What may fail with a word about it, each as a whole sentence: languages differ in how they build one. */
import * as vscode from "vscode";

/** What was being done, as the log names it. */
export type Doing = keyof typeof couldNot;

/** The sentence that a person is told, from the reason. */
export const couldNot = {
  "follow the status bar": (reason: string) =>
    vscode.l10n.t("Fathom could not show what the status bar tells of: {0}", reason),
  "compare again": (reason: string) => vscode.l10n.t("Fathom could not compare again: {0}", reason),
  "diagnose the checkpoint": (reason: string) =>
    vscode.l10n.t("Fathom could not diagnose the checkpoint: {0}", reason),
  "export the report": (reason: string) =>
    vscode.l10n.t("Fathom could not export the report: {0}", reason),
  "show the report": (reason: string) =>
    vscode.l10n.t("Fathom could not show the report: {0}", reason),
  "show the log": (reason: string) => vscode.l10n.t("Fathom could not show the log: {0}", reason),
  compare: (reason: string) => vscode.l10n.t("Fathom could not compare: {0}", reason),
  "diagnose the run": (reason: string) =>
    vscode.l10n.t("Fathom could not diagnose the run: {0}", reason),
  "compare the runs": (reason: string) =>
    vscode.l10n.t("Fathom could not compare the runs: {0}", reason),
  "watch the run": (reason: string) => vscode.l10n.t("Fathom could not watch the run: {0}", reason),
  "check the thresholds": (reason: string) =>
    vscode.l10n.t("Fathom could not check the thresholds of a watched run: {0}", reason),
  "stop watching": (reason: string) => vscode.l10n.t("Fathom could not stop watching: {0}", reason),
  "show the run": (reason: string) => vscode.l10n.t("Fathom could not show the run: {0}", reason),
  "do what the comparison asked": (reason: string) =>
    vscode.l10n.t("Fathom could not do what the comparison asked: {0}", reason),
  "do what the directory asked": (reason: string) =>
    vscode.l10n.t("Fathom could not do what the tensor directory asked: {0}", reason),
  "read the checkpoint again": (reason: string) =>
    vscode.l10n.t("Fathom could not read the checkpoint again: {0}", reason),
  "run the diagnosis again": (reason: string) =>
    vscode.l10n.t("Fathom could not run the diagnosis again: {0}", reason),
  "do what the panel asked": (reason: string) =>
    vscode.l10n.t("Fathom could not do what the panel asked: {0}", reason),
  "find the norms in the code": (reason: string) =>
    vscode.l10n.t("Fathom could not find the norms in the code: {0}", reason),
  "open the report": (reason: string) =>
    vscode.l10n.t("Fathom could not open the report: {0}", reason),
  "apply LayerNorm Scaling": (reason: string) =>
    vscode.l10n.t("Fathom could not apply LayerNorm Scaling: {0}", reason),
  "copy the recipe": (reason: string) =>
    vscode.l10n.t("Fathom could not copy the recipe: {0}", reason),
  "read the report again": (reason: string) =>
    vscode.l10n.t("Fathom could not read the report again: {0}", reason),
  "do what the charts asked": (reason: string) =>
    vscode.l10n.t("Fathom could not do what the charts asked: {0}", reason),
  "find the report to show": (reason: string) =>
    vscode.l10n.t("Fathom could not find the report to show: {0}", reason),
  "compare the reports": (reason: string) =>
    vscode.l10n.t("Fathom could not compare the reports: {0}", reason),
  "reveal the checkpoint": (reason: string) =>
    vscode.l10n.t("Fathom could not reveal the checkpoint: {0}", reason),
  "reveal the report file": (reason: string) =>
    vscode.l10n.t("Fathom could not reveal the report file: {0}", reason),
  "delete the report": (reason: string) =>
    vscode.l10n.t("Fathom could not delete the report: {0}", reason),
  "search for checkpoints": (reason: string) =>
    vscode.l10n.t("Fathom could not search for checkpoints: {0}", reason),
  "list the checkpoints": (reason: string) =>
    vscode.l10n.t("Fathom could not list the checkpoints: {0}", reason),
  "describe the architecture": (reason: string) =>
    vscode.l10n.t("Fathom could not describe the architecture: {0}", reason),
  "choose the reading": (reason: string) =>
    vscode.l10n.t("Fathom could not choose how to read: {0}", reason),
  "choose the checkpoint": (reason: string) =>
    vscode.l10n.t("Fathom could not choose the checkpoint: {0}", reason),
  "unpin the checkpoint": (reason: string) =>
    vscode.l10n.t("Fathom could not unpin the checkpoint: {0}", reason),
  "pin the report": (reason: string) =>
    vscode.l10n.t("Fathom could not pin the report: {0}", reason),
  "unpin the report": (reason: string) =>
    vscode.l10n.t("Fathom could not unpin the report: {0}", reason),
  "bring back the report": (reason: string) =>
    vscode.l10n.t("Fathom could not bring back the report: {0}", reason),
  "diagnose a new checkpoint": (reason: string) =>
    vscode.l10n.t("Fathom could not diagnose a new checkpoint: {0}", reason),
} as const;

/** What nobody asked for at the moment: a failure of it is no reason to interrupt. */
export const inBackground: ReadonlySet<Doing> = new Set<Doing>([
  "find the norms in the code",
  "find the report to show",
  "read the checkpoint again",
  "read the report again",
  "diagnose a new checkpoint",
]);
