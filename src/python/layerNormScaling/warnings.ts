import { t } from "@vscode/l10n";
import type { ScalingWarning } from "./outcome";
import type { ModuleFile } from "./program";

/** Warns where weights are initialised smaller the more layers there are, which weakens the scaling. */
export function scaledInitialisation(modules: readonly ModuleFile[]): ScalingWarning[] {
  for (const { path, text } of modules) {
    const line = text.split("\n").find(isScaledInitialisation)?.trim();
    if (line === undefined) continue;
    return [
      {
        message: t(
          "Scaled initialisation weakens LayerNorm Scaling: train without it. Here weights are initialised smaller for deeper models: {0}",
          line,
        ),
        at: { path, line },
      },
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
