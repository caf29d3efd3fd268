/** The comparison: shows the reports it is sent, against the reference that a person chooses. */
import type { HostToComparison } from "../../src/protocol/comparison";
import type { ExportFormat } from "../../src/protocol/messages";
import { compareReports, type Comparison, type NamedReport } from "../../src/report/comparison";
import { comparisonSentences } from "../../src/report/comparisonVerdict";
import { unpackReport } from "../../src/report/packedReport";
import { allLayers, type LayerRange } from "../panel/axis";
import { element, setText } from "../shared/dom";
import { followSystemTheme, onThemeChange, readPalette } from "../shared/theme";
import { button, checkbox } from "../shared/toolkit";
import "./compare.css";
import { DifferenceTable } from "./differenceTable";
import { connectComparisonHost, type ComparisonHost } from "./host";
import { Legend } from "./legend";
import { Method } from "./method";
import { readNavigation, type Navigation } from "./navigation";
import type { OverlayPalette } from "./overlayChart";
import { OverlayFigure } from "./overlayFigure";
import { overlayModels, placeCount, type OverlayView } from "./overlayModel";
import { comparisonPng } from "./png";
import { ReportTable } from "./reportTable";
import { readSeriesColours } from "./seriesStyles";

class ComparisonPage {
  private readonly title = element("h1");
  private readonly facts = element("p", { class: "facts" });
  private readonly sentences = element("div", {
    class: "sentences",
    attributes: { "aria-live": "polite" },
  });
  private readonly reportTable: ReportTable;
  private readonly legend: Legend;
  private readonly figures: OverlayFigure[];
  private readonly axisName = element("p", { class: "axis-name" });
  private readonly costLog = checkbox("Log scale", (isCostLog) => {
    this.navigate({ isCostLog });
  });
  private readonly differences: DifferenceTable;
  private readonly method = new Method();
  private navigation: Navigation;
  private reports: NamedReport[] = [];
  private comparison: Comparison | undefined;
  private range: LayerRange | undefined;
  private hovered: number | undefined;
  private palette: OverlayPalette = readOverlayPalette();
  private isDrawDue = false;

