/** Where the documents come from. Paths are absolute. */
export type TextSource =
  | { readonly kind: "text"; readonly files: readonly string[] }
  | { readonly kind: "tokens"; readonly file: string }
  /** A batch of images, with labels in it or beside it. */
  | { readonly kind: "images"; readonly file: string }
  | { readonly kind: "default"; readonly file: string };
