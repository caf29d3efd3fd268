/** The diagnosis panel as a person reads it, through the two frames of a webview. */
import type { FrameLocator, Locator, Page } from "playwright-core";
import { expect } from "vitest";

export class PanelPage {
  private readonly frame: FrameLocator;

  constructor(private readonly page: Page) {
    // The side panel's webview may stand beside it.
    this.frame = page
      .frameLocator('iframe.webview.ready:not([src*="purpose=webviewView"])')
      .frameLocator("#active-frame");
  }

  find(selector: string): Locator {
    return this.frame.locator(selector);
  }

  status(): Locator {
    return this.find(".run-status");
  }

  /** The three charts; each is operated like a slider over the layers. */
  charts(): Locator {
    return this.find("figure.chart canvas");
  }

  rows(): Locator {
    return this.find("tr[data-layer]");
  }

  button(text: string): Locator {
    return this.find("vscode-button").filter({ hasText: text });
  }

  /** Waits for a phase of the run; waiting for `done` ends at once when the run fails instead. */
  async reaches(phase: "running" | "done" | "failed", timeout = 120_000): Promise<void> {
    const bar = (name: string): Locator => this.find(`.run-bar[data-phase="${name}"]`);
    const awaited = phase === "done" ? bar("done").or(bar("failed")) : bar(phase);
    await awaited.waitFor({ timeout });
    if (phase === "done" && (await bar("failed").count()) > 0) {
      throw new Error(`The run failed: ${(await this.status().textContent()) ?? ""}`);
    }
  }

  /** What a chart says of each of its layers to someone who goes through them with the keyboard. */
  async readChart(chart: Locator): Promise<string[]> {
    const last = Number(await chart.getAttribute("aria-valuemax"));
    await chart.focus();
    await this.page.keyboard.press("Home");
    const texts: string[] = [];
    for (let layer = 0; layer <= last; layer++) {
      await expect.poll(() => chart.getAttribute("aria-valuenow")).toBe(String(layer));
      texts.push((await chart.getAttribute("aria-valuetext")) ?? "");
      await this.page.keyboard.press("ArrowRight");
    }
    await this.page.keyboard.press("Escape");
    return texts;
  }
}