  constructor(
    root: HTMLElement,
    private readonly host: ComparisonHost,
  ) {
    this.navigation = readNavigation(host.savedNavigation());
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
    root.replaceChildren(
      element("main", {
        class: "panel comparison",
        children: [
          element("header", {
            class: "checkpoint",
            children: [this.title, this.facts, this.exports()],
          }),
          element("section", {
            class: "verdict",
            children: [element("h2", { class: "sr-only", text: "Verdict" }), this.sentences],
          }),
          this.reportTable.node,
          element("section", {
            class: "charts",
            attributes: { "aria-label": "Charts over depth" },
            children: [this.legend.node, ...this.figures.map(({ node }) => node), this.axisName],
          }),
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

  private receive({ reports, targets }: HostToComparison): void {
    this.reports = reports.map(({ name, report }) => ({ name, report: unpackReport(report) }));
    this.comparison = undefined;
    this.navigate({ targets });
  }

  private exports(): HTMLElement {
    return element("div", {
      class: "exports",
      children: [
        element("span", { class: "exports-name", text: "Export" }),
        ...this.host.formats.map(
          (format) =>
            button(format.toUpperCase(), {
              appearance: "secondary",
              title: exportTitles[format],
              onPress: () => {
                this.export(format);
              },
            }).node,
        ),
      ],
    });
  }

  private export(format: ExportFormat): void {
    const { reference } = this.comparisonNow();
    try {
      const png = format === "png" ? { png: this.png() } : {};
      this.host.post({ type: "export", format, reference, ...png });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.host.post({ type: "failed", message });
    }
  }

  private png(): string {
    const view = this.viewNow();
    return comparisonPng({
      names: view.names,
      shown: view.shown,
      sentences: comparisonSentences(view.comparison),
      models: overlayModels(view),
      palette: this.palette,
    });
  }

  private drawSoon(): void {
    if (this.isDrawDue) return;
    this.isDrawDue = true;
    requestAnimationFrame(() => {
      this.isDrawDue = false;
      this.draw();
    });
  }

  private draw(): void {
    if (this.reports.length === 0) return;
    const view = this.viewNow();
    const { comparison, names } = view;
    const { navigation } = this;
    setText(this.title, names.join(" · "));
    setText(this.facts, factsOf(comparison));
    const sentences = comparisonSentences(comparison).map(unbroken);
    if (sentences.join("\n") !== [...this.sentences.children].map((p) => p.textContent).join("\n"))
      this.sentences.replaceChildren(...sentences.map((text) => element("p", { text })));
    this.reportTable.show(comparison);
    this.legend.show(names, {
      shown: view.shown,
      isRelative: view.isRelative,
      offersRelative: depthsDiffer(this.reports),
    });
    this.costLog.setChecked(navigation.isCostLog);
    setText(
      this.axisName,
      `${view.isRelative ? "relative depth, from the first layer to the last" : "layer"} (drag across a chart to zoom)`,
    );
    this.drawCharts(view);
    this.differences.show(comparison, navigation);
    this.method.show(comparison, this.reports);
    this.highlight();
  }

  private drawCharts(view: OverlayView): void {
    overlayModels(view).forEach((model, i) => {
      this.figures[i]?.show(model, this.palette);
    });
  }

  private viewNow(): OverlayView {
    const { navigation, reports, range } = this;
    return {
      names: reports.map(({ name }) => name),
      reports: reports.map(({ report }) => report),
      comparison: this.comparisonNow(),
      shown: reports.map((_, n) => n).filter((n) => !navigation.hidden.includes(n)),
      isRelative: navigation.isRelative && depthsDiffer(reports),
      isCostLog: navigation.isCostLog,
      ...(range ? { visible: range } : {}),
    };
  }

  private comparisonNow(): Comparison {
    const { reports, navigation } = this;
    const reference = navigation.reference < reports.length ? navigation.reference : 0;
    if (this.comparison?.reference !== reference)
      this.comparison = compareReports(reports, reference);
    return this.comparison;
  }

  private highlight(): void {
    if (this.reports.length === 0) return;
    const view = this.viewNow();
    const place = this.hovered ?? this.navigation.place;
    const known = place !== undefined && place < placeCount(view) ? place : undefined;
    this.keepInSight(known);
    for (const figure of this.figures) figure.highlight(known);
    this.differences.highlight(view.isRelative ? undefined : known);
    this.legend.showLayer(
      known === undefined
        ? ""
        : view.isRelative
          ? `Depth ${Math.round((100 * known) / Math.max(1, placeCount(view) - 1))}%`
          : `Layer ${known}`,
    );
  }

  private choose(place: number | undefined): void {
    this.navigation = { ...this.navigation, place };
    this.host.saveNavigation(this.navigation);
    this.highlight();
    if (place !== undefined && !this.viewNow().isRelative) this.differences.reveal(place);
  }

  /** Every chart shows the same layers: a zoom of one is a zoom of all. */
  private zoom(range: LayerRange | undefined): void {
    const places = placeCount(this.viewNow());
    const whole = allLayers(places);
    const first = Math.max(0, range?.min ?? 0);
    const last = Math.min(places - 1, Math.max(first + 2, range?.max ?? places));
    const wanted = { min: Math.max(0, Math.min(first, last - 2)) - 0.5, max: last + 0.5 };
    const isWhole = wanted.min <= whole.min && wanted.max >= whole.max;
    this.range = isWhole ? undefined : wanted;
    this.legend.offerWholeAxis(!isWhole);
    this.drawCharts(this.viewNow());
  }

  /** The keyboard may lead out of a zoomed axis; the axis follows. */
  private keepInSight(place: number | undefined): void {
    const { range } = this;
    if (!range || place === undefined) return;
    const shift = Math.max(0, place + 0.5 - range.max) + Math.min(0, place - 0.5 - range.min);
    if (shift === 0) return;
    this.range = { min: range.min + shift, max: range.max + shift };
    this.drawCharts(this.viewNow());
  }

  private navigate(change: Partial<Navigation>): void {
    this.navigation = { ...this.navigation, ...change };
    this.host.saveNavigation(this.navigation);
    this.drawSoon();
  }
}

const exportTitles: Readonly<Record<ExportFormat, string>> = {
  json: "Every difference, with its error",
  csv: "One row for each difference",
  png: "The charts as a picture",
  html: "This page as one file that opens anywhere",
};

/** `2 reports · paired over the same 8 documents` */
function factsOf({ reports, contrasts }: Comparison): string {
  const unpaired = contrasts.filter(({ pairing }) => !pairing.isPaired).length;
  const documents = contrasts
    .map(({ pairing }) => (pairing.isPaired ? pairing.documents : 0))
    .find((count) => count > 0);
  const pairing =
    unpaired === 0
      ? `paired over the same ${documents ?? 0} documents`
      : unpaired === contrasts.length
        ? "not measured on the same documents, so the errors are of independent reports"
        : `${unpaired} of ${contrasts.length} not measured on the same documents as the reference`;
  return `${reports.length} reports · ${pairing}`;
}

/** A figure and its interval stay on one line. */
function unbroken(text: string): string {
  return text.replaceAll(" ± ", "\u00a0±\u00a0");
}

function depthsDiffer(reports: readonly NamedReport[]): boolean {
  return new Set(reports.map(({ report }) => report.architecture.layers)).size > 1;
}

function readOverlayPalette(): OverlayPalette {
  return { theme: readPalette(), series: readSeriesColours() };
}

const host = connectComparisonHost();
if (host.kind === "file") followSystemTheme();
const root = document.getElementById("root");
if (root) new ComparisonPage(root, host);
