import type { ModuleFile } from "./program";

/** Warns where weights are initialised smaller the more layers there are, which weakens the scaling. */
export function scaledInitialisation(modules: readonly ModuleFile[]): string[] {
  for (const { path, text } of modules) {
    const lines = text.split("\n");
    const index = lines.findIndex((line) => isScaledInitialisation(line));
    if (index === -1) continue;
    const where = modules.length > 1 ? `${path}, line ${index + 1}` : `line ${index + 1}`;
    return [
      `Weights are initialised smaller for deeper models (${where}: ${lines[index]!.trim()}). Scaled initialisation weakens LayerNorm Scaling: train without it.`,
    ];
  }
  return [];
}

function isScaledInitialisation(line: string): boolean {
  const code = line.replace(/#.*/, "");
  const root = /sqrt\(|\*\*\s*\(?-?\s*(0?\.5|1\s*\/\s*2)|rsqrt/.test(code);
  const depth = /n_?layers?\b|num_(hidden_)?layers|\bdepth\b|layer_?(id|idx|index|num)/i.test(code);
  return (root && depth) || /SCALE_INIT|scaled_init/.test(code);
}
