import { describe, expect, test } from "vitest";
import { Turnstile } from "../../../src/host/turnstile";

const patient = new AbortController().signal;

describe("Turnstile", () => {
  test("lets one in at a time, in the order they came", async () => {
    const turnstile = new Turnstile();
    const seen: string[] = [];
    const visit = async (name: string): Promise<void> => {
      const leave = await turnstile.enter(name, patient);
      seen.push(`${name} in`);
      await Promise.resolve();
      seen.push(`${name} out`);
      leave();
    };
    await Promise.all([visit("a"), visit("b"), visit("c")]);
    expect(seen).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  });

  test("names the one that a newcomer has to wait for", async () => {
    const turnstile = new Turnstile();
    expect(turnstile.ahead).toBeUndefined();
    const leave = await turnstile.enter("a", patient);
    expect(turnstile.ahead).toBe("a");
    leave();
    leave();
    expect(turnstile.ahead).toBeUndefined();
  });

  test("one that gives up waiting leaves the line, and the turn is not lost", async () => {
    const turnstile = new Turnstile();
    const leave = await turnstile.enter("a", patient);
    const impatient = new AbortController();
    const b = turnstile.enter("b", impatient.signal);
    const c = turnstile.enter("c", patient);
    impatient.abort(new Error("too slow"));
    await expect(b).rejects.toThrow("too slow");
    leave();
    (await c)();
    expect(turnstile.ahead).toBeUndefined();
  });

  test("one that has given up before does not come in", async () => {
    await expect(new Turnstile().enter("a", AbortSignal.abort())).rejects.toThrow();
  });
});
