/** Lets the editor's assistant measure a checkpoint or read a report, and speak of the numbers. */
import path from "node:path";
import * as vscode from "vscode";
import { isIndexName } from "../checkpoint/weightFiles";
import type { Report } from "../diagnosis/report";
import { answerMarkdown } from "../report/markdown";
import type { Reader } from "./reading/reader";

interface DepthInput {
  path: string;
}

export interface DepthToolServices {
  reader: Pick<Reader, "readReport">;
  /** What was measured of a checkpoint that has not changed since; nothing is measured. */
  stored: (uri: vscode.Uri, signal: AbortSignal) => Promise<Report | undefined>;
  /** Measures a checkpoint, or recalls what was measured of it; `signal` cancels what it began. */
  diagnose: (uri: vscode.Uri, signal: AbortSignal) => Promise<Report | undefined>;
}

export class DepthTool implements vscode.LanguageModelTool<DepthInput> {
  constructor(private readonly services: DepthToolServices) {}

  /** A person is asked only where something would be measured. */
  async prepareInvocation(
    { input }: vscode.LanguageModelToolInvocationPrepareOptions<DepthInput>,
    token: vscode.CancellationToken,
  ): Promise<vscode.PreparedToolInvocation> {
    const name = path.basename(input.path);
    if (isReport(input.path)) {
      return { invocationMessage: vscode.l10n.t("Reading the report {0}", name) };
    }
    const uri = vscode.Uri.file(absolute(input.path));
    // What cannot be looked up is measured, which says what is wrong.
    const stored = await whileWanted(token, (signal) =>
      this.services.stored(uri, signal).catch(() => undefined),
    );
    if (stored !== undefined) {
      return { invocationMessage: vscode.l10n.t("Reading the stored report of {0}", name) };
    }
    return {
      invocationMessage: vscode.l10n.t("Measuring the depth of {0}", name),
      confirmationMessages: {
        title: vscode.l10n.t("Diagnose depth"),
        message: vscode.l10n.t("Measure {0} on this machine?", input.path),
      },
    };
  }

  /** @throws vscode.CancellationError once the assistant does not want the answer any more */
  async invoke(
    { input }: vscode.LanguageModelToolInvocationOptions<DepthInput>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const { reader, diagnose } = this.services;
    const file = absolute(input.path);
    const report = await whileWanted(token, (signal) =>
      isReport(file) ? reader.readReport(file) : diagnose(vscode.Uri.file(file), signal),
    );
    if (report === undefined) throw new Error(vscode.l10n.t("{0} was not measured.", file));
    return new vscode.LanguageModelToolResult([
      new vscode.LanguageModelTextPart(answerMarkdown(report)),
    ]);
  }
}

/** @param work is given a signal that aborts with the token */
async function whileWanted<Result>(
  token: vscode.CancellationToken,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (token.isCancellationRequested) throw new vscode.CancellationError();
  const wanted = new AbortController();
  const listening = token.onCancellationRequested(() => {
    wanted.abort();
  });
  try {
    const result = await work(wanted.signal);
    if (wanted.signal.aborted) throw new vscode.CancellationError();
    return result;
  } finally {
    listening.dispose();
  }
}

function isReport(file: string): boolean {
  return file.endsWith(".json") && !isIndexName(path.basename(file));
}

/** Relative paths start at the first workspace folder. */
function absolute(file: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return folder === undefined ? path.resolve(file) : path.resolve(folder, file);
}
