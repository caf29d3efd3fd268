/** The comparison: shows the reports it is sent, against the reference that a person chooses. */
import { t } from "@vscode/l10n";
import type {
  ComparedReport,
  ComparisonStatus,
  HostToComparison,
} from "../../src/protocol/comparison";
import type { Report } from "../../src/diagnosis/report";
import type { ExportFormat } from "../../src/protocol/messages";
import { compareReports, type Comparison, type NamedReport } from "../../src/report/comparison";
import { comparisonSentences } from "../../src/report/comparisonVerdict";
import { unpackReport, type PackedReport } from "../../src/report/packedReport";
import type { LayerRange } from "../shared/axis";
import { element, setText } from "../shared/dom";
import { exportButtons } from "../shared/exportButtons";
import { onNextFrame } from "../shared/nextFrame";
import { Sentences } from "../shared/sentences";
import { followSystemTheme, onThemeChange, readPalette } from "../shared/theme";
import { checkbox } from "../shared/toolkit";
import { followed, zoomed } from "../shared/zoom";
import { readTexts } from "../shared/texts";
import "./compare.css";
import { ComparisonBar } from "./comparisonBar";
import { DifferenceTable } from "./differenceTable";
import { comparisonFacts } from "./facts";
import { connectComparisonHost, type ComparisonHost } from "./host";
import { Legend } from "./legend";
import { Method } from "./method";
import { readNavigation, type Navigation } from "./navigation";
import type { OverlayPalette } from "./overlayDrawing";
import { OverlayFigure } from "./overlayFigure";
import { overlayModels, placeCount, type OverlayView } from "./overlayModel";
import { comparisonPng } from "./png";
import { ReportTable } from "./reportTable";
import { readSeriesColours } from "./seriesStyles";

interface ReadyReport extends NamedReport {
  place: number;
}

class ComparisonPage {
  private readonly title = element("h1");
  private readonly facts = element("p", { class: "facts" });
  private readonly statusBar: ComparisonBar;
  private readonly sentences = new Sentences({ isLive: true });
  private readonly charts: HTMLElement;
  private readonly reportTable: ReportTable;
  private readonly legend: Legend;
  private readonly figures: OverlayFigure[];
  private readonly axisName = element("p", { class: "axis-name" });
  private readonly costLog = checkbox(t("Log scale"), (isCostLog) => {
    this.navigate({ isCostLog });
  });
  private readonly differences: DifferenceTable;
  private readonly method = new Method();
  private navigation: Navigation;
  private compared: readonly ComparedReport[] = [];
  private status: ComparisonStatus | undefined;
  /** Those of the compared that have a report, each with its place among all. */
  private ready: readonly ReadyReport[] = [];
  private comparison: Comparison | undefined;
  private range: LayerRange | undefined;
  private hovered: number | undefined;
  private palette: OverlayPalette = readOverlayPalette();
  private readonly drawSoon = onNextFrame(() => {
    this.draw();
  });

