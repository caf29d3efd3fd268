/** Parts of the extension that are loaded and made when they are first needed. */

/** @returns a function that makes the part once, and leaves its disposal to `owner` */
export function lazily<Part extends { dispose(): unknown }>(
  owner: { dispose(): unknown }[],
  make: () => Promise<Part>,
): () => Promise<Part> {
  let made: Promise<Part> | undefined;
  return () => {
    made ??= make().then((part) => {
      owner.push(part);
      return part;
    });
    return made;
  };
}
