import type * as z from "zod";

/** What a schema expected where it found something else, in words: `expected at least 1`. */
export function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `expected ${kinds[issue.expected] ?? issue.expected}`;
  const entries = "origin" in issue && issue.origin === "array" ? " entries" : "";
  if (issue.code === "too_small") {
    const bound = issue.inclusive === false ? "above" : "at least";
    return `expected ${bound} ${String(issue.minimum)}${entries}`;
  }
  if (issue.code === "too_big") return `expected at most ${String(issue.maximum)}${entries}`;
  return `expected something else (${issue.message})`;
}

const kinds: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};
