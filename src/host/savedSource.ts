/** What a page kept of its source before the window was reloaded. */

/**
 * @param state what the editor hands back for a webview, which an older version may have written
 * @returns the fields of the source; none where the page never had one
 */
export function savedSource(state: unknown): Readonly<Record<string, unknown>> {
  const { source } = fields(state);
  return fields(source);
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
