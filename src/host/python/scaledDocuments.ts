/** LayerNorm Scaling of a model's code as the editor has it, which the files alone do not tell. */
import type { ScalingOutcome } from "../../python/layerNormScaling/outcome";
import type { ScaledModel } from "./scaleModel";

/** Once for the files as they are, once for what the editor makes of them, and once in case of an edit. */
const mostAttempts = 3;

/** A document of the editor, as far as edits are placed in it. */
interface Readable {
  getText(): string;
}

export type ScaledDocuments<Document> =
  | { readonly outcome: ScalingOutcome & { kind: "refusal" } }
  | {
      readonly outcome: ScalingOutcome & { kind: "edits" };
      /** The edited documents by path, with the text that the edits are of. */
      readonly documents: ReadonlyMap<string, Document>;
    };

/**
 * The edits, and the documents that they fit. A file that is not open is read as UTF-8 and as it
 * stands; the editor reads it in the encoding of its settings and makes its line ends alike. So where
 * a document is another text than was read, its model is read again, now that it is open.
 *
 * @param scale reads what is open as the editor has it
 * @returns undefined where the code does not rest
 */
export async function scaledDocuments<Document extends Readable>(
  scale: () => Promise<ScaledModel>,
  open: (path: string) => PromiseLike<Document>,
): Promise<ScaledDocuments<Document> | undefined> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const { outcome, texts } = await scale();
    if (outcome.kind === "refusal") return { outcome };
    const documents = new Map<string, Document>();
    for (const { path } of outcome.edits) {
      if (!documents.has(path)) documents.set(path, await open(path));
    }
    const isRead = ([path, document]: [string, Document]): boolean =>
      document.getText() === texts.get(path);
    if ([...documents].every(isRead)) return { outcome, documents };
  }
  return undefined;
}
