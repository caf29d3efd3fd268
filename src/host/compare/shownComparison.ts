/** One comparison as the editor sees it: its panel, its progress, and its exports. */
import path from "node:path";
import * as vscode from "vscode";
import type { ComparisonToHost, HostToComparison } from "../../protocol/comparison";
import type { ExportFormat } from "../../protocol/messages";
import { packReport } from "../../report/packedReport";
import { progressText } from "../../report/progress";
import { webviews } from "../ids";
import type { PageExporter } from "../pageExporter";
import { PagePanel, type PageServices } from "../pagePanel";
import type { Reader } from "../reading/reader";
import { progressLine } from "../shownProgress";
import { StatusLine } from "../statusLine";
import type { ComparisonMember } from "./comparisonSession";
import { ComparisonSession } from "./comparisonSession";

export interface ShownComparisonServices extends PageServices {
  log: vscode.LogOutputChannel;
  exporter: PageExporter;
  reader: Pick<Reader, "comparisonContent">;
  closed: () => void;
}

export class ShownComparison implements vscode.Disposable {
  private readonly session: ComparisonSession;
  private readonly panel: PagePanel<HostToComparison, ComparisonToHost>;
  private readonly names: string;
  private readonly line = new StatusLine("comparison", vscode.l10n.t("Fathom: comparison"));

  /**
   * @param targets what is compared, in the words that a window is opened again with
   * @param panel one of an earlier window, to be filled again; a new one unless given
   */
  constructor(
    private readonly members: readonly ComparisonMember[],
    private readonly targets: readonly string[],
    private readonly services: ShownComparisonServices,
    panel?: vscode.WebviewPanel,
  ) {
    this.session = new ComparisonSession(members);
    this.names = members.map(({ name }) => name).join(", ");
    this.session.observe({
      report: (place, report, status) => {
        const packed = report ? { report: packReport(report) } : {};
        this.panel.post({ type: "report", place, status, ...packed });
      },
      status: (status) => {
        const message = { type: "status", status } as const;
        // The last word must not be overtaken by what was said before it.
        if (status.phase === "running") this.panel.postSoon(message);
        else this.panel.post(message);
      },
    });
    this.panel = new PagePanel(
      panel ??
        vscode.window.createWebviewPanel(
          webviews.comparison,
          vscode.l10n.t("Compare {0}", this.names),
          vscode.ViewColumn.Active,
        ),
      "compare",
      services,
      {
        messages: () => this.messages(),
        received: (message) => this.receive(message),
        closed: () => {
          this.session.cancel();
          this.line.dispose();
          services.closed();
        },
      },
      "do what the comparison asked",
    );
  }

  reveal(): void {
    this.panel.reveal();
  }

  /**
   * Fills the panel with what is at hand, and measures the rest if asked to. The status bar says how
   * far that is, also while another panel is looked at.
   *
   * @returns how many reports there are to compare
   */
  async gather(measures: boolean): Promise<number> {
    const { session, members, services } = this;
    await session.gather(measures, (place, progress, waitingFor) => {
      const { name } = members[place]!;
      const doing = progress === undefined ? "" : ` · ${progressText(progress, waitingFor)}`;
      this.line.show({
        text: progressLine(name, progress, waitingFor),
        tooltip: vscode.l10n.t(
          "Comparing depth, {0} of {1}: {2}. Click to see the comparison.",
          place + 1,
          members.length,
          `${name}${doing}`,
        ),
        follow: () => {
          this.reveal();
        },
      });
    });
    this.line.hide();
    const { phase } = session.status;
    const { length } = session.ready;
    services.log.info(`Comparison of ${this.names}: ${phase}, ${length} of ${members.length}.`);
    return length;
  }

  dispose(): void {
    this.panel.dispose();
  }

  private messages(): HostToComparison[] {
    const { status } = this.session;
    const compared = this.session.compared.map(({ name, report }) => ({
      name,
      ...(report && { report: packReport(report) }),
    }));
    return [{ type: "reports", compared, status, source: { targets: [...this.targets] } }];
  }

  private receive(message: Exclude<ComparisonToHost, { type: "ready" }>): unknown {
    switch (message.type) {
      case "cancel":
        this.session.cancel();
        return undefined;
      case "resume":
        return this.gather(true);
      case "export":
        return this.export(message.format, message.reference, message.png);
      case "failed":
        throw new Error(message.message);
    }
  }

  private export(
    format: ExportFormat,
    referencePlace: number,
    png: string | undefined,
  ): Promise<void> {
    const reports = this.session.ready;
    const reference = reports.findIndex(({ place }) => place === referencePlace);
    const named = reports.map(({ name, report }) => ({ name, report }));
    return this.services.exporter.export(
      {
        title: (label) => vscode.l10n.t("Export Comparison as {0}", label),
        name: `comparison-${reports.map(({ name }) => name).join("-")}`,
        folder: path.dirname(named[reference]!.report.checkpoint.path),
        content: (format, webview) =>
          this.services.reader.comparisonContent(named, reference, format, webview),
        png,
      },
      format,
    );
  }
}
