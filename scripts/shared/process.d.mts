import type { SpawnOptions } from "node:child_process";

export const root: string;
export function runQuietly(
  purpose: string,
  command: string,
  args: readonly string[],
  options?: SpawnOptions,
): Promise<string>;
