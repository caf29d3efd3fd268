/** The licences of what is shipped with the extension, as they ask for. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { runQuietly } from "./process.mjs";

/** @returns the text of all licences of the packages that the extension depends on */
export async function thirdPartyNotices() {
  const list = ["ls", "--omit=dev", "--all", "--parseable"];
  const folders = (await runQuietly("Listing the dependencies", "npm", list)).trim().split("\n");
  const entries = new Map();
  for (const folder of folders.slice(1)) {
    const { name, version, license } = JSON.parse(
      readFileSync(path.join(folder, "package.json"), "utf8"),
    );
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(path.join(folder, file), "utf8").trim();
    entries.set(`${name} ${version}`, `${name} ${version} (${license})\n\n${text}`.trimEnd());
  }
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  const sorted = [...entries].sort(([a], [b]) => a.localeCompare(b)).map(([, text]) => text);
  return `Fathom is shipped with these packages.${rule}${sorted.join(rule)}\n`;
}
