/**
 * The shard of each tensor, as the index of a sharded checkpoint states it.
 *
 * @returns undefined where the index is JSON but has no `weight_map` from names to names
 * @throws SyntaxError where it is not JSON
 */
export function weightMapOf(index: string): ReadonlyMap<string, string> | undefined {
  return scanned(index) ?? parsed(index);
}

/**
 * A directory of 100,000 tensors is an object that takes ten times as long to make, and to go through, as
 * its text takes to scan. Undefined where the text is not as plain as all indexes that were seen.
 */
function scanned(index: string): ReadonlyMap<string, string> | undefined {
  const opening = /"weight_map"\s*:\s*\{/.exec(index);
  if (opening === null) return undefined;
  const start = opening.index + opening[0].length;
  const pair = /\s*"([^"\\\u0000-\u001f]*)"\s*:\s*"([^"\\\u0000-\u001f]*)"\s*([,}])/y;
  pair.lastIndex = start;
  const shards = new Map<string, string>();
  for (;;) {
    const end = pair.lastIndex;
    const found = pair.exec(index);
    if (found === null) return undefined;
    shards.set(found[1]!, found[2]!);
    if (found[3] === "}") return isWithin(index, start, end + found[0].length) ? shards : undefined;
  }
}

/** Whether what was scanned is the `weight_map` of the whole, which without it is JSON. */
function isWithin(index: string, start: number, end: number): boolean {
  const rest = `${index.slice(0, start)}"scanned": true}${index.slice(end)}`;
  const map = mapIn(JSON.parse(rest));
  return map?.["scanned"] === true && Object.keys(map).length === 1;
}

function parsed(index: string): ReadonlyMap<string, string> | undefined {
  const shards = Object.entries(mapIn(JSON.parse(index)) ?? { "": undefined });
  const isText = (shard: [string, unknown]): shard is [string, string] =>
    typeof shard[1] === "string";
  return shards.every(isText) ? new Map(shards) : undefined;
}

function mapIn(index: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof index !== "object" || index === null || !("weight_map" in index)) return undefined;
  const { weight_map: map } = index;
  if (typeof map !== "object" || map === null || Array.isArray(map)) return undefined;
  return map as Record<string, unknown>;
}
