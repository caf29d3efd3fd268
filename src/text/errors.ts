/** Text or token files that cannot be evaluated. The message names the file and what was expected. */
export class TextError extends Error {
  override readonly name = "TextError";
}