  constructor(
    root: HTMLElement,
    private readonly host: ComparisonHost,
  ) {
    this.navigation = readNavigation(host.savedNavigation());
    this.statusBar = new ComparisonBar(this.exports(), host.kind === "editor", host.post);
    const captionId = "differences-caption";
    const onHover = (place: number | undefined) => {
      this.hovered = place;
      this.highlight();
    };
    const onChoose = (place: number | undefined) => {
      this.choose(place);
    };
    const onToggle = (place: number | undefined) => {
      this.choose(place === this.navigation.place ? undefined : place);
    };
    const onZoom = (range: LayerRange | undefined) => {
      this.zoom(range);
    };
    this.reportTable = new ReportTable((reference) => {
      this.navigate({ reference });
    });
    this.legend = new Legend({
      onToggleReport: (report) => {
        const { hidden } = this.navigation;
        this.navigate({
          hidden: hidden.includes(report)
            ? hidden.filter((one) => one !== report)
            : [...hidden, report],
        });
      },
      onRelative: (isRelative) => {
        this.range = undefined;
        this.navigate({ isRelative });
      },
      onWholeAxis: () => {
        this.zoom(undefined);
      },
    });
    const events = { onHover, onChoose, onToggle, onZoom };
    this.figures = [
      new OverlayFigure(events, captionId),
      new OverlayFigure(events, captionId),
      new OverlayFigure(
        events,
        captionId,
        element("div", { class: "controls", children: [this.costLog.node] }),
      ),
    ];
    this.differences = new DifferenceTable(
      {
        onHover: (layer) => {
          onHover(this.navigation.isRelative ? undefined : layer);
        },
        onToggle: (layer) => {
          if (!this.navigation.isRelative) onToggle(layer);
        },
        onChoice: (choice) => {
          this.navigate(choice);
        },
      },
      captionId,
    );
    this.charts = element("section", {
      class: "charts",
      attributes: { "aria-label": t("Charts over depth") },
      children: [this.legend.node, ...this.figures.map(({ node }) => node), this.axisName],
    });
    root.replaceChildren(
      element("main", {
        class: "panel comparison",
        children: [
          element("header", { class: "checkpoint", children: [this.title, this.facts] }),
          this.statusBar.node,
          element("section", {
            class: "verdict",
            children: [
              element("h2", { class: "sr-only", text: t("Verdict") }),
              this.sentences.node,
            ],
          }),
          this.reportTable.node,
          this.charts,
          this.differences.node,
          this.method.node,
        ],
      }),
    );
    onThemeChange(() => {
      this.palette = readOverlayPalette();
      this.drawSoon();
    });
    host.onMessage((message) => {
      this.receive(message);
    });
    host.post({ type: "ready" });
  }

  private receive(message: HostToComparison): void {
    switch (message.type) {
      case "reports":
        this.compared = message.compared.map(unpacked);
        this.host.saveSource(message.source);
        break;
      case "report":
        this.compared = this.compared.map((one, place) => {
          if (place !== message.place) return one;
          const { report } = message;
          return unpacked({ name: one.name, ...(report ? { report } : {}) });
        });
        break;
      case "status":
        this.status = message.status;
        this.showStandings();
        return;
    }
    this.status = message.status;
    this.ready = this.compared.flatMap(({ name, report }, place) =>
      report ? [{ place, name, report }] : [],
    );
    this.comparison = undefined;
    this.drawSoon();
  }

  private exports(): HTMLElement {
    return exportButtons(this.host.formats, {
      label: t("Export the comparison"),
      meanings: exportTitles,
      onExport: (format) => {
        this.export(format);
      },
    });
  }

  private export(format: ExportFormat): void {
    const view = this.viewNow();
    if (!view) return;
    try {
      const reference = this.ready[view.comparison.reference]!.place;
      const png = format === "png" ? { png: this.png(view) } : {};
      this.host.post({ type: "export", format, reference, ...png });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.host.post({ type: "failed", message });
    }
  }

  private png(view: OverlayView): string {
    const { names, styles, shown, comparison } = view;
    const picture = {
      names,
      drawn: shown.map((n) => ({ name: names[n]!, style: styles[n]! })),
      sentences: comparisonSentences(comparison),
      models: overlayModels(view),
    };
    return comparisonPng(picture, this.palette);
  }

  private draw(): void {
    const view = this.viewNow();
    setText(this.title, this.compared.map(({ name }) => name).join(" · "));
    this.showStandings();
    this.sentences.show(
      view && this.ready.length > 1 ? comparisonSentences(view.comparison) : [],
      t("What tells them apart is said once two reports are there."),
    );
    this.reportTable.show(this.compared, view?.comparison, view?.styles ?? []);
    this.charts.hidden = view === undefined;
    const hasTwo = view !== undefined && view.reports.length > 1;
    this.differences.node.hidden = !hasTwo;
    this.method.node.hidden = !hasTwo;
    if (!view) return;
    const { comparison, names, styles } = view;
    const { navigation } = this;
    setText(this.facts, comparisonFacts(comparison));
    this.legend.show(
      names.map((name, n) => ({ name, style: styles[n]!, isShown: view.shown.includes(n) })),
      { isRelative: view.isRelative, offersRelative: depthsDiffer(this.ready) },
    );
    this.costLog.setChecked(navigation.isCostLog);
    setText(
      this.axisName,
      view.isRelative
        ? t("relative depth, from the first layer to the last (drag across a chart to zoom)")
        : t("layer (drag across a chart to zoom)"),
    );
    this.drawCharts(view);
    if (hasTwo) {
      this.differences.show(comparison, styles, navigation);
      this.method.show(comparison, this.ready);
    }
    this.highlight();
  }

