/** The texts of a language, as they pass between processes and into pages. */
export interface Texts {
  /** As the editor names it, for example `de` or `zh-cn`. */
  language: string;
  /** What stands in place of each English text; one that is missing stays English. */
  bundle: Readonly<Record<string, string>>;
}
