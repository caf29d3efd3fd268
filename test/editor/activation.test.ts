import { availableParallelism, loadavg } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { Workbench } from "./support/workbench";

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

/** An extension may take this long to activate, in milliseconds, on a machine that is at leisure. */
const limit = 50;

describe("activation", () => {
  test(`takes less than ${limit} ms`, async () => {
    workbench = await Workbench.open("activation");
    // Other work on the machine can only slow a window down: the fastest of a few is the measure,
    // and where more processes want to run than there are processors, each waits for its share.
    let fastest = Infinity;
    for (let attempt = 0; attempt < 5 && fastest >= limit; attempt++) {
      if (attempt > 0) await workbench.reload();
      fastest = Math.min(fastest, await activationTime(workbench));
    }
    const share = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    console.log(`Fathom activates in ${fastest} ms on a machine ${share.toFixed(1)} times busy.`);
    expect(fastest).toBeLessThan(limit * share);
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
  await window.page.keyboard.press("Escape");
  return Number(/Activation: (\d+)\s*ms/.exec(text)?.[1]);
}
