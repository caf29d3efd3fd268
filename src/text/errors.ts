/** Text or token files that cannot be evaluated. The message names the file and what was expected. */
export class TextError extends Error {
  override readonly name = "TextError";

  /** @param lacks what a person can do without by other means; undefined where nothing is lacking */
  constructor(
    message: string,
    readonly lacks?: "tokenizer",
  ) {
    super(message);
  }
}
