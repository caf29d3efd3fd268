/** Layers that are made to try one out, and are no model's. */
import type { Site } from "./construction";

/** A lone layer that is made to try it out keeps its factor of 1. */
export function isTrial({ call, module, function: around }: Site): boolean {
  if (isTestFile(module.path)) return true;
  if (around !== undefined)
    return around.owner === undefined && /^_?(test|main|demo|check)/.test(around.name);
  for (let at = call.parent; at !== undefined; at = at.parent) {
    if (at.type === "if_statement" && (at.child("condition")?.text ?? "").includes("__name__"))
      return true;
  }
  return false;
}

/** By the names that pytest and unittest look for. */
function isTestFile(path: string): boolean {
  return /(^|\/)(test_[^/]*|[^/]*_test|conftest)\.py$/.test(path);
}
