/** The themes that every view is looked at in. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import type { Workbench } from "./workbench";

export const themes = [
  ["light", "Default Light Modern"],
  ["dark", "Default Dark Modern"],
  ["high-contrast", "Default High Contrast"],
] as const;

/** Changes the theme in the settings, and waits until the panel has it. */
export async function useTheme(
  workbench: Workbench,
  [name, theme]: readonly [name: string, theme: string],
  settings: Record<string, unknown>,
): Promise<void> {
  writeFileSync(
    path.join(workbench.folder, ".vscode", "settings.json"),
    JSON.stringify({
      "fathom.textFiles": ["held-out.txt"],
      "workbench.colorTheme": theme,
      ...settings,
    }),
  );
  await expect
    .poll(() => workbench.panel.find("body").getAttribute("class"), { timeout: 20_000 })
    .toContain(`vscode-${name}`);
}

/** Leaves pictures of the panel as it is beside code and as it is alone, from its top to its end. */
export async function photograph(workbench: Workbench, name: string): Promise<void> {
  for (const [kind, width] of [
    ["narrow", 1000],
    ["wide", 1800],
  ] as const) {
    await workbench.page.setViewportSize({ width, height: 1900 });
    await workbench.panel.find("h1").scrollIntoViewIfNeeded();
    await workbench.page.waitForTimeout(800);
    await workbench.screenshot(`${name}-${kind}`);
  }
}
