/** The side panel as a person uses it: the tree of checkpoints and the charts above it. */
import type { FrameLocator, Locator, Page } from "playwright-core";

export class SidePage {
  private readonly frame: FrameLocator;

  constructor(private readonly page: Page) {
    this.frame = page
      .frameLocator('iframe.webview.ready[src*="purpose=webviewView"]')
      .frameLocator("#active-frame");
  }

  /** Opens it from the activity bar. */
  async open(): Promise<void> {
    const icon = this.page.locator('.activitybar .action-label[aria-label="Fathom"]');
    // The extension's icons come a moment after the window.
    await icon.waitFor({ timeout: 60_000 });
    await icon.click();
    await this.page.locator(".customview-tree, .welcome-view").first().waitFor();
  }

  /** Something in the charts' page. */
  find(selector: string): Locator {
    return this.frame.locator(selector);
  }

  name(): Locator {
    return this.find("button.name");
  }

  rows(): Locator {
    return this.page.locator(".customview-tree .monaco-list-row");
  }

  /** A row by what it is called and what it says. */
  row(text: string | RegExp): Locator {
    return this.rows().filter({ hasText: text });
  }

  /** A button that a row has while the pointer is on it; its label may end with its key. */
  async pressOn(row: Locator, title: string): Promise<void> {
    await row.hover();
    await row.locator(`.action-label[aria-label^="${title}"]`).click();
  }

  /** Clicks until what it leads to is there: a click while the tree is drawn anew is lost. */
  async until(outcome: Locator, click: () => Promise<void>): Promise<void> {
    do {
      await click();
      await outcome.waitFor({ timeout: 5000 }).catch(() => undefined);
    } while (!(await outcome.isVisible()));
  }

  /** Drags the border of the side bar. */
  async widenTo(width: number): Promise<void> {
    const bar = (await this.page.locator(".part.sidebar").boundingBox())!;
    const border = { x: bar.x + bar.width, y: bar.y + bar.height / 2 };
    await this.page.mouse.move(border.x, border.y);
    await this.page.mouse.down();
    await this.page.mouse.move(bar.x + width, border.y, { steps: 5 });
    await this.page.mouse.up();
  }
}
