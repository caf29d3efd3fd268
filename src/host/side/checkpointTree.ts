/** The tree of checkpoints and reports as data: what stands under what, and in which words. */
import path from "node:path";
import { t } from "@vscode/l10n";
import { counted, duration, familyName, figure, schemeName } from "../../report/format";
import { verdictCount } from "../../report/verdict";
import type { Headline } from "../../report/headline";
import type { Checkpoint } from "../checkpoint";
import type { ReportHeadline } from "../reports/reportStore";

/** A stored report, and which checkpoint it is of. */
export interface KnownReport extends ReportHeadline {
  /** The `key` of the checkpoint. */
  checkpoint: string;
}

/** A report in a file of the workspace. */
export interface ReportFile {
  path: string;
  /** Its path from the workspace folder. */
  name: string;
  /** The same without the ending that all have, which leaves room for figures. */
  label: string;
}

export type TreeNode =
  | { kind: "checkpoints"; children: TreeNode[] }
  | { kind: "reports"; children: TreeNode[] }
  | { kind: "folder"; name: string; children: TreeNode[] }
  | { kind: "checkpoint"; label: string; checkpoint: Checkpoint; report?: KnownReport }
  | { kind: "report"; report: KnownReport }
  | { kind: "reportFile"; file: ReportFile };

/** The two roots, stored reports before those in files; nothing where there is nothing to list. */
export function checkpointTree(
  checkpoints: readonly Checkpoint[],
  reports: readonly KnownReport[],
  files: readonly ReportFile[] = [],
): TreeNode[] {
  if (checkpoints.length === 0 && reports.length === 0 && files.length === 0) return [];
  const newestFirst = reports.toSorted((a, b) => b.savedAt.localeCompare(a.savedAt));
  return [
    { kind: "checkpoints", children: grouped(checkpoints, newestFirst) },
    {
      kind: "reports",
      children: [
        ...newestFirst.map((report): TreeNode => ({ kind: "report", report })),
        ...files
          .toSorted((a, b) => byName(a.name, b.name))
          .map((file): TreeNode => ({ kind: "reportFile", file })),
      ],
    },
  ];
}

/** Identifies a node over rebuilt trees, so that what is open and chosen stays so. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case "checkpoints":
    case "reports":
      // The editor would keep a root that was empty closed when it is no longer so.
      return node.children.length > 0 ? node.kind : `${node.kind}:none`;
    case "folder":
      return `folder:${node.name}`;
    case "checkpoint":
      return `checkpoint:${node.checkpoint.key}`;
    case "report":
      return `report:${node.report.key}`;
    case "reportFile":
      return `file:${node.file.path}`;
  }
}

/** `ppl 20.8 · 12 of 16 needed`, as far as it was measured. */
export function headlineText(headline: Headline): string {
  const { perplexity, neededLayers, layers, variance } = headline;
  const parts = [
    ...(perplexity === undefined ? [] : [t("ppl {0}", figure(perplexity))]),
    ...(neededLayers === undefined ? [] : [t("{0} of {1} needed", neededLayers, layers)]),
  ];
  if (parts.length === 0 && variance !== undefined) {
    parts.push(`σ² ${figure(variance.first)} → ${figure(variance.last)}`);
  }
  return parts.length > 0 ? parts.join(" · ") : counted(layers, "layer");
}

/** The same as a table of a few lines, for the hover. */
export function headlineLines(headline: Headline): [name: string, value: string][] {
  const { family, scheme, layers, perplexity, freeLayers, neededLayers, variance } = headline;
  const uncertain =
    freeLayers === undefined || neededLayers === undefined
      ? undefined
      : layers - freeLayers - neededLayers;
  return [
    [t("Model"), `${familyName(family)} · ${schemeName(scheme)} · ${counted(layers, "layer")}`],
    ...optional(t("Perplexity"), perplexity === undefined ? undefined : figure(perplexity)),
    ...optional(
      t("Layers"),
      uncertain === undefined
        ? undefined
        : [
            verdictCount("needed", neededLayers!),
            verdictCount("free", freeLayers!),
            verdictCount("uncertain", uncertain),
          ].join(" · "),
    ),
    ...optional(
      t("Variance"),
      variance &&
        t(
          "{0} after the first layer → {1} after the last",
          figure(variance.first),
          figure(variance.last),
        ),
    ),
    [t("Measured"), t("in {0}", duration(headline.seconds))],
  ];
}

/**
 * `just now`, `5 min ago`, `3 h ago`, `yesterday`, `12 Mar` – and with the year where it is another.
 *
 * @param savedAt an ISO 8601 time
 */
export function ageText(savedAt: string, now: Date): string {
  const then = new Date(savedAt);
  const minutes = Math.floor((now.getTime() - then.getTime()) / 60_000);
  if (minutes < 1) return t("just now");
  if (minutes < 60) return t("{0} min ago", minutes);
  if (then.toDateString() === now.toDateString()) return t("{0} h ago", Math.floor(minutes / 60));
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (then.toDateString() === yesterday.toDateString()) return t("yesterday");
  const isThisYear = then.getFullYear() === now.getFullYear();
  return then.toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
}

/** One level of folders, each with its path: a tree as deep as the disk's would hide what it is about. */
function grouped(
  checkpoints: readonly Checkpoint[],
  newestFirst: readonly KnownReport[],
): TreeNode[] {
  const folders = new Map<string, TreeNode[]>();
  const alone: TreeNode[] = [];
  for (const checkpoint of checkpoints.toSorted((a, b) => byName(a.name, b.name))) {
    const report = newestFirst.find((one) => one.checkpoint === checkpoint.key);
    const folder = path.posix.dirname(checkpoint.name);
    const label = path.posix.basename(checkpoint.name);
    const node: TreeNode = { kind: "checkpoint", label, checkpoint, ...(report && { report }) };
    if (folder === ".") alone.push(node);
    else folders.set(folder, [...(folders.get(folder) ?? []), node]);
  }
  const named = [...folders].map(([name, children]): TreeNode => ({
    kind: "folder",
    name,
    children,
  }));
  return [...named, ...alone];
}

/** `step-1000` comes after `step-250`. Made once: to make it takes longer than to compare. */
const byName = new Intl.Collator(undefined, { numeric: true }).compare;

function optional(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}
