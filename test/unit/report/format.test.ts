import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  absent,
  baseName,
  bytes,
  counted,
  duration,
  familyName,
  figure,
  largeCount,
  layerList,
  perplexityCost,
  signedFigure,
  signedWithInterval,
  wholeNumber,
  withInterval,
} from "../../../src/report/format";
import { fixture, fixtureNames } from "../support/checkpoints";

describe("figure", () => {
  it.each([
    [0, "0"],
    [0.41, "0.410"],
    [0.0123, "0.0123"],
    [0.00004, "4.00×10⁻⁵"],
    [34.21, "34.2"],
    [812.4, "812"],
    [1240.3, "1240"],
    [12403, "12,403"],
    [124030, "1.24×10⁵"],
    [-0.5, "−0.500"],
  ])("writes %d as %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it.each([Infinity, -Infinity, NaN])("has none for %d", (value) => {
    expect(figure(value)).toBe(absent);
    expect(signedFigure(value)).toBe(absent);
    expect(withInterval(value, 1)).toBe(absent);
    expect(withInterval(1, Math.abs(value))).toBe("1.00 ± ?");
    expect(perplexityCost({ deltaNll: 1000, standardError: 1 })).toBe(absent);
    expect(perplexityCost({ deltaNll: 0.1, standardError: Math.abs(value) })).not.toMatch(/∞|NaN/);
  });

  it("stays close to the number it writes", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), (value) => {
        expect(Math.abs(read(figure(value)) / value - 1)).toBeLessThan(0.006);
        expect(figure(-value)).toBe(`−${figure(value)}`);
      }),
    );
  });
});

describe("intervals", () => {
  it.each([
    [34.21, 0.55, "34.2 ± 1.1"],
    [812.4, 12, "812 ± 24"],
    [0.0034, 0.0006, "0.0034 ± 0.0012"],
    [0.91, 0.0000001, "0.9100 ± 1.96×10⁻⁷"],
    [124030, 1500, "1.24×10⁵ ± 2.9×10³"],
    [3, 0, "3.00 ± 0"],
  ])("%d with a standard error of %d is %s", (value, error, text) => {
    expect(withInterval(value, error)).toBe(text);
  });

  it("says the sign of a difference", () => {
    expect(signedWithInterval(0.034, 0.006)).toBe("+0.034 ± 0.012");
    expect(signedWithInterval(-0.034, 0.006)).toBe("−0.034 ± 0.012");
    expect(signedFigure(0)).toBe("0");
  });
});

describe("perplexityCost", () => {
  it.each([
    [0.003, 0.0005, "+0.3% (±0.1)"],
    [-0.002, 0.0005, "−0.2% (±0.1)"],
    [0.2, 0.02, "+22% (±5)"],
    [0.003, 0, "+0.3% (±0.0)"],
    [5.1, 0.02, "×164.0 (±6.4)"],
  ])("of ΔNLL %d with a standard error of %d is %s", (deltaNll, standardError, text) => {
    expect(perplexityCost({ deltaNll, standardError })).toBe(text);
  });
});

describe("words", () => {
  it("names sizes, counts and times as people do", () => {
    expect(bytes(13_476_839_424)).toBe("13.5 GB");
    expect(bytes(999_950)).toBe("1.00 MB");
    expect(bytes(512)).toBe("512 B");
    expect(largeCount(6_738_415_616)).toBe("6.74 billion");
    expect(largeCount(134_105_856)).toBe("134 million");
    expect(largeCount(9216)).toBe("9,216");
    expect(wholeNumber(24576)).toBe("24,576");
    expect(counted(1, "document")).toBe("1 document");
    expect(duration(4.21)).toBe("4.2 s");
    expect(duration(59.6)).toBe("1 min");
    expect(duration(194.3)).toBe("3 min 14 s");
    expect(duration(3900)).toBe("1 h 5 min");
  });

  it("takes the last name of a path of any system", () => {
    expect(baseName("/runs/llama/")).toBe("llama");
    expect(baseName("C:\\runs\\model.safetensors")).toBe("model.safetensors");
    expect(baseName("")).toBe("");
  });

  it.each([
    [[], ""],
    [[3], "3"],
    [[3, 4], "3 and 4"],
    [[11, 5, 0, 4, 3], "0, 3–5 and 11"],
    [[1, 1, 2, 3], "1–3"],
  ])("lists the layers %j as %j", (layers, text) => {
    expect(layerList(layers)).toBe(text);
  });
});

/** The number that a written figure stands for. */
function read(text: string): number {
  const [mantissa, exponent] = text.replaceAll(",", "").replace("−", "-").split("×10");
  const digits = Array.from(exponent ?? "⁰", (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign));
  const power = digits.reduce((sum, digit) => (digit === 0 ? sum : sum * 10 + digit - 1), 0);
  return Number(mantissa) * 10 ** (digits[0] === 0 ? -power : power);
}

it("names every family that is read as the field does", async () => {
  for (const name of fixtureNames) {
    const { family } = (
      await readArchitecture(await openCheckpoint(fixture(name)), {})
    ).architecture({});
    expect(familyName(family), name).not.toBe(family);
  }
});
