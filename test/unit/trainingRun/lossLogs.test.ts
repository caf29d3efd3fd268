import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../../../src/trainingRun/crc32c";
import { readCsvLog } from "../../../src/trainingRun/csvLog";
import { discoverRun, type TrainingRun } from "../../../src/trainingRun/discover";
import { TrainingRunError } from "../../../src/trainingRun/errors";
import { readEventFile } from "../../../src/trainingRun/eventFile";
import { readJsonLog } from "../../../src/trainingRun/jsonLog";
import { readLossLogs } from "../../../src/trainingRun/lossLogs";
import {
  isLossName,
  lossSeries,
  stepKeyOf,
  thinned,
  thinnedTogether,
  type LossSeries,
} from "../../../src/trainingRun/lossSeries";
import { failureOf } from "../support/failures";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const events = fileURLToPath(
  new URL("../../trainingRuns/events/events.out.tfevents.1", import.meta.url),
);
const sample = fileURLToPath(new URL("../../../media/sample/pre-ln", import.meta.url));

function written(name: string, content: string | Uint8Array): string {
  const file = join(scratch(), name);
  writeFileSync(file, content);
  return file;
}

const stepsAndValues = (series: Map<string, { step: number; value: number }[]>, name: string) =>
  series.get(name)?.map(({ step, value }) => [step, value]);

describe("names", () => {
  it.each(["loss", "train_loss", "train/loss", "eval_loss", "heldOutLoss", "Loss", "val/lm-loss"])(
    "%s is a loss",
    (name) => {
      expect(isLossName(name)).toBe(true);
    },
  );

  it.each(["lossless", "loss_scale", "train/loss__MIN", "gloss", "learning_rate", "lr"])(
    "%s is none",
    (name) => {
      expect(isLossName(name)).toBe(false);
    },
  );

  it("of the step: update_step before global_step, which counts micro-batches", () => {
    expect(stepKeyOf(["loss", "global_step", "update_step"])).toBe("update_step");
    expect(stepKeyOf(["Iteration", "loss"])).toBe("Iteration");
    expect(stepKeyOf(["epoch", "loss"])).toBeUndefined();
  });

  it("tell held-out from training", () => {
    const kindOf = (name: string) => lossSeries(name, "", []).kind;
    expect(["loss", "train/loss", "devote_loss"].map(kindOf)).toEqual(Array(3).fill("training"));
    expect(["eval_loss", "val/loss", "held_out_loss", "heldOutLoss"].map(kindOf)).toEqual(
      Array(4).fill("heldOut"),
    );
  });
});

describe("JSON logs", () => {
  it("the history of trainer_state.json, with NaN as Python writes it", async () => {
    const file = written(
      "trainer_state.json",
      `{"global_step": 20, "note": "NaN stays \\" NaN", "log_history": [
        {"step": 10, "loss": 3.5, "grad_norm": NaN},
        {"step": 15, "eval_loss": "3.25", "loss": NaN},
        {"step": 20, "loss": 3.0},
        {"step": 20, "train_loss": 3.3, "train_runtime": 5.0}]}`,
    );
    const series = await readJsonLog(file);
    expect([...series.keys()].sort()).toEqual(["eval_loss", "loss"]);
    expect(stepsAndValues(series, "loss")).toEqual([
      [10, 3.5],
      [20, 3],
    ]);
    expect(stepsAndValues(series, "eval_loss")).toEqual([[15, 3.25]]);
  });

  it("a training state that says only where it stands", async () => {
    const file = written(
      "training_state.json",
      '{"global_step": 4000, "update_step": 1000, "tokens_seen": 5, "eval_loss": 3.5}',
    );
    expect(stepsAndValues(await readJsonLog(file), "eval_loss")).toEqual([[1000, 3.5]]);
  });

  it.each([
    ["cut off", '{"log_history": [', "is not JSON"],
    ["a list", "[]", "is not a JSON object"],
  ])("refuses what is %s", async (_, text, why) => {
    const file = written("trainer_state.json", text);
    const message = await failureOf(readJsonLog(file), TrainingRunError);
    expect(message).toContain(file);
    expect(message).toContain(why);
  });
});

