/**
 * Runs before `vsce package`: builds, completes .vscodeignore with the one folder of ONNX Runtime
 * binaries that the target platform needs, makes the readme of the extension's page, and
 * gathers the licences of what is shipped. package.json names what it makes under `vsce`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { thirdPartyNotices } from "./shared/notices.mjs";
import { root, runMain, runQuietly } from "./shared/process.mjs";
import { hostTarget, runtimeFolder } from "./shared/targets.mjs";

await runMain(async () => {
  const target = process.env.FATHOM_TARGET ?? targetOfAncestors() ?? hostTarget;
  const allowed = readFileSync(path.join(root, ".vscodeignore"), "utf8");
  const folder = runtimeFolder(target);
  mkdirSync(path.join(root, "out"), { recursive: true });
  writeFileSync(path.join(root, "out", "vscodeignore"), `${allowed}\n!${folder}/**\n`);
  writeFileSync(path.join(root, "out", "readme.md"), readmeAlone());
  console.log(`Shipping the ONNX Runtime binaries of ${target}.`);
  await runQuietly("The build", "npm", ["run", "build"]);
  writeFileSync(path.join(root, "dist", "third-party-notices.txt"), await thirdPartyNotices());
});

/** README.md without the links and pictures that lead to files of the repository. */
function readmeAlone() {
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  return readme
    .replace(/!\[[^\]]*\]\((?!https:)[^)]*\)\n*/g, "")
    .replace(/\[([^\]]*)\]\((?!https?:|#)[^)]*\)/g, "$1");
}

/** vsce does not tell its prepublish script the target; the command line that started it does. */
function targetOfAncestors() {
  let pid = process.ppid;
  for (let steps = 0; steps < 8 && pid > 1; steps++) {
    const { commandLine, parent } = processOf(pid);
    const target = /\s(?:--target|-t)[ =]([a-z0-9]+-[a-z0-9]+)/.exec(commandLine);
    if (target !== null) return target[1];
    pid = parent;
  }
  return undefined;
}

function processOf(pid) {
  try {
    // A Linux without the procps package has no `ps`.
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return { commandLine, parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) };
  } catch {
    // Not Linux.
  }
  try {
    const columns = ["-o", "ppid=", "-o", "args=", "-p", String(pid)];
    const line = execFileSync("ps", columns, { encoding: "utf8" });
    return { commandLine: line, parent: Number.parseInt(line, 10) };
  } catch {
    return { commandLine: "", parent: 0 };
  }
}
