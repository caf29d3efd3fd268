/** `npm run package [-- --target linux-x64]`: the extension as one .vsix file for one platform. */
import { copyFileSync } from "node:fs";
import path from "node:path";
import { installDependencies, packageExtension } from "./shared/build.mjs";
import { root, runMain, Stop } from "./shared/process.mjs";
import { hostTarget } from "./shared/targets.mjs";

await runMain(async (args) => {
  const target = targetOf(args);
  await installDependencies();
  console.log(path.relative(root, await packageExtension(target)));
});

function targetOf(args) {
  if (args.length === 0) return hostTarget;
  if (args.length === 2 && args[0] === "--target") return args[1];
  throw new Stop(`usage: npm run package -- --target ${hostTarget}`);
}
