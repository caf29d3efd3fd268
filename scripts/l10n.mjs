/** `npm run l10n`: writes the English strings of the sources into l10n/bundle.l10n.json. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bundleFile, bundleText } from "./shared/l10n.mjs";
import { root, runMain } from "./shared/process.mjs";

await runMain(() => {
  const file = path.join(root, bundleFile);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bundleText());
  console.log(`${bundleFile} is written.`);
});
