/**
 * Lives in the extension host beside Fathom and tells the tests what holds it up: it measures the
 * processor time of the host's thread from one turn of the event loop to the next, and asks V8's
 * profiler whose functions took it. Time that other processes take from the host is in neither.
 *
 * It wakes only in a workspace with `.vscode/probe`, and writes the port that it answers on there.
 * Where that file says `activation`, it measures only what it takes to activate Fathom: the profiler
 * would take its share. It counts searches of the workspace for weights in any case.
 */
const childProcess = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { Session } = require("node:inspector");
const Module = require("node:module");
const path = require("node:path");
const vscode = require("vscode");
const asker = require("./asker");

/** Shorter turns are of no interest; in milliseconds of processor time. */
const shortest = 10;
const samplingMicroseconds = 500;

exports.activate = ({ subscriptions }) => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const file = folder && path.join(folder, ".vscode", "probe");
  if (file === undefined || !existsSync(file)) return;
  const isOfActivation = readFileSync(file, "utf8") === "activation";
  const activation = isOfActivation ? measureActivation() : undefined;
  const searches = countSearches();
  const session = new Session();
  session.connect();
  const post = (method, parameters) =>
    new Promise((resolve, reject) => {
      session.post(method, parameters, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    });

  let turns = [];
  let before = moment();
  const timer = setInterval(() => {
    const now = moment();
    const cpu = now.cpu - before.cpu;
    if (cpu >= shortest) turns.push({ from: before.time, to: now.time, cpu });
    before = now;
  }, 1);

  const start = async () => {
    await post("Profiler.enable");
    // It may have run since the window was opened; stopping what does not run is no harm.
    await post("Profiler.stop").catch(() => undefined);
    await post("Profiler.setSamplingInterval", { interval: samplingMicroseconds });
    await post("Profiler.start");
    // Starting it has taken time, which is nobody's.
    turns = [];
    before = moment();
  };
  const stop = async (marker) => {
    const seen = turns;
    const { profile } = await post("Profiler.stop");
    return { turns: seen.map((turn) => explained(turn, profile, marker)) };
  };

  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url, "http://localhost");
      const doings = {
        "/activation": () => activation,
        "/searches": () => searches,
        "/start": start,
        "/stop": () => stop(searchParams.get("of")),
        "/ask": () => asker.ask(searchParams.get("tool"), searchParams.get("input")),
        "/cancel": asker.cancel,
        "/describe": () => asker.describe(searchParams.get("tool")),
      };
      const answer = await doings[pathname]();
      // A connection that is kept would keep the test from ending.
      response.setHeader("connection", "close");
      response.end(JSON.stringify(answer ?? {}));
    })();
  });
  void (isOfActivation ? Promise.resolve() : start()).then(() => {
    server.listen(0, "127.0.0.1", () => {
      writeFileSync(file, String(server.address().port));
    });
  });
  subscriptions.push({
    dispose: () => {
      clearInterval(timer);
      server.close();
      session.disconnect();
    },
  });
};

/**
 * Looks out for Fathom's main file, which must not have been loaded yet.
 *
 * @returns milliseconds of processor time, each undefined until it is known: what running the file
 *   took, compiling included, and what its `activate` took, which does all it does before it returns
 */
function measureActivation() {
  const taken = { load: undefined, activate: undefined };
  const timed = (name, action) => {
    const before = moment().cpu;
    const result = action();
    taken[name] = moment().cpu - before;
    return result;
  };
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, filename, ...others) {
    const run = () => compile.call(this, content, filename, ...others);
    if (!/[/\\]fathom\.fathom-[^/\\]*[/\\]dist[/\\]extension\.js$/.test(filename)) return run();
    Module.prototype._compile = compile;
    const result = timed("load", run);
    const { activate } = this.exports;
    this.exports = {
      ...this.exports,
      activate: (context) => timed("activate", () => activate(context)),
    };
    return result;
  };
  return taken;
}

/** @returns how often the editor's file search was asked for weights from now on */
function countSearches() {
  const searches = { count: 0 };
  const { spawn } = childProcess;
  childProcess.spawn = (command, ...others) => {
    const isSearch = /[/\\]rg(\.exe)?$/.test(command);
    if (isSearch && String(others[0]).includes("safetensors")) searches.count++;
    return spawn(command, ...others);
  };
  // The editor's own modules see it only then.
  Module.syncBuiltinESMExports();
  return searches;
}

/** In milliseconds: the clock that the profiler uses too, and what this thread has computed. */
function moment() {
  const { user, system } = process.threadCpuUsage();
  return { time: Number(process.hrtime.bigint()) / 1e6, cpu: (user + system) / 1000 };
}

/** How much of a turn went to files whose path has `marker` and what they called, and to which. */
function explained({ from, to, cpu }, profile, marker) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  /** From the function that ran to what called it. */
  const stackOf = (id) => {
    const stack = [];
    for (let at = id; at !== undefined; at = parents.get(at)) stack.push(nodes.get(at).callFrame);
    return stack;
  };
  let time = profile.startTime;
  let [ours, others] = [0, 0];
  const functions = new Map();
  profile.samples.forEach((id, n) => {
    time += profile.timeDeltas[n];
    if (time / 1000 < from || time / 1000 > to) return;
    const stack = stackOf(id);
    const { functionName } = stack[0];
    if (["(idle)", "(program)", "(garbage collector)"].includes(functionName)) {
      functions.set(functionName, (functions.get(functionName) ?? 0) + 1);
      return;
    }
    // Whose message the runtime is unpacking nobody knows: what is nobody else's is held to be ours.
    const isOthers = stack.some(({ url }) => url !== "" && !url.startsWith("node:"));
    const isOurs = !isOthers || stack.some(({ url }) => url.includes(marker));
    if (isOurs) ours++;
    else others++;
    const names = stack
      .slice(0, 12)
      .map(({ functionName, url, lineNumber, columnNumber }) => {
        const place = `${path.basename(url)}:${lineNumber + 1}:${columnNumber + 1}`;
        return `${functionName || "(anonymous)"} ${place}`;
      })
      .join(" < ");
    functions.set(names, (functions.get(names) ?? 0) + 1);
  });
  // Of garbage that is collected and of native code everybody who was seen has a share.
  const isNative = functions.has("(program)");
  const share = ours + others === 0 ? Number(isNative) : ours / (ours + others);
  const most = [...functions].sort(([, a], [, b]) => b - a).slice(0, 4);
  return {
    wallMs: to - from,
    cpuMs: cpu,
    ownMs: cpu * share,
    samples: ours + others,
    functions: most.map(([names, count]) => `${count} × ${names}`),
  };
}
