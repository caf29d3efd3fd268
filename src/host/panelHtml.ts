/** The page of a webview: one script, one style sheet, and a policy that allows nothing else. */
import { randomBytes } from "node:crypto";
import { escapeHtml, textsElement } from "../report/html";
import { languageInUse } from "../report/texts";

export interface PanelPage {
  /** Source of the webview's own files, as the content-security policy names it. */
  source: string;
  script: string;
  style: string;
}

export function panelHtml({ source, script, style }: PanelPage): string {
  const nonce = randomBytes(16).toString("base64");
  // The toolkit makes a style element to try out what the browser can do, with the nonce that the
  // page names in a `csp-nonce` property.
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source} 'nonce-${nonce}'`,
    `font-src ${source}`,
    `img-src ${source} data: blob:`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${escapeHtml(languageInUse())}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
    <meta property="csp-nonce" content="${nonce}">
    <title>Fathom</title>
    <link rel="stylesheet" href="${escapeHtml(style)}">
  </head>
  <body>
    <div id="root"></div>
    ${textsElement()}<script nonce="${nonce}" src="${escapeHtml(script)}"></script>
  </body>
</html>
`;
}