  /** What goes on, which changes more often than the figures. */
  private showStandings(): void {
    const { status } = this;
    if (!status) return;
    this.statusBar.show(status);
    this.reportTable.showStandings(status.standings);
  }

  private drawCharts(view: OverlayView): void {
    overlayModels(view).forEach((model, i) => {
      this.figures[i]?.show(model, this.palette);
    });
  }

  /** Undefined until there is a report. */
  private viewNow(): OverlayView | undefined {
    const { navigation, ready, range } = this;
    const comparison = this.comparisonNow();
    if (!comparison) return undefined;
    return {
      names: ready.map(({ name }) => name),
      reports: ready.map(({ report }) => report),
      styles: ready.map(({ place }) => place),
      comparison,
      shown: ready.flatMap(({ place }, n) => (navigation.hidden.includes(place) ? [] : [n])),
      isRelative: navigation.isRelative && depthsDiffer(ready),
      isCostLog: navigation.isCostLog,
      ...(range ? { visible: range } : {}),
    };
  }

  /** Against the chosen reference; against the first that is there while that is still to come. */
  private comparisonNow(): Comparison | undefined {
    const { ready, navigation } = this;
    if (ready.length === 0) return undefined;
    const reference = Math.max(
      0,
      ready.findIndex(({ place }) => place === navigation.reference),
    );
    if (this.comparison?.reference !== reference)
      this.comparison = compareReports(ready, reference);
    return this.comparison;
  }

  private highlight(): void {
    const view = this.viewNow();
    if (!view) return;
    const place = this.hovered ?? this.navigation.place;
    const known = place !== undefined && place < placeCount(view) ? place : undefined;
    this.keepInSight(known);
    for (const figure of this.figures) figure.highlight(known);
    this.differences.highlight(view.isRelative ? undefined : known);
    this.legend.showLayer(
      known === undefined
        ? ""
        : view.isRelative
          ? t("Depth {0}%", Math.round((100 * known) / Math.max(1, placeCount(view) - 1)))
          : t("Layer {0}", known),
    );
  }

  private choose(place: number | undefined): void {
    this.navigation = { ...this.navigation, place };
    this.host.saveNavigation(this.navigation);
    this.highlight();
    if (place !== undefined && this.viewNow()?.isRelative === false) this.differences.reveal(place);
  }

  /** Every chart shows the same layers: a zoom of one is a zoom of all. */
  private zoom(range: LayerRange | undefined): void {
    this.range = zoomed(range, placeCount({ reports: this.ready.map(({ report }) => report) }));
    this.legend.offerWholeAxis(this.range !== undefined);
    this.redrawCharts();
  }

  /** The keyboard may lead out of a zoomed axis; the axis follows. */
  private keepInSight(place: number | undefined): void {
    const moved = followed(this.range, place);
    if (moved === undefined) return;
    this.range = moved;
    this.redrawCharts();
  }

  private redrawCharts(): void {
    const view = this.viewNow();
    if (view) this.drawCharts(view);
  }

  private navigate(change: Partial<Navigation>): void {
    this.navigation = { ...this.navigation, ...change };
    this.host.saveNavigation(this.navigation);
    this.drawSoon();
  }
}

const exportTitles: Readonly<Record<ExportFormat, () => string>> = {
  json: () => t("Every difference, with its error"),
  csv: () => t("One row for each difference"),
  png: () => t("The charts as a picture"),
  html: () => t("This page as one file that opens anywhere"),
};

function depthsDiffer(reports: readonly NamedReport[]): boolean {
  return new Set(reports.map(({ report }) => report.architecture.layers)).size > 1;
}

function readOverlayPalette(): OverlayPalette {
  return { theme: readPalette(), series: readSeriesColours() };
}

readTexts();
const host = connectComparisonHost();
if (host.kind === "file") followSystemTheme();
const root = document.getElementById("root");
if (root) new ComparisonPage(root, host);

function unpacked({ name, report }: ComparedReport<Report | PackedReport>): ComparedReport {
  return report ? { name, report: unpackReport(report) } : { name };
}
