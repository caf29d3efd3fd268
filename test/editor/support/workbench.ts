/** What a person does in the editor: opens files, right-clicks, runs commands, reads messages. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type Locator,
  type Page,
} from "playwright-core";
import { expect, inject, vi } from "vitest";
import type { EditorAtHand } from "./globalSetup";
import { PanelPage } from "./panelPage";
import { enginesOf, extensionHostsOf } from "./processes";
import { isInWorkspaceState } from "./workspaceState";

export const repository = path.resolve(import.meta.dirname, "../../..");

/** Pictures for people to look at. */
export const screenshots = path.join(repository, "out", "screenshots");

/** The longest trained checkpoint of `pre-ln` or `lns` in the sample. */
export function lastStep(twin: string): string {
  const steps = readdirSync(path.join(repository, "media", "sample", twin))
    .filter((name) => /^step-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
  const last = steps.at(-1);
  if (last === undefined) throw new Error(`media/sample/${twin} holds no checkpoint.`);
  return last;
}

/** Settings that are quick to measure with, where what is measured does not matter. */
export const quick = { "fathom.maxTokens": 256, "fathom.sequenceLength": 64, "fathom.probes": 1 };

/** Options of the tests that run with `npm test -- --thorough` alone. */
export const thorough = { tags: ["thorough"] };

/** The editor of the worker that this runs in. */
export function editorAtHand(): EditorAtHand {
  return inject("editors")[Number(process.env["VITEST_POOL_ID"]) - 1]!;
}

export interface WorkbenchOptions {
  /** Workspace settings over those of the sample. */
  settings?: Record<string, unknown>;
  size?: { width: number; height: number };
  /** Files that are in the workspace from the start: the explorer is slow to see new ones. */
  files?: Readonly<Record<string, string>>;
  /** Writes more into the workspace before it is opened. */
  prepare?: (folder: string) => void;
}

/** Each window has a folder of its own: a test that is tried again finds nothing of the first try. */
function freshFolder(parent: string, name: string): string {
  for (let count = 1; ; count++) {
    const folder = path.join(parent, `${name}-${count}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    return folder;
  }
}

export class Workbench {
  /** The one opened last. */
  static latest: Workbench | undefined;
  /** Of the windows that `again` gives out; undefined where a window is one test's own. */
  private sharedName: string | undefined;

  private constructor(
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    readonly page: Page,
    readonly panel: PanelPage,
    /** The folder that is open: a copy of the sample, of this test alone. */
    readonly folder: string,
    /** Where the extension is installed. */
    readonly extensions: string,
    /** The editor's process. */
    private readonly editor: number,
    /** What the browser complained about: nothing may break the content-security policy. */
    readonly complaints: string[],
  ) {}

  /**
   * The window of the test before, with nothing open in it, where that asked for the same name; else a
   * new one. To open a window takes longer than most tests: those share one that mind
   * only what is on screen. The files and reports of the tests before stay.
   *
   * @param options the same for each test that asks for the name
   */
  static async again(name: string, options: WorkbenchOptions): Promise<Workbench> {
    const { latest } = Workbench;
    if (latest?.sharedName === name) {
      expect(enginesOf(latest.extensions)).toEqual([]);
      await latest.command("View: Close All Editors");
      await latest.command("Notifications: Clear All Notifications");
      latest.complaints.length = 0;
      return latest;
    }
    const workbench = await Workbench.open(name, options);
    workbench.sharedName = name;
    return workbench;
  }

  /** A window of the test's own, in place of the one there was. */
  static async open(name: string, options: WorkbenchOptions = {}): Promise<Workbench> {
    await Workbench.latest?.close();
    const editor = editorAtHand();
    const folder = freshFolder(editor.workspaces, name);
    cpSync(path.join(repository, "media", "sample"), folder, { recursive: true });
    mkdirSync(path.join(folder, ".vscode"), { recursive: true });
    writeFileSync(
      path.join(folder, ".vscode", "settings.json"),
      JSON.stringify({ "fathom.textFiles": ["held-out.txt"], ...options.settings }, null, 2),
    );
    for (const [file, content] of Object.entries(options.files ?? {})) {
      writeFileSync(path.join(folder, file), content);
    }
    options.prepare?.(folder);
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
    const workbench = new Workbench(
      browser,
      context,
      page,
      new PanelPage(page),
      folder,
      editor.extensions,
      editor.pid,
      complaints,
    );
    Workbench.latest = workbench;
    await workbench.isThere();
    return workbench;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.isThere();
  }

  /** Closes the window and all that ran for it, and opens it again after what happens meanwhile. */
  async away(meanwhile: () => void): Promise<void> {
    const address = this.page.url();
    await this.page.goto("about:blank");
    for (const pid of extensionHostsOf(this.editor)) kill(pid, "SIGKILL");
    await vi.waitUntil(() => extensionHostsOf(this.editor).length === 0, { timeout: 30_000 });
    meanwhile();
    await this.page.goto(address);
    await this.isThere();
  }

  /**
   * Waits for the files and for what the extension contributes, which comes a moment later: a file that
   * is opened before is opened by the editor's own means.
   */
  private async isThere(): Promise<void> {
    await this.row("model.py").waitFor({ timeout: 60_000 });
    const icon = this.page.locator('.activitybar .action-label[aria-label="Fathom"]');
    await icon.waitFor({ timeout: 60_000 });
  }

  /** After a test that failed others shall not begin in its window. */
  async closeIfShared(): Promise<void> {
    if (this.sharedName !== undefined) await this.close();
  }

  async close(): Promise<void> {
    if (Workbench.latest === this) Workbench.latest = undefined;
    await this.browser.close();
    // The editor keeps what a lost window has begun, in case the window comes back: a watch would go
    // on beside the tests that follow. The hosts go first, so that none begins anything anew.
    for (const pid of extensionHostsOf(this.editor)) kill(pid, "SIGKILL");
    for (const pid of enginesOf(this.extensions)) kill(pid, "SIGKILL");
  }

  /**
   * Halts the next engine process as soon as it is there, so that what is on screen while it works
   * stays for as long as it is looked at, on a machine of any speed. To be called before that begins.
   *
   * @returns what lets the engine go on
   */
  async holdNextEngine(): Promise<() => void> {
    const before = enginesOf(this.extensions);
    const engine = await vi.waitUntil(
      () => enginesOf(this.extensions).find((pid) => !before.includes(pid)),
      { timeout: 90_000, interval: 20 },
    );
    kill(engine, "SIGSTOP");
    return () => {
      kill(engine, "SIGCONT");
    };
  }

  /**
   * Waits until what the editor would show after a reload has been written down with `text` in it:
   * in a browser that takes it some seconds.
   */
  async writesDown(text: string): Promise<void> {
    await expect.poll(() => isInWorkspaceState(this.page, text), { timeout: 60_000 }).toBe(true);
  }

  /** Waits until the editor watches its folder, which is a moment after it has opened. */
  async watchesFiles(): Promise<void> {
    for (let count = 1; ; count++) {
      const name = `seen-${count}.txt`;
      writeFileSync(path.join(this.folder, name), "");
      const isSeen = await this.row(name)
        .waitFor({ timeout: 2000 })
        .then(
          () => true,
          () => false,
        );
      if (isSeen) return;
      if (count === 30) throw new Error("The explorer shows no new file.");
    }
  }

  /** A page beside the editor's, in the same browser. */
  newPage(): Promise<Page> {
    return this.context.newPage();
  }

  /** Writes another checkpoint into the workspace, as a training script does. */
  writeCheckpoint(...names: [string, string]): void {
    const [twin, name] = names;
    const from = path.join(repository, "media", "sample", twin, lastStep(twin));
    cpSync(from, path.join(this.folder, twin, name), { recursive: true });
  }

  // ---- Explorer ----

  /** The row of a file or folder, by its path in the workspace. */
  row(...names: string[]): Locator {
    const label = `.explorer-item[aria-label="${path.join(this.folder, ...names)}"]`;
    return this.page.locator(`.explorer-folders-view .monaco-list-row:has(${label})`);
  }

  /** Opens the folders of a path one by one and returns the row of its end. */
  async reach(...names: string[]): Promise<Locator> {
    for (let depth = 1; depth < names.length; depth++) {
      const row = this.row(...names.slice(0, depth));
      await row.waitFor();
      if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    }
    const end = this.row(...names);
    await end.waitFor();
    return end;
  }

  async openFile(...names: string[]): Promise<void> {
    await (await this.reach(...names)).dblclick();
    await this.tab(names.at(-1) ?? "").waitFor();
  }

  /** Scrolls to the first line with `text` of the file that is open, and puts the cursor there. */
  async goToLine(file: string, text: string): Promise<void> {
    const lines = readFileSync(path.join(this.folder, file), "utf8").split("\n");
    const input = await this.askFor("Control+g");
    await input.fill(`:${lines.findIndex((line) => line.includes(text)) + 1}`);
    await this.page.keyboard.press("Enter");
    // The editor draws only what is in sight.
    await this.page.locator(".view-line", { hasText: text }).first().waitFor();
  }

  tab(name: string): Locator {
    return this.page.locator(".tabs-container .tab").filter({ hasText: name });
  }

  /** Right-clicks until the menu has `title`: the extension starts a moment after the window. */
  async openContextMenu(row: Locator, title: string): Promise<Locator> {
    const item = this.page.locator(".monaco-menu .action-menu-item").filter({ hasText: title });
    for (let attempt = 0; attempt < 40; attempt++) {
      await row.click({ button: "right" });
      await this.page.locator(".monaco-menu .action-menu-item").first().waitFor();
      if ((await item.count()) > 0) return item;
      await this.page.keyboard.press("Escape");
      await this.page.waitForTimeout(500);
    }
    throw new Error(`No context menu of ${(await row.textContent()) ?? ""} offers ${title}.`);
  }

  /** Right-clicks and takes the command of this title. */
  async choose(row: Locator, title: string): Promise<void> {
    const item = await this.openContextMenu(row, title);
    do {
      // A menu takes a press that follows its opening too closely for the release of the first.
      await this.page.waitForTimeout(300);
      await item.click();
      await item.waitFor({ state: "hidden", timeout: 5000 }).catch(() => undefined);
    } while (await item.isVisible());
  }

  /** What a person does to begin. */
  async diagnose(...names: string[]): Promise<void> {
    await this.choose(await this.reach(...names), "Diagnose Depth");
  }

  async menuTitles(row: Locator): Promise<string[]> {
    await row.click({ button: "right" });
    const items = this.page.locator(".monaco-menu .action-menu-item .action-label");
    await items.first().waitFor();
    const titles = await items.allTextContents();
    await this.page.keyboard.press("Escape");
    return titles;
  }

  // ---- Commands and dialogs ----

  /** Runs a command by its title, from the palette, which knows it a moment after the window. */
  async command(title: string): Promise<void> {
    const item = this.picks().filter({ hasText: title }).first();
    for (let attempt = 0; attempt < 20; attempt++) {
      const input = await this.askFor("F1");
      // What was asked before may vanish only now.
      const isKnown = input
        .fill(`>${title}`, { timeout: 3000 })
        .then(() => item.waitFor({ timeout: 1500 }))
        .then(
          () => true,
          () => false,
        );
      if (await isKnown) return item.click();
      await this.page.keyboard.press("Escape");
    }
    throw new Error(`The command palette does not know ${title}.`);
  }

  /** Opens the quick input by a key, again where a page that takes the focus has swallowed that. */
  async askFor(key: string): Promise<Locator> {
    const input = this.quickInput();
    for (let attempt = 0; attempt < 10 && !(await input.isVisible()); attempt++) {
      await this.page.keyboard.press(key);
      await input.waitFor({ timeout: 3000 }).catch(() => undefined);
    }
    return input;
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

  /** The save dialog fills in its suggestion a moment after it opens. */
  async suggests(file: string): Promise<void> {
    await expect.poll(() => this.quickInput().inputValue(), { timeout: 10_000 }).toBe(file);
  }

  /** Answers a save dialog, which is an input for a path in the browser. */
  async saveAs(file: string): Promise<void> {
    const input = this.quickInput();
    await expect.poll(() => input.inputValue(), { timeout: 10_000 }).toMatch(/fathom[^/]+$/);
    // The dialog reads the folder as one types, and may put its own suggestion back until it has.
    await expect
      .poll(
        async () => {
          await input.fill(file);
          await this.page.waitForTimeout(700);
          return input.inputValue();
        },
        { timeout: 15_000 },
      )
      .toBe(file);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden", timeout: 10_000 });
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

  /** An entry of the status bar by its text, or by what it says when the pointer rests on it. */
  statusLine(text: string | RegExp): Locator {
    const { page } = this;
    return page.locator(".statusbar-item:visible").filter({ has: page.getByLabel(text) });
  }

  // ---- What is on screen ----

  editorGroups(): Locator {
    return this.page.locator(".editor-group-container");
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }

  /** Where a test may export to: a folder with nothing in it, so that no file is in the way. */
  exportPath(name: string): string {
    return path.join(freshFolder(this.folder, "exports"), name);
  }
}

/** A process may have ended since it was listed. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
