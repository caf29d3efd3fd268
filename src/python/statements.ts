/** One top-level statement's place in a file: it begins at the left margin and ends where the next begins. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts Python source into its top-level statements, each with the blank lines and comments after
 * it. The cuts depend on the text alone, and a statement that is not finished ends at the next
 * `class`, `def` or `import` at the margin, so that what is being typed in one class does not
 * disturb the others.
 *
 * @param from where to begin; a place where a statement begins
 * @param isKnown tells places where the rest of the text is known; the cutting stops at the first
 * @returns the statements in order; the last ends at the first known place, or with the text
 */
export function cutIntoStatements(
  text: string,
  from = 0,
  isKnown: (start: number) => boolean = () => false,
): Extent[] {
  const statements: Extent[] = [];
  let start = from;
  let openBrackets = 0;
  let isDecorated = text[from] === "@";
  const token = new RegExp(tokens);
  token.lastIndex = from;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const found = match[0];
    const kind = found[0]!;
    if (kind === "\n") {
      const margin = token.lastIndex;
      begins.lastIndex = margin;
      const isBeginning = begins.test(text);
      if (openBrackets > 0 && !isBeginning) continue;
      continues.lastIndex = margin;
      if (continues.test(text)) continue;
      // A decorator belongs to what it decorates.
      const wasDecorated = isDecorated;
      isDecorated = text[margin] === "@";
      if (wasDecorated) continue;
      if (isKnown(margin)) {
        statements.push({ start, end: margin });
        return statements;
      }
      statements.push({ start, end: margin });
      start = margin;
      openBrackets = 0;
    } else if (found === '"""' || found === "'''") {
      token.lastIndex = endOfLongString(text, token.lastIndex, found);
    } else if ("([{".includes(kind)) {
      openBrackets++;
    } else if (")]}".includes(kind)) {
      openBrackets = Math.max(0, openBrackets - 1);
    }
  }
  if (start < text.length) statements.push({ start, end: text.length });
  return statements;
}

/**
 * What can hide or join lines: long strings, strings, comments, brackets, joined lines; and the
 * beginning of a line at the margin.
 */
const tokens =
  /"""|'''|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?|#.*|[()[\]{}]|\\\r?\n|\n(?=[^\s#)\]}])/g;

/** Keywords that begin a statement wherever they stand at the margin. */
const begins = /(?:class|def|async\s+def|import|from)\b/y;

/** Clauses of the statement before them. */
const continues = /(?:else|elif|except|finally)\b/y;

function endOfLongString(text: string, from: number, quotes: string): number {
  for (let end = text.indexOf(quotes, from); end !== -1; end = text.indexOf(quotes, end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + quotes.length;
  }
  return text.length;
}
