export interface Counts {
  readonly seed: string;
  readonly fuzzed: string;
  readonly formats: Record<string, unknown>;
}
export function readCounts(file: string, seed: string, fuzzed: string): Counts;
