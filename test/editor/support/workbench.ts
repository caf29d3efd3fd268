/** What a person does in the editor: opens files, right-clicks, runs commands, reads messages. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type FrameLocator,
  type Locator,
  type Page,
} from "playwright-core";
import { inject } from "vitest";

export const repository = path.resolve(import.meta.dirname, "../../..");

/** Pictures for people to look at. */
export const screenshots = path.join(repository, "out", "screenshots");

export interface WorkbenchOptions {
  /** Workspace settings over those of the sample. */
  settings?: Record<string, unknown>;
  size?: { width: number; height: number };
}

export class Workbench {
  private constructor(
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    readonly page: Page,
    /** The folder that is open: a copy of the sample, of this test alone. */
    readonly folder: string,
    /** What the browser complained about: nothing may break the content-security policy. */
    readonly complaints: string[],
  ) {}

  static async open(name: string, options: WorkbenchOptions = {}): Promise<Workbench> {
    const editor = inject("editor");
    const folder = path.join(editor.workspaces, name);
    cpSync(path.join(repository, "media", "sample"), folder, { recursive: true });
    mkdirSync(path.join(folder, ".vscode"), { recursive: true });
    writeFileSync(
      path.join(folder, ".vscode", "settings.json"),
      JSON.stringify({ "fathom.textFiles": ["held-out.txt"], ...options.settings }, null, 2),
    );
    const browser = await chromium.launch({
      executablePath: editor.chromium,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    const context = await browser.newContext({
      viewport: options.size ?? { width: 1600, height: 1000 },
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (/content.security.policy/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${editor.address}?folder=${encodeURIComponent(folder)}`);
    const workbench = new Workbench(browser, context, page, folder, complaints);
    await workbench.row("model.py").waitFor({ timeout: 60_000 });
    return workbench;
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.browser.close();
  }

  // ---- Explorer ----

  row(name: string): Locator {
    return this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label="${name}"]`);
  }

  /** Opens the folders of a path one by one and returns the row of its end. */
  async reach(...names: string[]): Promise<Locator> {
    for (const name of names.slice(0, -1)) {
      const row = this.row(name).last();
      await row.waitFor();
      if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    }
    const end = this.row(names.at(-1) ?? "").last();
    await end.waitFor();
    return end;
  }

  async openFile(name: string): Promise<void> {
    await this.row(name).dblclick();
    await this.tab(name).waitFor();
  }

  tab(name: string): Locator {
    return this.page.locator(".tabs-container .tab").filter({ hasText: name });
  }

  /** The titles of a row's context menu, which stays open. */
  async openContextMenu(row: Locator): Promise<string[]> {
    await row.click({ button: "right" });
    const items = this.page.locator(".monaco-menu .action-menu-item .action-label");
    await items.first().waitFor();
    return items.allTextContents();
  }

  async chooseFromMenu(title: string): Promise<void> {
    await this.page.locator(".monaco-menu .action-menu-item").filter({ hasText: title }).click();
  }

  // ---- Commands and dialogs ----

  /** Runs a command by its title, from the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.quickInput();
    await input.fill(`>${title}`);
    await this.pick(title);
  }

  quickInput(): Locator {
    return this.page.locator(".quick-input-widget input");
  }

  picks(): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row");
  }

  async pick(text: string): Promise<void> {
    await this.picks().filter({ hasText: text }).first().click();
  }

  /** Answers a save dialog, which is an input for a path in the browser. */
  async saveAs(file: string): Promise<void> {
    const input = this.quickInput();
    await input.waitFor();
    await input.fill(file);
    await this.page.keyboard.press("Enter");
  }

  // ---- Messages ----

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notifications-toasts .notification-list-item").filter({
      hasText: text,
    });
  }

  async press(notification: Locator, button: string): Promise<void> {
    await notification.locator(".monaco-button", { hasText: button }).click();
  }

  // ---- The panel ----

  /** The document within the two frames of a webview. */
  panel(): FrameLocator {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }

  /** Where a test may export to. */
  exportPath(name: string): string {
    const folder = path.join(this.folder, "exports");
    if (!existsSync(folder)) mkdirSync(folder);
    return path.join(folder, name);
  }
}
