/**
 * The layer that a line of code or configuration names where the cursor is: `model.layers[7]`,
 * `layers.7.mlp`, `h[-1]`. Told by the text alone, so that it costs nothing to ask at every move.
 */

/** A layer of the report that is shown. */
export interface NamedLayer {
  readonly index: number;
  /** `model.layers.7`. */
  readonly path: string;
}

/** What is longer is data. */
const longestLine = 2_000;

/**
 * @param column where the cursor is in `line`, in UTF-16 code units
 * @returns the index of the layer that is named where the cursor is, or else of the only one that
 *   the line names; undefined where no layer is meant beyond doubt
 */
export function layerAtCursor(
  line: string,
  column: number,
  layers: readonly NamedLayer[],
): number | undefined {
  if (line.length > longestLine) return undefined;
  const named = layersNamed(line, layers);
  const here = named.find(({ start, end }) => start <= column && column <= end);
  if (here !== undefined) return here.index;
  const indices = new Set(named.map(({ index }) => index));
  return indices.size === 1 ? named[0]!.index : undefined;
}

interface Naming {
  /** Undefined where there is no such layer, or several fit. */
  readonly index: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** `model.layers[7]` and `model.layers.7`, up to the number. */
const access = /((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)(?:\[\s*(-?\d+)\s*\]|\.(\d+)(?![\w]))/g;

function layersNamed(line: string, layers: readonly NamedLayer[]): Naming[] {
  const stacks = stacksOf(layers);
  return [...line.matchAll(access)].flatMap((match) => {
    const [text, above = "", list = "", inBrackets, afterDot] = match;
    const fitting = stacks.filter((stack) => stack.names.at(-1) === list);
    if (fitting.length === 0) return [];
    const names = [...above.split(".").slice(0, -1), list];
    const best = closest(fitting, names);
    const number = Number(inBrackets ?? afterDot);
    const index = best?.layers.at(number)?.index;
    return [{ index, start: match.index, end: match.index + text.length }];
  });
}

/** A list of layers: `model.layers`. */
interface Stack {
  readonly names: readonly string[];
  readonly layers: readonly NamedLayer[];
}

function stacksOf(layers: readonly NamedLayer[]): Stack[] {
  const stacks = new Map<string, NamedLayer[]>();
  for (const layer of layers) {
    const [, list, number] = /^(.*)\.(\d+)$/.exec(layer.path) ?? [];
    if (list === undefined || number === undefined) continue;
    const known = stacks.get(list) ?? [];
    known[Number(number)] = layer;
    stacks.set(list, known);
  }
  return [...stacks].map(([list, own]) => ({ names: list.split("."), layers: own }));
}

/** Of `encoder.layers` and `decoder.layers`, the one that the names before the list agree with. */
function closest(stacks: readonly Stack[], names: readonly string[]): Stack | undefined {
  const shared = stacks.map((stack) => {
    const reversed = stack.names.toReversed();
    const end = names.toReversed().findIndex((name, place) => name !== reversed[place]);
    return end === -1 ? names.length : end;
  });
  const most = Math.max(...shared);
  const best = stacks.filter((_, place) => shared[place] === most);
  return best.length === 1 ? best[0] : undefined;
}
