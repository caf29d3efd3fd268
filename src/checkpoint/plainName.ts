/**
 * Whether a name that a file states can only be that of a file beside it: no path, and nothing that a
 * message would have to escape.
 */
export function isPlainName(name: string): boolean {
  return !/^\.{0,2}$|[/\\\u0000-\u001f\u007f]/.test(name);
}