describe("CSV logs", () => {
  it("columns in any order, empty cells, quotes, a byte order mark", async () => {
    const file = written(
      "log.csv",
      '\uFEFF"lr","val_loss","Step","run, a - train/loss"\r\n1,,1,2.5\r\n1,2.25,2,\r\n1,x,,2\r\n',
    );
    const series = await readCsvLog(file);
    expect(stepsAndValues(series, "run, a - train/loss")).toEqual([[1, 2.5]]);
    expect(stepsAndValues(series, "val_loss")).toEqual([[2, 2.25]]);
  });

  it.each([";", "\t"])("with %j between the fields", async (separator) => {
    const file = written("log.csv", ["iter,loss", "5,1.5"].join("\n").replaceAll(",", separator));
    expect(stepsAndValues(await readCsvLog(file), "loss")).toEqual([[5, 1.5]]);
  });

  it.each(["step;loss\n1;2,5\n2;1e-2\n", 'step,loss\n1,"2,5"\n2,1e-2\n'])(
    "with decimal commas: %j",
    async (text) => {
      const series = await readCsvLog(written("log.csv", text));
      expect(stepsAndValues(series, "loss")).toEqual([
        [1, 2.5],
        [2, 0.01],
      ]);
    },
  );

  it.each([
    ["commas and points", "step;loss\n1;2,5\n2;1.5\n"],
    ["grouped digits", "step;loss\n1;1.234,5\n"],
    ["grouped steps", "step;loss\n1,000;2.5\n"],
    ["decimal commas among commas", "step,loss\n1,2,5\n"],
  ])("refuses %s", async (_, text) => {
    const file = written("log.csv", text);
    expect(await failureOf(readCsvLog(file), TrainingRunError)).toContain(`${file}: `);
  });

  it("a table of something else has none", async () => {
    expect(await readCsvLog(written("data.csv", "name,loss\na,1\n"))).toEqual(new Map());
    expect(await readCsvLog(written("empty.csv", ""))).toEqual(new Map());
  });
});

