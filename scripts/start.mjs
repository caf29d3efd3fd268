/**
 * `npm start`: a real VS Code with the extension installed and the sample workspace open.
 * `npm start -- --headless`: the sample's diagnosis in the terminal instead.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, statSync } from "node:fs";
import path from "node:path";
import { build, installDependencies, packageExtension } from "./shared/build.mjs";
import * as editor from "./shared/editor.mjs";
import { isOnPath, root, run, runMain, runQuietly, Stop } from "./shared/process.mjs";
import { lastStep } from "./shared/sample.mjs";
import { whenChanged } from "./shared/stamps.mjs";

const sample = path.join(root, "media", "sample");
/** The window's settings and the copy of the sample; what the user makes of them stays. */
const home = path.join(root, ".vscode-test", "start");
const usualPort = 8137;

await runMain(async (args) => {
  const isHeadless = args.includes("--headless");
  const unknown = args.find((argument) => argument !== "--headless");
  if (unknown !== undefined) {
    throw new Stop(`unknown option ${unknown}; usage: npm start [-- --headless]`);
  }
  await installDependencies();
  if (isHeadless) return diagnoseSample();
  const vsix = await packageExtension();
  const workspace = copyOfSample();
  return (await canOpenDesktop()) ? openDesktop(vsix, workspace) : openBrowser(vsix, workspace);
});

async function diagnoseSample() {
  await build();
  const { checkpoint, line } = lastStep(path.join(sample, "pre-ln"));
  console.log(line);
  const text = path.join(sample, "held-out.txt");
  return run(process.execPath, ["dist/cli.js", "diagnose", checkpoint, "--text", text]);
}

/** The user may train, export and edit in it without changing the repository. */
function copyOfSample() {
  const workspace = path.join(home, "sample");
  cpSync(sample, workspace, {
    recursive: true,
    preserveTimestamps: true,
    // What the user has changed since is theirs.
    filter: (from, to) =>
      statSync(from).isDirectory() ||
      !existsSync(to) ||
      statSync(to).mtimeMs < statSync(from).mtimeMs,
  });
  return workspace;
}

async function canOpenDesktop() {
  const hasDisplay =
    process.platform === "win32" ||
    process.platform === "darwin" ||
    Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  return hasDisplay && (await isOnPath("code"));
}

async function openDesktop(vsix, workspace) {
  const inputs = { inputs: [path.relative(root, vsix)], outputs: [] };
  await whenChanged("install-desktop", inputs, () =>
    runQuietly("Installing the extension", "code", ["--install-extension", vsix, "--force"]),
  );
  await runQuietly("Opening VS Code", "code", [workspace, path.join(workspace, "model.py")]);
  console.log(
    "VS Code is open. Right-click pre-ln/step-… in the explorer and choose Diagnose Depth.",
  );
  return 0;
}

async function openBrowser(vsix, workspace) {
  await editor.installEditor();
  const { settings, extensions } = editor.profileIn(home);
  if (!existsSync(settings)) editor.writeSettings(home, editor.quietSettings);
  const inputs = {
    inputs: [path.relative(root, vsix)],
    outputs: [path.relative(root, path.join(extensions, "extensions.json"))],
  };
  await whenChanged("install-browser", inputs, () => editor.installExtension(home, vsix));
  const port = await editor.findPort(usualPort);
  const { address, child } = await editor.startEditor(home, workspace, { port });
  const open = JSON.stringify([
    ["openFile", `vscode-remote://${new URL(address).host}${path.join(workspace, "model.py")}`],
  ]);
  const url = `${address}?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(open)}`;
  console.log(`VS Code is open at\n\n  ${url}\n`);
  console.log(
    "Right-click pre-ln/step-… in the explorer and choose Diagnose Depth. Ctrl-C ends it.",
  );
  openInDefaultBrowser(url);
  return untilEnded(child);
}

function openInDefaultBrowser(url) {
  const hasDisplay = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  const opener = process.platform === "darwin" ? "open" : hasDisplay ? "xdg-open" : undefined;
  if (opener === undefined) return;
  // The address is on screen already, so that it does not matter when this fails.
  spawn(opener, [url], { stdio: "ignore" }).on("error", () => undefined);
}

function untilEnded(child) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill());
  return new Promise((resolve) => {
    child.on("close", () => resolve(0));
  });
}
