import { t } from "@vscode/l10n";
import { listSupportedBackends } from "onnxruntime-node";
import { messageOf } from "../checkpoint/errors";
import { GraphBuilder } from "../graph/graph";
import type { Graph } from "../graph/graph";
import { jvp, tangentName } from "../graph/jvp";
import type { Device } from "./device";
import type { Executor } from "./executor";

/** A provider that has proven itself on this machine, or the CPU with the reasons why no other did. */
export interface ChosenProvider {
  readonly provider: string;
  /** What the user should know: which provider was tried and why it was not used. */
  readonly notices: readonly string[];
}

/** What `auto` tries before the CPU, the fastest kind first. */
const automaticOrder = ["cuda", "dml", "coreml", "webgpu"] as const;

/**
 * Chooses the execution provider. One that is not the CPU is used only after a small graph has given
 * the CPU's numbers on it; `auto` also wants it to be faster, which a software renderer is not.
 *
 * @param executorOn makes an executor on a provider
 */
export async function chooseProvider(
  asked: Device,
  executorOn: (provider: string) => Executor,
): Promise<ChosenProvider> {
  if (asked === "cpu") return { provider: "cpu", notices: [] };
  const offered = new Set(listSupportedBackends().map(({ name }) => name));
  if (asked !== "auto") {
    if (!offered.has(asked)) {
      const reason = t("ONNX Runtime does not offer it on this platform");
      return { provider: "cpu", notices: [notUsed(asked, reason)] };
    }
    const check = await selfCheck(executorOn(asked), executorOn("cpu"));
    return check.agrees
      ? { provider: asked, notices: [] }
      : { provider: "cpu", notices: [notUsed(asked, check.reason)] };
  }
  const notices: string[] = [];
  for (const provider of automaticOrder) {
    if (!offered.has(provider)) continue;
    const check = await selfCheck(executorOn(provider), executorOn("cpu"));
    if (check.agrees && check.speedUp > 1) return { provider, notices };
    // A provider that nobody asked for and that is not there is no news; one that errs is.
    if (!check.agrees && check.ran) notices.push(notUsed(provider, check.reason));
  }
  return { provider: "cpu", notices };
}

function notUsed(device: string, reason: string): string {
  return t("Device {0} was not used: {1}; the CPU is used instead.", device, reason);
}

type SelfCheck =
  | { readonly agrees: true; readonly speedUp: number }
  /** `ran` when it gave numbers, and they were wrong. */
  | { readonly agrees: false; readonly ran: boolean; readonly reason: string };

/** Largest deviation accepted, relative to the largest number: float32 sums in another order. */
const tolerance = 1e-3;
const width = 384;

/** Runs a small graph with the primitives that a layer needs, and its derivative, on both. */
async function selfCheck(candidate: Executor, cpu: Executor): Promise<SelfCheck> {
  const graph = checkGraph();
  try {
    const expected = await timedRun(cpu, graph);
    const found = await timedRun(candidate, graph);
    for (const [name, values] of Object.entries(expected.outputs)) {
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
      const actual = found.outputs[name]!;
      const deviation = values.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - actual[at]!)),
        0,
      );
      if (!(deviation <= tolerance * scale)) {
        return {
          agrees: false,
          ran: true,
          reason: t(
            "its self-check differs from the CPU by {0} (limit {1})",
            (deviation / scale).toExponential(1),
            tolerance,
          ),
        };
      }
    }
    return { agrees: true, speedUp: expected.milliseconds / found.milliseconds };
  } catch (error) {
    // ONNX Runtime's assertions read "file function condition was false. reason".
    const reason = messageOf(error)
      .split("\n")[0]!
      .replace(/^.* was false\. /, "");
    return { agrees: false, ran: false, reason };
  }
}

async function timedRun(
  executor: Executor,
  graph: Graph,
): Promise<{ outputs: Record<string, Float32Array>; milliseconds: number }> {
  const session = await executor.load(graph);
  try {
    const wave = (length: number): Float32Array =>
      Float32Array.from({ length }, (_, at) => Math.sin(at * 0.7) + Math.cos(at * 0.11));
    const shape = [2, width, width];
    const feeds = {
      x: { type: "float32", data: wave(2 * width * width), shape },
      [tangentName("x")]: { type: "float32", data: wave(2 * width * width), shape: [1, ...shape] },
    } as const;
    const fetches = ["y", tangentName("y")];
    const outputs = await session.run(feeds, fetches);
    // The first run compiles; the second shows the speed.
    const start = performance.now();
    await session.run(feeds, fetches);
    return { outputs, milliseconds: performance.now() - start };
  } finally {
    await session.release();
  }
}

/** softmax(x xᵀ/width) x, normalised and gated: the primitives of attention and feed-forward. */
function checkGraph(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input("x", { elementType: "float32", shape: ["batch", width, width] });
  const scores = builder.apply("MatMul", [x, builder.transpose(x, [0, 2, 1])]);
  const weights = builder.apply("Softmax", [builder.multiply(scores, builder.scalar(1 / width))]);
  const mixed = builder.apply("MatMul", [weights, x]);
  const squares = builder.apply("ReduceMean", [builder.multiply(mixed, mixed)], { axis: -1 });
  const root = builder.apply("Sqrt", [builder.add(squares, builder.scalar(1e-5))]);
  const normed = builder.apply("Div", [mixed, root]);
  const gated = builder.multiply(normed, builder.apply("Sigmoid", [normed]));
  builder.output("y", builder.add(x, gated));
  return jvp(builder.build(), "x", ["y"]);
}
