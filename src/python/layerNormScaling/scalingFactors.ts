/** 1/√(index + 1) as it is usually written, wherever it stands. */
export function isScalingFactor(text: string): boolean {
  const index = "(self\\.)?\\w*(layer|block|depth|idx|index)\\w*|[il]";
  const root = `sqrt\\(\\s*(${index})\\s*\\+\\s*1(\\.0?)?\\s*\\)`;
  const power = `\\(\\s*(${index})\\s*\\+\\s*1(\\.0?)?\\s*\\)\\s*\\*\\*\\s*\\(?-\\s*0?\\.5`;
  return new RegExp(`/\\s*(\\w+\\.)?${root}|${power}`, "i").test(text);
}

/** Expressions such as 1 / math.sqrt(layer_idx + 1), whatever their names. */
export function growsWithDepth(text: string): boolean {
  const mentionsDepth = /layer|block|depth|idx|index|\bl\b|\bi\b/i.test(text);
  return mentionsDepth && /sqrt|\*\*\s*\(?-?\s*(0?\.5|1\s*\/\s*2)|pow\(/.test(text);
}
