/**
 * The report as one HTML file that opens anywhere: the panel's own script and style and the data,
 * with no network and a content-security policy that admits nothing else.
 */
import { createHash } from "node:crypto";
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import { baseName } from "./format";
import { languageInUse, textsId, textsInUse } from "./texts";
import { verdictSentences } from "./findings";

/** The panel's bundle, as text. */
export interface PanelAssets {
  script: string;
  style: string;
}

/** What is shown on a page, and where its script finds it. */
export interface PageContent {
  title: string;
  /** Read where scripts are off. */
  sentences: readonly string[];
  /** Id of the element that holds the data. */
  dataId: string;
  data: unknown;
}

export function reportHtml(report: Report, assets: PanelAssets): string {
  const content = {
    title: baseName(report.checkpoint.path),
    sentences: verdictSentences(report),
    dataId: "fathom-report",
    data: report,
  };
  return pageHtml(content, assets);
}

/** One HTML file that needs no network and runs no script but its own. */
export function pageHtml(content: PageContent, assets: PanelAssets): string {
  const script = inlineScript(assets.script);
  const style = inlineStyle(assets.style);
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    // The empty style element is what the toolkit probes the browser with.
    `style-src ${sourceHash(style)} ${sourceHash("")}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const { title, sentences, dataId, data } = content;
  // What stands in the root is read where scripts are off; the panel replaces it.
  return `<!doctype html>
<html lang="${escapeHtml(languageInUse())}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Fathom">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – Fathom</title>
<style>${style}</style>
</head>
<body class="fathom-file">
<div id="root">
<h1>${escapeHtml(title)}</h1>
${sentences.map((text) => `<p>${escapeHtml(text)}</p>`).join("\n")}
<noscript><p>${escapeHtml(t("The charts and the table need JavaScript."))}</p></noscript>
</div>
<script type="application/json" id="${dataId}">${inlineJson(data)}</script>
${textsElement()}<script>${script}</script>
</body>
</html>
`;
}

/** The texts that a page is shown in, as data; nothing for an English page. */
export function textsElement(): string {
  const texts = textsInUse();
  return texts === undefined
    ? ""
    : `<script type="application/json" id="${textsId}">${inlineJson(texts)}</script>\n`;
}

/** JSON that cannot end the element it stands in, whatever strings it holds. */
export function inlineJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/**
 * Neither may stand in an inline script, and both mean the same escaped, for they can occur in
 * strings only. Line ends are normalised as the HTML parser does, or the hash would not match.
 */
function inlineScript(script: string): string {
  return normaliseLines(script)
    .replace(/<(?=\/script)/gi, "\\x3c")
    .replaceAll("<!--", "\\x3c!--");
}

function inlineStyle(style: string): string {
  return normaliseLines(style).replace(/<(?=\/style)/gi, "\\3c ");
}

function normaliseLines(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

function sourceHash(source: string): string {
  return `'sha256-${createHash("sha256").update(source, "utf8").digest("base64")}'`;
}
