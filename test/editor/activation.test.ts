import { afterEach, describe, expect, test } from "vitest";
import { lastStep, Workbench } from "./support/workbench";

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

describe("activation", () => {
  test("takes less than 50 ms", async () => {
    workbench = await Workbench.open("activation");
    const row = await workbench.reach("pre-ln", lastStep("pre-ln"));
    await workbench.openContextMenu(row, "Diagnose Depth");
    await workbench.page.keyboard.press("Escape");
    await workbench.command("Developer: Show Running Extensions");
    const entry = workbench.page.locator(".runtime-extensions-editor .extension", {
      hasText: "Fathom",
    });
    await entry.waitFor();
    const text = (await entry.textContent()) ?? "";
    const milliseconds = Number(/Activation: (\d+)\s*ms/.exec(text)?.[1]);
    console.log(`Fathom activates in ${milliseconds} ms.`);
    expect(milliseconds).toBeLessThan(50);
  });
});
