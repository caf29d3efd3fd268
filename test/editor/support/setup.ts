import { afterAll, afterEach } from "vitest";
import { Workbench } from "./workbench";

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  // A picture of what went wrong says more than a selector that was not found.
  const name = task.name.replace(/\W+/g, "-");
  await Workbench.latest?.screenshot(`failed-${name}`).catch(() => undefined);
  await Workbench.latest?.closeIfShared();
});

afterAll(async () => {
  await Workbench.latest?.close();
});
