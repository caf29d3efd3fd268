/** The comparison as one picture: names, verdict and the three charts. */
import { t } from "@vscode/l10n";
import { pictureMargin, pictureUrl, type Brush, type LegendEntry } from "../shared/picture";
import { overlayDrawing, type OverlayPalette } from "./overlayDrawing";
import type { OverlayModel } from "./overlayModel";
import { seriesStyles } from "./seriesStyles";

export interface Picture {
  /** Of all the reports, drawn or not. */
  names: readonly string[];
  /** Those that are drawn, with the index of their style. */
  drawn: readonly { name: string; style: number }[];
  sentences: readonly string[];
  models: readonly OverlayModel[];
}

/** A `data:image/png;base64,…` URL. */
export function comparisonPng(picture: Picture, palette: OverlayPalette): string {
  return pictureUrl(palette.theme, (brush) => drawComparison(brush, picture, palette));
}

const chartHeight = 260;

function drawComparison(
  brush: Brush,
  { names, drawn, sentences, models }: Picture,
  palette: OverlayPalette,
): number {
  let y = pictureMargin + 20;
  brush.line(t("Depth of {0}", names.join(", ")), y, { size: 22, weight: 600 });
  y = brush.paragraphs(sentences, y + 8, { size: 15, gap: 6 }) + 34;
  const entries = drawn.map(({ name, style }) => legendEntry(brush, name, style, palette));
  y = brush.legend(entries, y, 13);
  for (const model of models) {
    y += 36;
    brush.caption(model, y);
    y += 10;
    brush.placeChart(overlayDrawing(model, palette), model, y, chartHeight);
    y += chartHeight;
    y = brush.paragraphs(model.notes, y, { size: 12, muted: true, gap: 1 });
  }
  y += 18;
  const axisName =
    models[0]?.isRelative === true
      ? t("relative depth; error bars are 95% intervals")
      : t("layer; error bars are 95% intervals");
  brush.axisName(axisName, y);
  return y;
}

/** A report's line and marker. */
function legendEntry(
  { context }: Brush,
  text: string,
  report: number,
  { theme, series }: OverlayPalette,
): LegendEntry {
  const style = seriesStyles[report] ?? seriesStyles[0]!;
  const colour = series[report] ?? theme.foreground;
  return {
    text,
    sampleWidth: 44,
    draw: (x, y) => {
      context.save();
      context.translate(x, y - 7);
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.setLineDash([...style.dash]);
      context.stroke(new Path2D("M1 7H35"));
      context.setLineDash([]);
      context.translate(18, 7);
      context.fillStyle = style.filled ? colour : theme.background;
      const marker = new Path2D(style.path);
      context.fill(marker);
      context.stroke(marker);
      context.restore();
    },
  };
}
