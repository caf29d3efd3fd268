/** The values of options, each checked as it is read. */
import { InvalidArgumentError } from "commander";
import { isSettingName, settingNames } from "../architecture/reading";
import { whyNotValue } from "../architecture/settingValues";
import type { Metric } from "../diagnosis/report";
import { metrics } from "../diagnosis/report";

export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, fileName(value)];
}

export function fileName(value: string): string {
  if (value === "") throw new InvalidArgumentError("Expected the name of a file.");
  return value;
}

export function keyValue(
  value: string,
  previous: Record<string, string> = {},
): Record<string, string> {
  const [, key, stated] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (key === undefined || stated === undefined || !isSettingName(key)) {
    throw new InvalidArgumentError(`Expected KEY=VALUE with one of ${settingNames.join(", ")}.`);
  }
  const why = whyNotValue(key, stated);
  if (why !== undefined) throw new InvalidArgumentError(`${key} is "${stated}"; ${why}.`);
  return { ...previous, [key]: stated };
}

export function whole(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return number;
  };
}

export function positive(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return number;
}

export function metricList(value: string): Metric[] {
  const asked = value.split(",").map((name) => name.trim());
  for (const name of asked) {
    if (!metrics.some((metric) => metric === name)) {
      throw new InvalidArgumentError(`"${name}" is not one of ${metrics.join(", ")}.`);
    }
  }
  return metrics.filter((metric) => asked.includes(metric));
}
