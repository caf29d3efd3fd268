import { expect, it } from "vitest";
import { matchNorms } from "../../../src/python/matchNorms";
import { readModule } from "../../../src/python/module";
import { normSites } from "../../../src/python/normSites";
import { huggingFacePaths } from "./support/models";
import { longFile } from "./support/longFile";
import { parser } from "./support/parser";

/** Of processor time, in milliseconds, for a file of 5,000 lines: what the lenses may cost. */
const budget = 20;
/** Edits before the engine has compiled what they run. */
const warmUp = 45;

it("a file of 5,000 lines is read again after an edit, and matched, in less than 20 ms", () => {
  const text = longFile(5000);
  let source = parser.parse(text);
  const read = (): number => {
    const module = readModule(source);
    const file = { path: "models.py", module, sites: normSites(module) };
    return matchNorms([file], huggingFacePaths, ["Model7ForCausalLM"]).matches.length;
  };
  expect(read()).toBe(3);
  const at = text.indexOf("class Model7DecoderLayer");
  const times = Array.from({ length: warmUp + 15 }, (_, index) => {
    const edited = `${text.slice(0, at)}# ${"edited ".repeat(index)}\n${text.slice(at)}`;
    const before = process.cpuUsage();
    source = parser.parse(edited, source);
    expect(read()).toBe(3);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  // Processor time, since other programs run too. It is the whole process's, which at first compiles.
  const median = times.slice(warmUp).toSorted((a, b) => a - b)[7]!;
  expect(median).toBeLessThan(budget);
});
