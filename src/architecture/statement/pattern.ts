/**
 * A pattern of tensor names: text in which `{layer}` stands for the number of a layer, and `{head}` for
 * that of a head, each at most once.
 */
export interface NamePattern {
  readonly text: string;
  /** What stands before, between and after the placeholders. */
  readonly literals: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

export type Placeholder = "layer" | "head";

/** The numbers that a name has at the placeholders. */
export type Places = Readonly<Partial<Record<Placeholder, number>>>;

/** Digits of a layer's or a head's number. */
const mostDigits = 6;

/** @returns the pattern, or why it is none */
export function parsePattern(text: string): NamePattern | string {
  const pieces = text.split(/\{(layer|head)\}/);
  const literals = pieces.filter((_, at) => at % 2 === 0);
  const placeholders = pieces.filter((_, at) => at % 2 === 1) as Placeholder[];
  if (new Set(placeholders).size < placeholders.length) return "names a placeholder twice";
  // Where digits end must be clear, and is so without trying.
  const isOpen =
    literals.slice(1, -1).includes("") || literals.slice(1).some((one) => /^\d/.test(one));
  return isOpen
    ? "has a digit or another placeholder right after a placeholder"
    : { text, literals, placeholders };
}

/** Takes time in proportion to the name's length. @returns undefined where the name is another */
export function matchName(
  { literals, placeholders }: NamePattern,
  name: string,
): Places | undefined {
  if (!name.startsWith(literals[0]!)) return undefined;
  let at = literals[0]!.length;
  const places: Partial<Record<Placeholder, number>> = {};
  for (const [order, placeholder] of placeholders.entries()) {
    const begin = at;
    while (at - begin < mostDigits && isDigit(name, at)) at++;
    const digits = name.slice(begin, at);
    if (digits === "" || (digits.length > 1 && digits.startsWith("0"))) return undefined;
    places[placeholder] = Number(digits);
    const literal = literals[order + 1]!;
    if (!name.startsWith(literal, at)) return undefined;
    at += literal.length;
  }
  return at === name.length ? places : undefined;
}

function isDigit(name: string, at: number): boolean {
  const character = name[at];
  return character !== undefined && character >= "0" && character <= "9";
}
