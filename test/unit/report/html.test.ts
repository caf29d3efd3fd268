import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { escapeHtml, inlineJson, reportHtml } from "../../../src/report/html";
import { sampleReport } from "./sampleReport";

const assets = { script: "console.log('panel');", style: "body { margin: 0; }" };

describe("reportHtml", () => {
  it("holds the report, the panel and nothing from anywhere else", () => {
    const report = sampleReport({ layers: 12 });
    const html = reportHtml(report, assets);
    expect(embeddedReport(html)).toEqual(report);
    expect(html).toContain(assets.script);
    expect(html).toContain(assets.style);
    expect(html).not.toMatch(/(?:src|href)=/);
  });

  it("admits exactly its own script and style", () => {
    const html = reportHtml(sampleReport({ layers: 2 }), {
      script: "const end = '</script>', open = '<!--';\r\nrun();",
      style: "a::after { content: '</style>'; }",
    });
    const script = /<script>([^]*?)<\/script>/.exec(html)![1]!;
    const style = /<style>([^]*?)<\/style>/.exec(html)![1]!;
    expect(script).toBe("const end = '\\x3c/script>', open = '\\x3c!--';\nrun();");
    expect(html).toContain(`script-src ${hash(script)};`);
    expect(html).toContain(`style-src ${hash(style)} ${hash("")};`);
    expect(html).toContain("default-src 'none'");
    expect(html).not.toContain("unsafe");
  });

  it.each([
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]></title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "\u2028\u2029\u0000",
  ])("keeps the hostile name %j inert", (hostile) => {
    const report = hostileReport(hostile);
    const html = reportHtml(report, assets);
    expect(embeddedReport(html)).toEqual(report);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toMatch(/<(?:img|svg)/);
  });

  it("keeps any string inert", () => {
    const bits = fc.constantFrom(
      "</script>",
      "<script",
      "<!--",
      "-->",
      "&lt;",
      '"',
      "'",
      "\\",
      "é",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, fc.string({ unit: "binary" }))), (parts) => {
        const report = hostileReport(parts.join(""));
        const html = reportHtml(report, assets);
        expect(embeddedReport(html)).toEqual(report);
        expect(html.match(/<script/g)).toHaveLength(2);
      }),
    );
  });
});

describe("inlineJson", () => {
  it("has no character that could end its element and means the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = inlineJson(value);
        expect(text).not.toContain("<");
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("escapeHtml", () => {
  it("leaves no markup", () => {
    expect(escapeHtml(`<a b="c">&amp;`)).toBe("&lt;a b=&quot;c&quot;&gt;&amp;amp;");
  });
});

function hostileReport(hostile: string): Report {
  const report = sampleReport({ layers: 1 });
  return {
    ...report,
    checkpoint: { ...report.checkpoint, path: hostile },
    layers: [{ ...report.layers[0]!, path: hostile }],
    findings: [{ kind: "growth", layers: [], text: hostile }],
  };
}

function embeddedReport(html: string): unknown {
  const open = '<script type="application/json" id="fathom-report">';
  const from = html.indexOf(open) + open.length;
  return JSON.parse(html.slice(from, html.indexOf("</script>", from)));
}

function hash(source: string): string {
  return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
}
