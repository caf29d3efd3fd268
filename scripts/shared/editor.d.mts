import type { ChildProcess } from "node:child_process";

export const quietSettings: Record<string, unknown>;
export function installEditor(): Promise<void>;
export function installExtension(folder: string, ...vsixes: string[]): Promise<void>;
export function writeSettings(folder: string, settings: Record<string, unknown>): void;
export function profileIn(folder: string): {
  userData: string;
  extensions: string;
  settings: string;
};
export function startEditor(
  folder: string,
  workspace: string,
  options?: { port?: number },
): Promise<{ address: string; child: ChildProcess }>;
export function findPort(preferred?: number): Promise<number>;