describe("event files", () => {
  it("the checksum of the standard", () => {
    // RFC 3720, B.4
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });

  it("scalars of both styles, as TensorBoard's own writer writes them", async () => {
    const series = await readEventFile(events);
    expect([...series.keys()].sort()).toEqual(["eval/loss", "train/loss"]);
    const steps = [10, 20, 30, 40, 50];
    expect(stepsAndValues(series, "train/loss")).toEqual(steps.map((s) => [s, 8 - s / 16]));
    expect(stepsAndValues(series, "eval/loss")).toEqual(steps.map((s) => [s, 8.25 - s / 32]));
  });

  it("every prefix is read as far as it goes, for it may be still being written", async () => {
    const whole = readFileSync(events);
    let before = 0;
    for (let length = 0; length <= whole.length; length += 7) {
      const series = await readEventFile(written("events", whole.subarray(0, length)));
      const count = [...series.values()].flat().length;
      expect(count).toBeGreaterThanOrEqual(before);
      before = count;
    }
    expect(before).toBeGreaterThan(8);
  });

  it("a damaged byte is an error, never another number", async () => {
    const whole = readFileSync(events);
    const truth = await readEventFile(events);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, x) => {
          const damaged = Buffer.from(whole);
          damaged[at]! ^= x;
          const outcome = await readEventFile(written("events", damaged)).catch(
            (error: unknown) => {
              expect(error).toBeInstanceOf(TrainingRunError);
              return undefined;
            },
          );
          if (outcome !== undefined) expect(outcome).toEqual(truth);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("refuses a record beyond the limit before it is read", async () => {
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(100n);
    head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
    // Whole by its size, wrong by its checksum.
    const file = written("events", Buffer.concat([head, Buffer.alloc(104)]));
    expect(await failureOf(readEventFile(file), TrainingRunError)).toContain("byte 0");
  });
});

describe("the logs of a run", () => {
  it("of the sample: the CSV log, of which the trainer states are a part", async () => {
    const { series, problems } = await readLossLogs(await discoverRun(sample));
    expect(problems).toEqual([]);
    // Both state the held-out losses; one of them is enough.
    expect(series.map(({ name, kind }) => [name, kind])).toEqual([
      ["loss", "training"],
      ["held_out_loss", "heldOut"],
    ]);
    expect(series[0]!.source).toBe("training_log.csv");
    expect(series[0]!.points.length).toBeGreaterThan(100);
  });

  it("joins the states of all checkpoints, and finds events in folders of logs", async () => {
    const run = emptyRun(scratch(), [1, 2]);
    for (const [i, step] of run.steps.entries()) {
      const history = [{ step: step.step, loss: 3 - i }];
      writeFileSync(
        join(step.path, "trainer_state.json"),
        JSON.stringify({ log_history: history }),
      );
    }
    mkdirSync(join(run.folder, "runs", "Nov22_host"), { recursive: true });
    cpSync(events, join(run.folder, "runs", "Nov22_host", "events.out.tfevents.1"));
    const { series } = await readLossLogs(run);
    expect(series.map(({ name, source, points }) => [name, source, points.length])).toEqual([
      ["train/loss", "runs/Nov22_host", 5],
      ["eval/loss", "runs/Nov22_host", 5],
      ["loss", "trainer_state.json", 2],
    ]);
  });

  it("a log that cannot be read is a problem, and the others are read", async () => {
    const run = emptyRun(scratch(), [1, 2]);
    writeFileSync(join(run.folder, "trainer_state.json"), "{");
    writeFileSync(join(run.folder, "log.csv"), "step,loss\n1,2\n");
    const { series, problems } = await readLossLogs(run);
    expect(series).toHaveLength(1);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("trainer_state.json: is not JSON");
  });
});

describe("thinning", () => {
  it("keeps order, bounds and extremes", () => {
    const values = fc.array(fc.double({ noNaN: true, min: -9, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 4, max: 40 }), (list, count) => {
        const points = list.map((value, step) => ({ step, value }));
        const thin = thinned(points, count);
        expect(thin.length).toBeLessThanOrEqual(Math.max(count, 1));
        expect(thin.every(({ step }, i) => i === 0 || step > thin[i - 1]!.step)).toBe(true);
        const max = (some: typeof points) => Math.max(...some.map(({ value }) => value));
        expect(max(thin)).toBe(max(points));
      }),
    );
  });

  it("of several series leaves no step to one of them that another has logged and lost", () => {
    const long = lossSeries("loss", "log.csv", pointsOf(3000, 1));
    const other = lossSeries("eval_loss", "log.csv", pointsOf(3000, 7));
    const sparse = lossSeries("val/loss", "log.csv", pointsOf(3000, 3).slice(0, 20));
    const thin = thinnedTogether([long, other, sparse], 900);
    expect(thin.reduce((sum, { points }) => sum + points.length, 0)).toBeLessThanOrEqual(900);
    expect(thin.map(({ logged }) => logged)).toEqual([3000, 3000, undefined]);
    expect(thin[0]!.points.map(({ step }) => step)).toEqual(
      thin[1]!.points.map(({ step }) => step),
    );
    expect(thin[2]!.points).toEqual(sparse.points);
    for (const [i, { points }] of [long, other].entries()) {
      const highest = points.reduce((a, b) => (b.value > a.value ? b : a));
      expect(thin[i]!.points).toContainEqual(highest);
    }
    expect(thinnedTogether([sparse], 900)).toEqual([sparse]);
  });

  it("of several series shares its points among as many as have steps of their own", () => {
    const apart = Array.from({ length: 20 }, (_, i) => {
      const points = pointsOf(3000, i + 1).map(({ step, value }) => ({
        step: 20 * step + i,
        value,
      }));
      return lossSeries(`loss_${i}`, "log.csv", points);
    });
    const sizesOf = (some: LossSeries[]) => some.map(({ points }) => points.length);
    const sizes = sizesOf(thinnedTogether(apart, 20_000));
    expect(Math.min(...sizes)).toBeGreaterThan(850);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(20_000);
    // What short ones leave goes to the long one, and what is constant needs fewer.
    const long = lossSeries("loss", "log.csv", pointsOf(30_000, 3));
    const flat = lossSeries("flat", "log.csv", [{ step: 0.5, value: 1 }]);
    expect(sizesOf(thinnedTogether([long, flat], 2_000))[0]).toBeGreaterThan(1700);
  });

  it("of any series keeps within the number, and of a step all or none", () => {
    const values = fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), fc.nat(100), (lists, extra) => {
        const series = lists.map((steps, i) =>
          lossSeries(
            `loss_${i}`,
            "log.csv",
            steps.map((step) => ({ step, value: (step * 7919 * (i + 1)) % 101 })),
          ),
        );
        // At least four points of each, and those of each other's steps.
        const count = 4 * series.length ** 2 + extra;
        const thin = thinnedTogether(series, count);
        expect(thin.reduce((sum, { points }) => sum + points.length, 0)).toBeLessThanOrEqual(count);
        const kept = new Set(thin.flatMap(({ points }) => points.map(({ step }) => step)));
        for (const [i, { points }] of series.entries()) {
          expect(thin[i]!.points).toEqual(points.filter(({ step }) => kept.has(step)));
        }
      }),
    );
  });
});

/** Losses at every step, whose highest stand at steps of their own. */
function pointsOf(count: number, seed: number): { step: number; value: number }[] {
  return Array.from({ length: count }, (_, step) => ({
    step,
    value: ((step + 1) * seed * 7919) % 1009,
  }));
}

function emptyRun(folder: string, steps: number[]): TrainingRun {
  return {
    folder,
    steps: steps.map((step) => {
      const path = join(folder, `step-${step}`);
      mkdirSync(path);
      return { step, name: `step-${step}`, path };
    }),
  };
}
