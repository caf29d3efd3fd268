import { afterEach, describe, expect, test } from "vitest";
import { Workbench } from "./support/workbench";

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

describe("activation", () => {
  test("takes less than 50 ms", async () => {
    workbench = await Workbench.open("activation");
    // Other work on the machine can only slow a window down: the fastest of a few is the measure.
    let fastest = Infinity;
    for (let attempt = 0; attempt < 5 && fastest >= 50; attempt++) {
      if (attempt > 0) await workbench.reload();
      fastest = Math.min(fastest, await activationTime(workbench));
    }
    console.log(`Fathom activates in ${fastest} ms.`);
    expect(fastest).toBeLessThan(50);
  });
});

/** What the editor itself says, in milliseconds: loading the code and registering. */
async function activationTime(window: Workbench): Promise<number> {
  await window.command("Developer: Show Running Extensions");
  const entry = window.page.locator(".runtime-extensions-editor .extension", {
    hasText: "Fathom",
  });
  await entry.waitFor({ timeout: 60_000 });
  const text = (await entry.textContent()) ?? "";
  return Number(/Activation: (\d+)\s*ms/.exec(text)?.[1]);
}
