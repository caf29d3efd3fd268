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

export class DepthTool implements vscode.LanguageModelTool<DepthInput> {
  /** @param diagnose measures a checkpoint, or recalls what was measured of it */
  constructor(
    private readonly reader: Pick<Reader, "readReport">,
    private readonly diagnose: (uri: vscode.Uri) => Promise<Report | undefined>,
  ) {}

  prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<DepthInput>): vscode.PreparedToolInvocation {
    const name = path.basename(input.path);
    if (isReport(input.path)) {
      return { invocationMessage: vscode.l10n.t("Reading the report {0}", name) };
    }
    return {
      invocationMessage: vscode.l10n.t("Measuring the depth of {0}", name),
      confirmationMessages: {
        title: vscode.l10n.t("Diagnose depth"),
        message: vscode.l10n.t("Measure {0} on this machine?", input.path),
      },
    };
  }

  async invoke({
    input,
  }: vscode.LanguageModelToolInvocationOptions<DepthInput>): Promise<vscode.LanguageModelToolResult> {
    const file = absolute(input.path);
    const report = isReport(file)
      ? await this.reader.readReport(file)
      : await this.diagnose(vscode.Uri.file(file));
    if (report === undefined) throw new Error(vscode.l10n.t("{0} was not measured.", file));
    return new vscode.LanguageModelToolResult([
      new vscode.LanguageModelTextPart(answerMarkdown(report)),
    ]);
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
