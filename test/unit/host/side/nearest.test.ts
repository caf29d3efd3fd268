import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestTo, type Placed } from "../../../../src/host/side/nearest";

const at = (path: string, day?: number): Placed => ({
  path,
  ...(day !== undefined && { savedAt: `2026-03-0${day}T10:00:00.000Z` }),
});
const nearest = (file: string, items: Placed[], within?: string): string[] =>
  nearestTo(file, items, within).map((item) => item.path);

describe("the checkpoints nearest to a file", () => {
  test("lie in its folder before they lie beside its parent", () => {
    const items = [at("/w/a/step-1", 2), at("/w/b/step-1", 1)];
    expect(nearest("/w/b/train.py", items)).toEqual(["/w/b/step-1"]);
    expect(nearest("/w/a/code/model.py", items)).toEqual(["/w/a/step-1"]);
  });

  test("are all of them for a file above them, the newest report first", () => {
    const items = [at("/w/a/step-1", 1), at("/w/a/step-2"), at("/w/b/step-1", 5)];
    expect(nearest("/w/model.py", items)).toEqual(["/w/b/step-1", "/w/a/step-1", "/w/a/step-2"]);
  });

  test("are the one that the file is part of", () => {
    const items = [at("/w/a/step-1", 9), at("/w/a/step-2", 1)];
    expect(nearest("/w/a/step-2/config.json", items)).toEqual(["/w/a/step-2"]);
  });

  test("do not lie in a folder whose name only begins alike", () => {
    const items = [at("/w/run-10/step", 9), at("/w/run-1/step", 1)];
    expect(nearest("/w/run-1/train.py", items)).toEqual(["/w/run-1/step"]);
  });

  test("do not lie outside the workspace folder", () => {
    const items = [at("/elsewhere/step", 1), at("/w/step", 2)];
    expect(nearest("/w/model.py", items, "/w")).toEqual(["/w/step"]);
    expect(nearest("/v/model.py", items, "/v")).toEqual([]);
    expect(nearest("/w/model.py", [])).toEqual([]);
  });

  test("share at least as much of the path as any other", () => {
    const steps = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 });
    const place = steps.map((names) => `/${names.join("/")}`);
    const shared = (a: string, b: string): number => {
      const [one, two] = [a.split("/").slice(1), b.split("/").slice(1)];
      const end = one.findIndex((step, i) => step !== two[i]);
      return end === -1 ? one.length : end;
    };
    fc.assert(
      fc.property(place, fc.array(place, { minLength: 1 }), (file, places) => {
        const found = nearest(
          file,
          places.map((one) => at(one)),
        );
        const most = Math.max(...places.map((one) => shared(file, one)));
        expect(found.length).toBe(
          most === 0 ? 0 : places.filter((one) => shared(file, one) === most).length,
        );
      }),
    );
  });
});
