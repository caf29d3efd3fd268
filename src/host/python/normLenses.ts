/** The measured numbers above the norms in Python code, and the table behind them. */
import * as vscode from "vscode";
import { normHover, normLine } from "../../report/normText";
import { useTexts } from "../../report/texts";
import type { Guard } from "../guard";
import { commands, innerCommands } from "../ids";
import { editorTexts } from "../texts";
import { areLensesShown } from "./lensSetting";
import { targetOf } from "./normTarget";
import type { MeasuredNorm, MeasuredNorms, NormsOfFile } from "./measuredNorms";

// A bundle has its own.
useTexts(editorTexts());

export class NormLenses implements vscode.CodeLensProvider, vscode.HoverProvider {
  constructor(
    private readonly norms: MeasuredNorms,
    private readonly guard: Guard,
  ) {}

  async provideCodeLenses(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeLens[]> {
    if (!areLensesShown(document)) return [];
    const norms = await this.find(document, token);
    if (norms === undefined) return [];
    if (norms.undecided.length > 0) return choices(document, norms);
    return norms.isUnmeasured ? offers(document, norms) : norms.measured.map(lensOf(document));
  }

  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined> {
    if (!areLensesShown(document)) return undefined;
    const norms = await this.find(document, token);
    const hovered = norms?.measured.find(({ site }) =>
      statementRange(document, site.start).contains(position),
    );
    if (hovered === undefined) return undefined;
    const { report, norm, site, name } = hovered;
    const text = new vscode.MarkdownString(normHover(report, norm));
    text.isTrusted = { enabledCommands: [innerCommands.openNorm, commands.chooseCheckpointOfCode] };
    const links = [
      link(
        vscode.l10n.t("Open the report of {0}", plain(name)),
        innerCommands.openNorm,
        targetOf(hovered),
      ),
      link(
        vscode.l10n.t("Choose the checkpoint of this file…"),
        commands.chooseCheckpointOfCode,
        document.uri.toString(),
      ),
    ];
    text.appendMarkdown(`\n\n${links.join(" · ")}`);
    return new vscode.Hover(text, rangeOf(document, site.start, site.end));
  }

  private async find(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
  ): Promise<NormsOfFile | undefined> {
    const stop = new AbortController();
    token.onCancellationRequested(() => {
      stop.abort();
    });
    return this.guard.run("find the norms in the code", () => this.norms.of(document, stop.signal));
  }
}

function lensOf(document: vscode.TextDocument): (measured: MeasuredNorm) => vscode.CodeLens {
  return (measured) => {
    const { site, norm, report, name } = measured;
    return new vscode.CodeLens(rangeOf(document, site.start, site.end), {
      title: normLine(report, norm),
      tooltip: vscode.l10n.t("{0} of {1}: open the report", norm.path, name),
      command: innerCommands.openNorm,
      arguments: [targetOf(measured)],
    });
  };
}

function offers(document: vscode.TextDocument, norms: NormsOfFile): vscode.CodeLens[] {
  const diagnose = {
    title: vscode.l10n.t("Diagnose depth…"),
    tooltip: vscode.l10n.t("Measure a checkpoint of this model"),
    command: commands.diagnoseDepth,
  };
  const choose = {
    title: vscode.l10n.t("Choose checkpoint…"),
    tooltip: vscode.l10n.t("Choose which of the measured checkpoints this file makes"),
    command: commands.chooseCheckpointOfCode,
    arguments: [document.uri.toString()],
  };
  return oncePerClass(document, norms, ...(norms.hasReports ? [diagnose, choose] : [diagnose]));
}

/** Other code fits the same checkpoints: a person knows which is whose. */
function choices(document: vscode.TextDocument, norms: NormsOfFile): vscode.CodeLens[] {
  const names = [...new Set(norms.undecided.map(({ name }) => name))];
  return oncePerClass(document, norms, {
    title: vscode.l10n.t("Two models fit: choose…"),
    tooltip: vscode.l10n.t(
      "Other code makes the same norms. Choose the checkpoint that this file makes: {0}",
      names.join(", "),
    ),
    command: commands.chooseCheckpointOfCode,
    arguments: [document.uri.toString()],
  });
}

/** Lenses above the first norm of each class: on every norm they would be noise. */
function oncePerClass(
  document: vscode.TextDocument,
  { sites }: NormsOfFile,
  ...offered: vscode.Command[]
): vscode.CodeLens[] {
  const first = new Map(sites.toReversed().map((site) => [site.owner?.start, site]));
  return [...first.values()]
    .toReversed()
    .flatMap(({ start, end }) =>
      offered.map((command) => new vscode.CodeLens(rangeOf(document, start, end), command)),
    );
}

function rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

/** The line on which a norm is made, the attribute that it is given to included. */
function statementRange(document: vscode.TextDocument, offset: number): vscode.Range {
  return document.lineAt(document.positionAt(offset)).range;
}

/** @param argument what the command takes: a link holds only text */
function link(title: string, command: string, argument: unknown): string {
  return `[${title}](command:${command}?${encodeURIComponent(JSON.stringify([argument]))})`;
}

/** A checkpoint's name inside a link. */
function plain(name: string): string {
  return name.replace(/[\\[\]()`*_<>]/g, "\\$&");
}
