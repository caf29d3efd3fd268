import { describe, expect, it } from "vitest";
import type { Executor } from "../../../src/engine/executor";
import { EngineError } from "../../../src/engine/executor";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import { chooseProvider } from "../../../src/engine/providers";

const cpu = onnxRuntimeExecutor({ provider: "cpu", threads: 1, weightsFolder: "/" });

/** An executor that computes on the CPU, and then does something to what it found. */
function like(
  change: (values: Float32Array) => void,
  onRelease: () => void = () => undefined,
): Executor {
  return {
    acceptsEmptyTensors: true,
    load: async (graph) => {
      const session = await cpu.load(graph);
      return {
        run: async (feeds, fetches) => {
          const found = await session.run(feeds, fetches);
          for (const values of Object.values(found)) change(values);
          return found;
        },
        release: async () => {
          onRelease();
          await session.release();
        },
      };
    },
  };
}

const choose = (asked: "auto" | "cpu" | "webgpu", candidate: Executor) =>
  chooseProvider(asked, (provider) => (provider === "cpu" ? cpu : candidate));

describe("a provider that is asked for", () => {
  it("is used when a small graph and its derivative come out as on the CPU", async () => {
    let released = 0;
    const honest = like(
      () => undefined,
      () => {
        released++;
      },
    );
    expect(await choose("webgpu", honest)).toEqual({ provider: "webgpu", notices: [] });
    expect(released).toBe(1);
  });

  it.each<[string, (values: Float32Array) => void, RegExp]>([
    [
      "errs a little everywhere",
      (values) => {
        values.forEach((x, at) => (values[at] = x * 1.01));
      },
      /differs/,
    ],
    ["errs in one number", (values) => (values[500]! += 100), /differs from the CPU by/],
    ["gives NaN", (values) => (values[3] = NaN), /differs/],
    ["gives zeros", (values) => values.fill(0), /differs from the CPU by 1\.0e\+0/],
  ])("gives way to the CPU when it %s, and the reason is told", async (_, change, reason) => {
    const { provider, notices } = await choose("webgpu", like(change));
    expect(provider).toBe("cpu");
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/^Device webgpu was not used: .*; the CPU is used instead\.$/);
    expect(notices[0]).toMatch(reason);
  });

  it("gives way to the CPU when it cannot build a graph, and the reason is told", async () => {
    const broken: Executor = {
      acceptsEmptyTensors: false,
      load: () => Promise.reject(new EngineError("webgpu", "no adapter\nstack of frames")),
    };
    const { provider, notices } = await choose("webgpu", broken);
    expect(provider).toBe("cpu");
    expect(notices).toEqual(["Device webgpu was not used: no adapter; the CPU is used instead."]);
  });
});

describe("the automatic choice", () => {
  it("is the CPU without a word where nothing else is there", async () => {
    const missing: Executor = {
      acceptsEmptyTensors: false,
      load: () => Promise.reject(new EngineError("webgpu", "no adapter")),
    };
    expect(await choose("auto", missing)).toEqual({ provider: "cpu", notices: [] });
  });

  it("is the CPU where another device is slower", async () => {
    const slow: Executor = {
      acceptsEmptyTensors: true,
      load: async (graph) => {
        const session = await cpu.load(graph);
        return {
          run: async (feeds, fetches) => {
            await new Promise((resolve) => setTimeout(resolve, 1500));
            return session.run(feeds, fetches);
          },
          release: () => session.release(),
        };
      },
    };
    expect(await choose("auto", slow)).toEqual({ provider: "cpu", notices: [] });
  });

  it("is the CPU where another device errs, and that is told", async () => {
    const { provider, notices } = await choose(
      "auto",
      like((values) => values.fill(7)),
    );
    expect(provider).toBe("cpu");
    expect(notices.join()).toMatch(/differs from the CPU/);
  });
});

it("the CPU that is asked for is not put to a test", async () => {
  const never = (): Executor => {
    throw new Error("not needed");
  };
  expect(await chooseProvider("cpu", never)).toEqual({ provider: "cpu", notices: [] });
});
