import { expect, test, vi } from "vitest";
import type { ReportFileHeadline } from "../../../../src/host/reading/reader";
import { FileHeadlines } from "../../../../src/host/side/fileHeadlines";
import { headlineOf } from "../../../../src/report/headline";
import { sampleReport } from "../../report/sampleReport";

const read = (layers: number): ReportFileHeadline => ({
  headline: headlineOf(sampleReport({ layers })),
  hasCheckpoint: true,
});

test("reads each file once, a few at a time, and tells which have come", async () => {
  const calls: (readonly string[])[] = [];
  const heard: string[] = [];
  const headlines = new FileHeadlines(
    async (files) => {
      calls.push(files);
      return Promise.resolve(files.map(() => read(4)));
    },
    (files) => heard.push(...files),
  );
  const files = Array.from({ length: 50 }, (_, i) => `${i}.fathom.json`);
  headlines.want(files);
  expect(headlines.of("0.fathom.json")).toBeUndefined();
  headlines.want(files);
  await vi.waitFor(() => {
    expect(heard).toEqual(files);
  });
  expect(calls.flat()).toEqual(files);
  expect(calls.length).toBeGreaterThan(2);
  expect(headlines.of("49.fathom.json")).toEqual(read(4));
  headlines.want(files);
  expect(calls.flat()).toHaveLength(50);
});

test("of a file that changes while it is read shows what it holds then", async () => {
  let layers = 4;
  const answers: (() => void)[] = [];
  const headlines = new FileHeadlines(
    async (files) => {
      const now = files.map(() => read(layers));
      await new Promise<void>((resolve) => answers.push(resolve));
      return now;
    },
    () => undefined,
  );
  headlines.want(["a"]);
  layers = 8;
  headlines.forget("a");
  headlines.want(["a"]);
  answers[0]!();
  await vi.waitFor(() => {
    expect(answers).toHaveLength(2);
  });
  expect(headlines.of("a")).toBeUndefined();
  answers[1]!();
  await vi.waitFor(() => {
    expect(headlines.of("a")).toEqual(read(8));
  });
});

test("says why none could be read, and reads again what was forgotten", async () => {
  let fails = true;
  const headlines = new FileHeadlines(
    async (files) => {
      if (fails) throw new Error("the thread has ended");
      return Promise.resolve(files.map(() => read(4)));
    },
    () => undefined,
  );
  headlines.want(["a"]);
  await vi.waitFor(() => {
    expect(headlines.of("a")).toEqual({ problem: "the thread has ended" });
  });
  fails = false;
  headlines.forgetAll();
  headlines.want(["a"]);
  await vi.waitFor(() => {
    expect(headlines.of("a")).toEqual(read(4));
  });
});

test("follows what becomes of the checkpoints, and shows what it knew until then", async () => {
  let hasCheckpoint = true;
  const answers: (() => void)[] = [];
  const headlines = new FileHeadlines(
    async (files) => {
      const now = files.map(() => ({ ...read(4), hasCheckpoint }));
      await new Promise<void>((resolve) => answers.push(resolve));
      return now;
    },
    () => undefined,
  );
  headlines.want(["a"]);
  answers[0]!();
  await vi.waitFor(() => {
    expect(headlines.of("a")).toMatchObject({ hasCheckpoint: true });
  });
  headlines.reviseAll();
  expect(headlines.of("a")).toMatchObject({ hasCheckpoint: true });
  // What is being read counts no more.
  hasCheckpoint = false;
  headlines.reviseAll();
  answers[1]!();
  await vi.waitFor(() => {
    expect(answers).toHaveLength(3);
  });
  answers[2]!();
  await vi.waitFor(() => {
    expect(headlines.of("a")).toMatchObject({ hasCheckpoint: false });
  });
});
